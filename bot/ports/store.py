"""The database, one protocol per aggregate."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from bot.domain.chats import Chat, Preferences
from bot.domain.handover import Handover, HandoverState
from bot.domain.rules import Activity, Overridden
from bot.domain.sims import Reading, Sim
from bot.ports.books import Differences
from bot.ports.broadcasts import Broadcasts
from bot.ports.calendars import Calendars
from bot.ports.groups import Campaigns, Earnings, Groups, Posts
from bot.ports.ledger import Ledger, Proofs
from bot.ports.messenger import Backlog, Notice, Outcome, Priority
from bot.ports.privacy import PersonalData
from bot.ports.promos import Points, Promos
from bot.ports.reminders import Reminders
from bot.ports.renewals import Renewals
from bot.ports.requests import Requests
from bot.ports.sales import (
    Catalogue,
    Deposits,
    ExchangeRates,
    Orders,
    Payments,
    Quotes,
    Refunds,
    Removals,
    SavedMethods,
    TopUps,
    Vouchers,
)
from bot.ports.watching import Activations, Hints


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
class ActivityRow:
    """A line was used or topped up on a local day of its owner; `at` (UTC) is when they said so.

    `days` is for how long what was paid keeps it, None when that follows from the rule.
    """

    sim_id: str
    kind: Activity
    day: date
    days: int | None
    at: datetime


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
    async def many(self, chat_ids: Collection[int]) -> dict[int, Chat]:
        """Those that are known, by their ids."""
        ...

    async def named(self, name: str, limit: int) -> list[Chat]:
        """Private chats whose first name or username has that, in any case."""
        ...

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
    async def many(self, sim_ids: Collection[str]) -> list[Sim]: ...
    async def owned(self, chat_id: int) -> list[Sim]:
        """The chat's SIMs that were not removed."""
        ...

    async def ending(self, tail: str, limit: int) -> list[Sim]:
        """Owned SIMs whose ICCID or number ends so."""
        ...

    async def add(self, sim: Sim) -> bool:
        """False when this owner already has that ICCID or number."""
        ...

    async def stock(self, *, iccid: str | None, msisdn: str | None) -> Sim | None:
        """The managed SIM with that ICCID (with or without its check digit) or number."""
        ...

    async def update(self, sim_id: str, version: int, **changes: Any) -> bool:
        """Compare-and-set on the version, which grows by one; False when it had moved.

        With a SIM's owner its history goes: nobody sees what another one used.
        """
        ...

    async def add_reading(self, sim_id: str, reading: Reading) -> None:
        """Keep a reading and make it the SIM's newest; its dates become the SIM's where told."""
        ...

    async def history(self, sim_id: str, since: datetime) -> list[Reading]:
        """Readings taken since then, oldest first."""
        ...

    async def soon(self, chat_ids: Collection[int], before: datetime) -> list[Sim]:
        """The SIMs of these people whose next_reminder_at comes before that moment."""
        ...

    async def set_next_reminders(self, moments: Mapping[str, datetime | None]) -> None:
        """When the reminding tick has to look at each again; None for never."""
        ...

    async def due(self, now: datetime, limit: int) -> list[Sim]:
        """SIMs whose next_reminder_at <= now and whose chat can be written to, oldest first."""
        ...

    async def next_due(self) -> datetime | None:
        """The smallest next_reminder_at there is."""
        ...

    async def of_supplier(
        self, supplier: str, supplier_ref: str | None, iccid: str | None
    ) -> Sim | None:
        """The supplier's managed SIM of that name there, else of that ICCID."""
        ...

    async def to_read(self, now: datetime, limit: int) -> list[tuple[Sim, int]]:
        """Owned managed SIMs whose next reading is due, the longest due first, each with how
        often reading it has failed in a row."""
        ...

    async def next_to_read(self) -> datetime | None: ...
    async def plan_reads(self, moments: Mapping[str, datetime]) -> None:
        """When to read each next, unless readings of it fail."""
        ...

    async def set_next_read(self, sim_id: str, at: datetime, failures: int = 0) -> None: ...
    async def purge_readings(self, before: datetime) -> int:
        """Forget readings taken before that moment; how many went. A SIM keeps its newest."""
        ...

    async def kept(self) -> list[Sim]:
        """Owned SIMs with a rule or a keep-number deadline."""
        ...


