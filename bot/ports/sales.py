"""The database, continued: what is sold and how it is paid.

Every `move` is a compare-and-set along the machine's table; it is recorded in `transitions`.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Protocol

from bot.domain.ledger import Deposit
from bot.domain.orders import Listed, OrderState, PaymentState, RefundState, TopUpState
from bot.domain.plans import Plan
from bot.domain.quotes import Quote, Rate
from bot.domain.sales import Order, Payment, Refund, Removal, Saved, TopUp, Voucher


class Catalogue(Protocol):
    async def get(self, code: str) -> Plan | None: ...
    async def all(self, *, carrier: str | None = None, active: bool = True) -> list[Plan]: ...
    async def apply(self, plans: Sequence[Plan]) -> None:
        """Make these the catalogue: new and changed ones saved, others switched off."""
        ...


class Quotes(Protocol):
    async def add(self, quote: Quote, update_id: int | None) -> Quote:
        """Save it; a replay of the same update gets the quote that the first run saved."""
        ...

    async def get(self, quote_id: str) -> Quote | None: ...


class Orders(Protocol):
    async def add(self, order: Order) -> Order:
        """Save it; one order per quote: a second call gets the first one's order."""
        ...

    async def get(self, order_id: str) -> Order | None: ...
    async def by_quote(self, quote_id: str) -> Order | None: ...
    async def of_chat(
        self,
        chat_id: int,
        limit: int,
        offset: int = 0,
        *,
        listed: Listed = Listed.ALL,
        sim_id: str | None = None,
    ) -> list[Order]: ...
    async def in_states(self, states: Sequence[OrderState], limit: int = 100) -> list[Order]: ...
    async def of_sim(self, sim_id: str, states: Sequence[OrderState]) -> list[Order]: ...
    async def of_sims(
        self, sim_ids: Collection[str], states: Sequence[OrderState]
    ) -> list[Order]: ...
    async def expiring(self, now: datetime, limit: int) -> list[Order]:
        """Open orders whose expires_at has passed."""
        ...

    async def next_expiring(self) -> datetime | None: ...
    async def paid_since(self, since: datetime) -> list[Order]:
        """Orders whose money came since then, oldest first."""
        ...

    async def set_message(self, order_id: str, message_id: int) -> None: ...
    async def wait_until(self, order_id: str, at: datetime) -> None:
        """It waits for money for longer; never for less long than before."""
        ...

    # Every `move` is a compare-and-set along the machine's table; it is recorded in `transitions`
    # with its reason, and `reason` is also written to the row.
    async def move(
        self,
        order_id: str,
        old: OrderState,
        new: OrderState,
        reason: str,
        at: datetime,
        **changes: Any,
    ) -> bool: ...


class Payments(Protocol):
    async def add(self, payment: Payment) -> None: ...
    async def get(self, payment_id: str) -> Payment | None: ...
    async def of_order(self, order_id: str) -> list[Payment]: ...
    async def of_deposit(self, deposit_id: str) -> list[Payment]: ...
    async def by_charge(self, charge_id: str) -> Payment | None: ...
    async def by_provider_ref(self, provider_ref: str) -> Payment | None:
        """The newest attempt of that name at its provider."""
        ...

    async def surplus(self) -> list[Payment]:
        """Captured payments of orders that nothing is owed for: another one has paid the order,
        or the order's money went back."""
        ...

    async def in_states(self, states: Sequence[PaymentState]) -> list[Payment]: ...
    async def to_look_at(self, now: datetime, limit: int) -> list[Payment]:
        """Attempts whose provider is to be asked, the longest due first."""
        ...

    async def next_look(self) -> datetime | None: ...
    async def captured_since(self, since: datetime) -> list[Payment]:
        """Attempts that took money since then, whatever became of it, oldest first."""
        ...

    async def set(self, payment_id: str, **changes: Any) -> None:
        """Change what is not its state."""
        ...

    async def reserve(self, payment_id: str, minor: int) -> bool:
        """So much more goes back; False when it would be more than was captured (rule 17)."""
        ...

    async def move(
        self,
        payment_id: str,
        old: PaymentState,
        new: PaymentState,
        reason: str,
        at: datetime,
        **changes: Any,
    ) -> bool: ...


