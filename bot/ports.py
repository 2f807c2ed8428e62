"""What the core asks of the world. Adapters implement these; services know nothing else.

Every datetime is aware and in UTC.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any, Protocol

from bot.domain.chats import Chat, Preferences
from bot.domain.money import Money
from bot.domain.orders import OrderState, PaymentState, TopUpState
from bot.domain.plans import Plan
from bot.domain.quotes import Quote
from bot.domain.sales import Method, Order, Payment, TopUp, Voucher
from bot.domain.sims import Reading, Sim


class Clock(Protocol):
    """The only source of "now"."""

    def now(self) -> datetime:
        """The current moment, aware, UTC."""
        ...


# ---- suppliers ---------------------------------------------------------------------------


class SupplierUnavailable(Exception):
    """A read failed; nothing was bought. `reason` is a short code for the log and the views."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a supplier's API can do; the core asks only for what is declared here."""

    reads: bool
    """It tells a SIM's state, data and validity."""
    finds: bool
    """It can look a top-up up by our reference."""
    unique_refs: bool
    """It promises that one reference buys once, so that a lost answer may be submitted again."""
    after_expiry: bool
    """It tops up a line whose validity is over."""
    by_hand: bool = False
    """A person does the top-up; the order waits in the operator's queue."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A SIM as its supplier knows it."""

    supplier_ref: str
    iccid: str | None
    msisdn: str | None
    activation_code: str | None
    reading: Reading


@dataclass(frozen=True, slots=True)
class SupplierPlan:
    """A top-up the supplier sells for one SIM at this moment."""

    code: str
    cost: Money
    days: int
    data: int | None


@dataclass(frozen=True, slots=True)
class TopUpRequest:
    """What to buy. `ref` is our reference, committed before the call."""

    ref: str
    sim: Sim
    supplier_code: str
    amount: Money | None
    max_cost: Money | None


class TopUpStatus(StrEnum):
    """How a submit or a look-up ended. UNKNOWN and NOT_FOUND never mean "it failed"."""

    SUCCEEDED = "succeeded"
    PROCESSING = "processing"
    REJECTED = "rejected"  # definitely not bought, nothing was charged
    UNKNOWN = "unknown"  # it may have been bought: ask, never repeat blindly
    NOT_FOUND = "not_found"  # a look-up saw no such top-up (so far)
    NOT_SENT = "not_sent"  # the call that buys never left: it may be made later


@dataclass(frozen=True, slots=True)
class TopUpAnswer:
    """A supplier's word on one top-up."""

    status: TopUpStatus
    supplier_ref: str | None = None
    reason: str | None = None


class Carrier(Protocol):
    """One supplier's API. No method retries a call that can cost money."""

    name: str
    capabilities: Capabilities

    async def resolve(self, *, iccid: str | None, msisdn: str | None) -> Resolved | None:
        """The SIM if the supplier knows it. Raises SupplierUnavailable."""
        ...

    async def plans(self, sim: Sim) -> list[SupplierPlan]:
        """Top-ups sold for this SIM now, with our cost. Raises SupplierUnavailable."""
        ...

    async def snapshot(self, sim: Sim) -> Reading:
        """A fresh reading. Raises SupplierUnavailable."""
        ...

    async def submit(self, request: TopUpRequest) -> TopUpAnswer:
        """Buy once. Never raises for the network: what can't be known is UNKNOWN."""
        ...

    async def find(self, request: TopUpRequest) -> TopUpAnswer:
        """Look a top-up up by our reference. Raises SupplierUnavailable."""
        ...

    async def wallet(self) -> Money | None:
        """Our balance there; None when the supplier keeps none. Raises SupplierUnavailable."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


# ---- payments ----------------------------------------------------------------------------


class PaymentUnavailable(Exception):
    """The provider could not be asked or gave no clear answer; nothing may be assumed."""


@dataclass(frozen=True, slots=True)
class Bill:
    """What the payer reads on the provider's sheet, in their language."""

    title: str
    description: str
    label: str


class PaymentMethod(Protocol):
    """A way to pay that lives outside our store."""

    method: Method

    async def request(self, payment: Payment, bill: Bill) -> int | None:
        """Show the payer what to pay; the message's id when it is one. Raises PaymentUnavailable."""
        ...

    async def refund(self, payment: Payment) -> None:
        """Return the whole charge; done already counts as done. Raises PaymentUnavailable."""
        ...


# ---- messages the bot starts itself ------------------------------------------------------


