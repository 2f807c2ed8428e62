"""The bot with one of its guards taken out: `python -m tests.faults.guardless GUARD`.

A harness that finds nothing proves little until it has been seen to find something.
"""

import sys
from datetime import datetime

from bot.app import run
from bot.config import load
from bot.domain.orders import TopUpState
from bot.domain.sales import TopUp
from bot.ports import InboxRow, Tx
from bot.services.fulfilment import Fulfilment
from bot.services.intake import Intake


async def _only_in_memory(self: Intake, row: InboxRow) -> None:
    """Updates are handled without having been committed."""
    if self._listener is not None:
        self._listener(row)


async def _send_again(self: Fulfilment, tx: Tx, topup: TopUp, reason: str, now: datetime) -> None:
    """A top-up whose answer was lost is sent again without asking."""
    await tx.topups.move(
        topup.id, TopUpState.SUBMITTING, TopUpState.SAVED, reason, now, next_at=now
    )


GUARDS = {
    "inbox": lambda: setattr(Intake, "_keep", _only_in_memory),
    "ask": lambda: setattr(Fulfilment, "_lost_answer", _send_again),
}

if __name__ == "__main__":
    GUARDS[sys.argv[1]]()
    run(load())
