"""The database, continued: renewals that pay by themselves; and what Telegram is told of them."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from bot.domain.money import Money
from bot.domain.renewals import Agreement, AgreementState, Run, RunState


class Renewals(Protocol):
    """Agreements and their runs. Every `move` is a compare-and-set along the machine's table; it
    is recorded in `transitions` with its reason."""

    async def add(self, agreement: Agreement) -> bool:
        """False when the SIM has one that has not ended."""
        ...

    async def get(self, agreement_id: str) -> Agreement | None: ...
    async def of_sim(self, sim_id: str) -> Agreement | None:
        """The SIM's one that has not ended."""
        ...

    async def of_sims(self, sim_ids: Collection[str]) -> list[Agreement]:
        """Those of these SIMs that have not ended."""
        ...

    async def of_chat(self, chat_id: int) -> list[Agreement]:
        """Those that have not ended, oldest first."""
        ...

    async def by_order(self, order_id: str) -> Agreement | None:
        """The newest one that this order's payment begins."""
        ...

    async def due(self, now: datetime, limit: int) -> list[Agreement]:
        """Those whose next_at has come, the longest due first."""
        ...

    async def next_due(self) -> datetime | None: ...
    async def claim(self, agreement: Agreement, next_at: datetime) -> bool:
        """Put off when it is looked at next; False when somebody else has done so."""
        ...

    async def set(self, agreement_id: str, **changes: Any) -> None:
        """Change what is not its state."""
        ...

    async def move(
        self,
        agreement: Agreement,
        new: AgreementState,
        reason: str,
        at: datetime,
        **changes: Any,
    ) -> bool: ...

    async def add_run(self, run: Run) -> bool:
        """False when there is one of that SIM and period."""
        ...

    async def run(self, run_id: str) -> Run | None: ...
    async def run_of(self, sim_id: str, period: datetime) -> Run | None: ...
    async def run_by_order(self, order_id: str) -> Run | None: ...
    async def open_run(self, sim_id: str) -> Run | None:
        """The SIM's one that has not ended."""
        ...

    async def last_paid(self, sim_id: str) -> datetime | None:
        """The newest period of the SIM that was paid so."""
        ...

    async def spent(self, sim_id: str, since: datetime, currency: str) -> Money:
        """What was paid so for the SIM since then, or is being charged."""
        ...

    async def set_run(self, run_id: str, **changes: Any) -> None: ...
    async def move_run(
        self, run: Run, new: RunState, reason: str, at: datetime, **changes: Any
    ) -> bool: ...


@runtime_checkable
class Subscribing(Protocol):
    """A method whose provider charges again by itself until it is told to stop."""

    async def subscription(self, payer_id: int, charge_id: str, *, cancelled: bool) -> None:
        """Stop a subscription at the end of what is paid, or allow its payer to take it up again.

        Raises PaymentRefused when there is none to stop, PaymentUnavailable.
        """
        ...