class Priority(IntEnum):
    """Classes of the outbox; a smaller number is sent first."""

    PAYMENT = 10
    TOPUP = 20
    OPERATOR = 30
    REMINDER = 40
    ALERT = 50


@dataclass(frozen=True, slots=True)
class Notice:
    """A message to be sent: what it is about, not its words; those are made when it is sent.

    `dedupe_key` is unique for ever. `edits` is the message that this one replaces.
    """

    kind: str
    chat_id: int
    dedupe_key: str
    priority: Priority
    data: Mapping[str, Any] = field(default_factory=dict)
    not_before: datetime | None = None
    expires_at: datetime | None = None
    id: int | None = None
    tries: int = 0


class Outcome(StrEnum):
    """What became of one delivery."""

    SENT = "sent"
    DROPPED = "dropped"  # outdated when its turn came
    BLOCKED = "blocked"  # blocked, kicked or deactivated: recorded, reminders pause
    RETRY = "retry"  # certainly not delivered; again at `retry_at`
    AMBIGUOUS = "ambiguous"  # the answer was lost: it may have been delivered
    FAILED = "failed"  # refused for good; a defect to look at


@dataclass(frozen=True, slots=True)
class Delivery:
    """Outcome of one notice. `everyone` says that Telegram asked the whole bot to wait."""

    outcome: Outcome
    message_id: int | None = None
    retry_at: datetime | None = None
    everyone: bool = False
    detail: str | None = None


class Messenger(Protocol):
    """Turns notices into messages."""

    async def deliver(self, notice: Notice) -> Delivery:
        """Send one notice and say what became of it; never raises for Telegram's answers."""
        ...


# ---- the store ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One update as Telegram sent it (JSON text)."""

    update_id: int
    lane: str
    payload: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A customer's word that a managed SIM is theirs, waiting for an operator."""

    id: str
    chat_id: int
    sim_id: str
    state: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One thing somebody did that others may ask about."""

    at: datetime
    actor: str
    action: str
    subject: str
    details: Mapping[str, Any]


class Chats(Protocol):
    async def get(self, chat_id: int) -> Chat | None: ...
    async def add(self, chat: Chat) -> bool: ...
    async def set_name(self, chat_id: int, first_name: str, username: str | None) -> None: ...
    async def set_language(self, chat_id: int, language: str) -> None: ...
    async def set_preferences(self, chat_id: int, preferences: Preferences) -> None: ...
    async def set_blocked(self, chat_id: int, at: datetime | None) -> None: ...
    async def migrate(self, old_id: int, new_id: int) -> None: ...
    async def wrong_claims(self, chat_id: int) -> tuple[int, datetime | None]:
        """Wrong claim codes in a row, and until when guessing is locked."""
        ...

    async def set_wrong_claims(self, chat_id: int, count: int, until: datetime | None) -> None: ...


class Sims(Protocol):
    async def get(self, sim_id: str) -> Sim | None: ...
    async def owned(self, chat_id: int) -> list[Sim]:
        """The chat's SIMs that were not removed."""
        ...

    async def add(self, sim: Sim) -> bool:
        """False when this owner already has that ICCID or number."""
        ...

    async def stock(self, *, iccid: str | None, msisdn: str | None) -> Sim | None:
        """The managed SIM with that ICCID (with or without its check digit) or number."""
        ...

    async def update(self, sim_id: str, version: int, **changes: Any) -> bool:
        """Compare-and-set on the version, which grows by one; False when it had moved."""
        ...

    async def add_reading(self, sim_id: str, reading: Reading) -> None:
        """Keep a reading and make it the SIM's newest; its dates become the SIM's where told."""
        ...

    async def set_next_reminder(self, sim_id: str, at: datetime | None) -> None: ...
    async def due(self, now: datetime, limit: int) -> list[Sim]:
        """SIMs whose next_reminder_at <= now and whose chat can be written to, oldest first."""
        ...

    async def next_due(self) -> datetime | None:
        """The smallest next_reminder_at there is."""
        ...

    async def to_read(self, before: datetime, limit: int) -> list[Sim]:
        """Owned managed SIMs whose newest reading is older than `before`, soonest expiry first."""
        ...


