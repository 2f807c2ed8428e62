"""The bot with one of its guards taken out: `python -m tests.faults.guardless GUARD`.

A harness that finds nothing proves little until it has been seen to find something.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from bot.app import run
from bot.config import load
from bot.domain.orders import TopUpState
from bot.domain.sales import Order, TopUp
from bot.domain.sims import Reading
from bot.ports import InboxRow, Tx
from bot.services.fulfilment import Fulfilment
from bot.services.intake import Intake

LATER = timedelta(minutes=30)


async def _only_in_memory(self: Intake, row: InboxRow) -> None:
    """Updates are handled without having been committed."""
    if self._listener is not None:
        self._listener(row)


async def _send_again(self: Fulfilment, tx: Tx, topup: TopUp, reason: str, now: datetime) -> None:
    """A top-up whose answer was lost is sent again without asking."""
    await tx.topups.move(
        topup.id, TopUpState.SUBMITTING, TopUpState.SAVED, reason, now, next_at=now
    )


async def _send_again_soon(
    self: Fulfilment, tx: Tx, topup: TopUp, reason: str, now: datetime
) -> None:
    """The same on a clock that stands still: some time later, or it would go on for ever."""
    await tx.topups.move(
        topup.id, TopUpState.SUBMITTING, TopUpState.SAVED, reason, now, next_at=now + LATER
    )


_claim, _step = Fulfilment._claim, Fulfilment._step


async def _claimed(self: Fulfilment, topup: TopUp, order: Order, before: Reading | None) -> bool:
    """Whoever comes to submit a top-up does, even if another has begun to."""
    await _claim(self, topup, order, before)
    return True


async def _start_afresh(self: Fulfilment) -> None:
    """At start nobody asks what a dead process left."""


async def _unless_begun(self: Fulfilment, topup: TopUp) -> None:
    """Nor is it found when its lease is over."""
    if topup.state in (TopUpState.SUBMITTING, TopUpState.RECONCILING):
        async with self._store.write() as tx:
            await tx.topups.set(topup.id, next_at=None)
        return
    await _step(self, topup)


GUARDS = {
    "inbox": lambda: setattr(Intake, "_keep", _only_in_memory),
    "ask": lambda: setattr(Fulfilment, "_lost_answer", _send_again),
}

CARRIER_GUARDS: Mapping[str, Mapping[str, Any]] = {
    "ask": {"_lost_answer": _send_again_soon},
    "once": {"_claim": _claimed},
    "start": {"recover": _start_afresh},
    "recover": {"recover": _start_afresh, "_step": _unless_begun},
}
"""What is put in the place of the top-up job's own. Without "start" alone nothing is lost: what a
dead process left is found when its lease is over."""


@contextmanager
def without(guards: Mapping[str, Mapping[str, Any]], guard: str | None) -> Iterator[None]:
    """One guard taken out for a while, in this process; None takes none. Raises KeyError."""
    if guard is None:
        yield
        return
    with patch.multiple(Fulfilment, **guards[guard]):
        yield


if __name__ == "__main__":
    GUARDS[sys.argv[1]]()
    run(load())