class Activities(Protocol):
    async def add(self, row: ActivityRow) -> bool:
        """False when that kind of activity is known of that day."""
        ...

    async def remove(self, sim_id: str, kind: Activity, day: date) -> bool: ...
    async def of(self, sim_id: str) -> list[ActivityRow]:
        """The latest day first."""
        ...


class Rules(Protocol):
    """What the operator says of carriers, by `domain.rules.override_key`."""

    async def get(self, carrier: str) -> Overridden | None: ...
    async def all(self) -> list[Overridden]: ...
    async def set(self, said: Overridden) -> None: ...
    async def remove(self, carrier: str) -> bool: ...


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


class Handovers(Protocol):
    async def add(self, handover: Handover) -> None: ...
    async def get(self, handover_id: str) -> Handover | None: ...
    async def of_code(self, code_hash: str) -> Handover | None: ...
    async def open_of(self, sim_id: str) -> Handover | None:
        """The SIM's open one; it may have lapsed."""
        ...

    async def move(
        self, handover_id: str, old: HandoverState, new: HandoverState, **changes: Any
    ) -> bool: ...


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

    async def claim(
        self,
        now: datetime,
        limit: int,
        *,
        by: str = "",
        until: datetime | None = None,
        longest: int = 0,
        without: Collection[int] = (),
        among: tuple[Priority, Priority] = (Priority.PAYMENT, Priority.BROADCAST),
    ) -> list[Notice]:
        """Take the most urgent sendable ones, at most one a chat and none of a chat that has
        one claimed; they count as being sent `by` that instance `until` its lease is over.

        `longest` of them are those that wait longest, of whatever class: so nobody waits for
        ever. None of the chats `without`; only classes from the first to the last `among`
        them.
        """
        ...

    async def claimed(self) -> list[Notice]:
        """Those being sent, by any instance."""
        ...

    async def take_over(
        self, now: datetime, by: str, until: datetime, *, own: bool
    ) -> list[Notice]:
        """Claim again what was claimed and whose lease is over; with `own`, at a start, also what
        a former process of this name left behind."""
        ...

    async def settle(
        self,
        notice_id: int,
        outcome: Outcome,
        at: datetime,
        message_id: int | None = None,
        detail: str | None = None,
        by: str | None = None,
    ) -> bool:
        """Record what became of a claimed notice; False when another instance `by` now has it."""
        ...

    async def sent(self, messages: Mapping[int, int | None], at: datetime, by: str) -> int:
        """Settle those of many that were sent `by` this instance, with their messages' ids; how
        many it still had."""
        ...

    async def release(
        self,
        notice_id: int,
        not_before: datetime,
        *,
        doubtful: bool = False,
        by: str | None = None,
    ) -> bool:
        """Back into the queue, one try more; `doubtful` when it may have arrived."""
        ...

    async def next_due(self) -> datetime | None:
        """When the next queued notice may be sent; None when the queue is empty."""
        ...

    async def backlog(self, now: datetime) -> list[Backlog]:
        """What is in the queue, by class."""
        ...

    async def purge(self, before: datetime, kinds: Collection[str], limit: int) -> int:
        """Forget at most so many of these kinds that were sent or dropped before that moment; how
        many went."""
        ...

    async def outcomes(self, since: datetime) -> Mapping[Outcome, int]:
        """How many ended how since then."""
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
    activities: Activities
    activations: Activations
    hints: Hints
    rules: Rules
    claims: Claims
    handovers: Handovers
    catalogue: Catalogue
    quotes: Quotes
    orders: Orders
    payments: Payments
    refunds: Refunds
    renewals: Renewals
    requests: Requests
    deposits: Deposits
    ledger: Ledger
    proofs: Proofs
    saved: SavedMethods
    removals: Removals
    rates: ExchangeRates
    topups: TopUps
    vouchers: Vouchers
    promos: Promos
    points: Points
    groups: Groups
    campaigns: Campaigns
    posts: Posts
    earnings: Earnings
    broadcasts: Broadcasts
    reminders: Reminders
    calendars: Calendars
    differences: Differences
    inbox: Inbox
    outbox: Outbox
    talks: Talks
    audit: Audit
    personal: PersonalData


class Store(Protocol):
    """The database."""

    def write(self) -> AbstractAsyncContextManager[Tx]:
        """A writing transaction: committed on leaving, rolled back when an exception leaves."""
        ...

    def read(self) -> AbstractAsyncContextManager[Tx]:
        """A consistent look; writing in it raises."""
        ...