class Claims(Protocol):
    async def add_code(self, code_hash: str, sim_id: str, expires_at: datetime) -> None: ...
    async def codes(self, sim_id: str, now: datetime) -> list[str]:
        """Hashes of the SIM's unused, unexpired codes."""
        ...

    async def sim_of_code(self, code_hash: str, now: datetime) -> str | None: ...
    async def use_code(self, code_hash: str, chat_id: int, now: datetime) -> bool: ...
    async def ask(self, claim: Claim) -> bool: ...
    async def get(self, claim_id: str) -> Claim | None: ...
    async def waiting(self) -> list[Claim]: ...
    async def settle(self, claim_id: str, state: str) -> bool: ...


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
    async def of_chat(self, chat_id: int, limit: int, offset: int = 0) -> list[Order]: ...
    async def in_states(self, states: Sequence[OrderState], limit: int = 100) -> list[Order]: ...
    async def of_sim(self, sim_id: str, states: Sequence[OrderState]) -> list[Order]: ...
    async def expiring(self, now: datetime, limit: int) -> list[Order]:
        """Open orders whose expires_at has passed."""
        ...

    async def next_expiring(self) -> datetime | None: ...
    async def set_message(self, order_id: str, message_id: int) -> None: ...
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
    async def by_charge(self, charge_id: str) -> Payment | None: ...
    async def surplus(self) -> list[Payment]:
        """Captured payments of an order that an earlier captured payment has paid already."""
        ...

    async def in_states(self, states: Sequence[PaymentState]) -> list[Payment]: ...
    async def move(
        self,
        payment_id: str,
        old: PaymentState,
        new: PaymentState,
        reason: str,
        at: datetime,
        **changes: Any,
    ) -> bool: ...


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


class Reminders(Protocol):
    async def sent(self, sim_id: str, cycle: str) -> frozenset[str]:
        """Codes of the stages that are settled (sent or skipped) in this cycle."""
        ...

    async def add(self, sim_id: str, cycle: str, stage: str, *, sent: bool, at: datetime) -> bool:
        """False when the ledger has this stage already: somebody got there first."""
        ...


class Inbox(Protocol):
    async def append(self, rows: Sequence[InboxRow], at: datetime) -> list[bool]:
        """Save updates; False where that update_id was there before."""
        ...

    async def unfinished(self) -> list[InboxRow]:
        """Oldest first."""
        ...

    async def done(self, update_id: int, at: datetime, error_id: str | None) -> None: ...
    async def purge(self, before: datetime) -> int: ...


class Outbox(Protocol):
    async def add(self, notice: Notice) -> bool:
        """False when its dedupe_key was there before."""
        ...

    async def claim(self, now: datetime, limit: int) -> list[Notice]:
        """Take the most urgent sendable ones, at most one a chat and none of a chat that has
        one claimed; they count as being sent from now on."""
        ...

    async def claimed(self) -> list[Notice]:
        """Those a dead process took and did not settle."""
        ...

    async def settle(
        self,
        notice_id: int,
        outcome: Outcome,
        at: datetime,
        message_id: int | None = None,
        detail: str | None = None,
    ) -> None: ...
    async def release(self, notice_id: int, not_before: datetime) -> None:
        """Back into the queue, one try more."""
        ...

    async def next_due(self) -> datetime | None:
        """When the next queued notice may be sent; None when the queue is empty."""
        ...


class Talks(Protocol):
    """Where each conversation stands (PTB's persistence)."""

    async def states(self, name: str) -> dict[tuple[int, ...], int]: ...
    async def set_state(self, name: str, key: tuple[int, ...], state: int | None) -> None: ...
    async def drafts(self) -> dict[int, dict[str, Any]]: ...
    async def set_draft(self, user_id: int, draft: Mapping[str, Any]) -> None: ...


class Audit(Protocol):
    async def add(self, row: AuditRow) -> None: ...
    async def latest(self, limit: int) -> list[AuditRow]: ...


class Tx(Protocol):
    """One transaction: everything in it happens, or nothing."""

    chats: Chats
    sims: Sims
    claims: Claims
    catalogue: Catalogue
    quotes: Quotes
    orders: Orders
    payments: Payments
    topups: TopUps
    vouchers: Vouchers
    reminders: Reminders
    inbox: Inbox
    outbox: Outbox
    talks: Talks
    audit: Audit


class Store(Protocol):
    """The database."""

    def write(self) -> AbstractAsyncContextManager[Tx]:
        """A writing transaction: committed on leaving, rolled back when an exception leaves."""
        ...

    def read(self) -> AbstractAsyncContextManager[Tx]:
        """A consistent look; writing in it raises."""
        ...