class Refunds(Protocol):
    async def add(self, refund: Refund) -> None: ...
    async def get(self, refund_id: str) -> Refund | None: ...
    async def of_payment(self, payment_id: str) -> list[Refund]:
        """Oldest first."""
        ...

    async def due(self, now: datetime, limit: int) -> list[Refund]:
        """Those whose next_at has come."""
        ...

    async def in_states(self, states: Sequence[RefundState]) -> list[Refund]: ...
    async def next_due(self) -> datetime | None: ...
    async def set(self, refund_id: str, **changes: Any) -> None: ...
    async def move(
        self,
        refund_id: str,
        old: RefundState,
        new: RefundState,
        reason: str,
        at: datetime,
        **changes: Any,
    ) -> bool: ...


class Deposits(Protocol):
    async def add(self, deposit: Deposit) -> None: ...
    async def get(self, deposit_id: str) -> Deposit | None: ...
    async def expiring(self, now: datetime, limit: int) -> list[Deposit]:
        """Those that wait for money although their expires_at has passed."""
        ...

    async def next_expiring(self) -> datetime | None: ...
    async def paid_of(self, chat_id: int, limit: int) -> list[Deposit]:
        """The chat's paid ones, newest first."""
        ...

    async def set(self, deposit_id: str, **changes: Any) -> None: ...


class SavedMethods(Protocol):
    async def keep(self, saved: Saved) -> Saved:
        """Save it; the same token of the same chat is kept once."""
        ...

    async def get(self, saved_id: str) -> Saved | None: ...
    async def of_chat(self, chat_id: int) -> list[Saved]:
        """Those not removed, newest first."""
        ...

    async def remove(self, saved_id: str, at: datetime) -> bool:
        """It is charged no more, and to be deleted at its provider; False when it was removed
        before. Its token is known to the removal alone from then on."""
        ...


class Removals(Protocol):
    """What is to be deleted at providers."""

    async def due(self, now: datetime, limit: int) -> list[Removal]:
        """Those whose next_at has come, the longest due first."""
        ...

    async def next_due(self) -> datetime | None: ...
    async def later(self, removal_id: str, next_at: datetime, tries: int) -> None: ...
    async def done(self, removal_id: str) -> None:
        """It is gone there: nothing of it is kept here either."""
        ...


class ExchangeRates(Protocol):
    """Rates pulled from a source, as it gave them."""

    async def all(self) -> list[Rate]: ...
    async def put(self, rate: Rate) -> None: ...


class TopUps(Protocol):
    async def add(self, topup: TopUp) -> None: ...
    async def get(self, topup_id: str) -> TopUp | None: ...
    async def of_order(self, order_id: str) -> list[TopUp]:
        """Oldest first."""
        ...

    async def due(self, now: datetime, limit: int) -> list[TopUp]:
        """Top-ups whose next_at has come."""
        ...

    async def next_due(self) -> datetime | None: ...
    async def in_states(self, states: Sequence[TopUpState]) -> list[TopUp]: ...
    async def set(self, topup_id: str, **changes: Any) -> None: ...
    async def move(
        self,
        topup_id: str,
        old: TopUpState,
        new: TopUpState,
        reason: str,
        at: datetime,
        **changes: Any,
    ) -> bool: ...


class Vouchers(Protocol):
    async def add(self, voucher: Voucher, code_hash: str, batch: str) -> None: ...
    async def find(self, code_hash: str) -> Voucher | None: ...
    async def of_order(self, order_id: str) -> Voucher | None: ...
    async def redeem(self, voucher_id: str, order_id: str, at: datetime) -> bool: ...
    async def release(self, voucher_id: str) -> bool: ...
