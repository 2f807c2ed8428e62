"""How everything runs, for operators (`/status`): the queue of messages, and who is away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.sales import Method
from bot.ports import Backlog, Clock, Outcome, Store
from bot.services.limits import SECOND, Gate
from bot.services.reconcile import Reconciliation
from bot.services.wallets import Wallets

_RATE = timedelta(minutes=1)
_LOOK_BACK = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known at `at` (UTC). Counts are of all instances that share the database."""

    at: datetime
    queue: Sequence[Backlog]
    """By class, the most urgent first; classes without messages are left out."""
    sent: int
    """In the last minute."""
    hour: Mapping[Outcome, int]
    """How the messages of the last hour ended."""
    silent_until: datetime | None
    """Telegram asked the whole bot to be silent until then."""
    suppliers_away: Mapping[str, datetime]
    """Suppliers that gave no answer when last asked, each with since when."""
    providers_away: Sequence[Method]
    """Ways to pay whose provider gave no answer at the last reconciliation."""
    reconciled_at: datetime | None
    """None when there was none since the start."""
    gaps: int
    """What it found that waits for a person."""


class Status:
    """Looks at everything; touches nothing."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        gate: Gate,
        wallets: Wallets,
        reconciliation: Reconciliation,
    ) -> None:
        self._store = store
        self._clock = clock
        self._gate = gate
        self._wallets = wallets
        self._reconciliation = reconciliation

    async def now(self) -> Standing:
        """For operators' eyes only."""
        now = self._clock.now()
        async with self._store.read() as tx:
            queue = await tx.outbox.backlog(now)
            minute = await tx.outbox.outcomes(now - _RATE)
            hour = await tx.outbox.outcomes(now - _LOOK_BACK)
        held, last = self._gate.held(), self._reconciliation.last
        return Standing(
            at=now,
            queue=queue,
            sent=minute.get(Outcome.SENT, 0),
            hour=hour,
            silent_until=now + timedelta(seconds=held / SECOND) if held else None,
            suppliers_away=dict(self._wallets.away),
            providers_away=tuple(last.away) if last is not None else (),
            reconciled_at=last.at if last is not None else None,
            gaps=len(last.found) if last is not None else 0,
        )
