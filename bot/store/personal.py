"""Every place where something of a person is kept, and what becomes of it when they ask to be
forgotten. The one list: a table that names a chat and is missing here fails the tests.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, or_, select

from bot.domain.ledger import wallet
from bot.store import tables as t


class Fate(StrEnum):
    """What /forget does with a person's rows."""

    ERASED = "erased"
    ANONYMISED = "anonymised"  # the person is taken out of the row, the row stays
    KEPT = "kept"  # there is nothing of the person in it but what `why` tells


@dataclass(frozen=True, slots=True)
class Place:
    """One table. `of` finds a person's rows, `chat` is the column that says whose they are."""

    table: Table
    fate: Fate
    of: Callable[[int], ColumnElement[bool]]
    chat: str | None = None
    why: str = ""
    """Why it has to stay."""
    blanks: Mapping[str, Any] = field(default_factory=dict)
    """What stands in its columns afterwards."""
    hidden: frozenset[str] = frozenset()
    """Columns that are the shop's, a provider's or only our own, and not part of a copy."""


MARK = "forgotten"
"""The deed in the audit log, with a person's sealed id, that alone is kept of somebody forgotten
who has bought: a gift for new customers is given once."""


def own_sims(me: int) -> Select[str]:
    """Ids of the person's SIMs, removed ones too."""
    return select(t.sims.c.id).where(t.sims.c.owner_id == me)


def own_orders(me: int) -> Select[str]:
    """Ids of the person's orders."""
    return select(t.orders.c.id).where(t.orders.c.chat_id == me)


def own_payments(me: int) -> Select[str]:
    """Ids of the person's attempts to pay."""
    return select(t.payments.c.id).where(t.payments.c.chat_id == me)


def named(me: int) -> str:
    """The person in the inbox's lanes and where deeds are written down."""
    return f"chat:{me}"


def marked(me: int) -> ColumnElement[bool]:
    """Whether a row of the audit log is the person's mark."""
    return and_(t.audit.c.action == MARK, t.audit.c.subject == named(me))


def _by(table: Table, column: str) -> Callable[[int], ColumnElement[bool]]:
    return lambda me: table.c[column] == me


def _of_sims(table: Table) -> Callable[[int], ColumnElement[bool]]:
    return lambda me: table.c.sim_id.in_(own_sims(me))


def _of_agreements(me: int) -> ColumnElement[bool]:
    mine = select(t.agreements.c.id).where(t.agreements.c.chat_id == me)
    return t.runs.c.agreement_id.in_(mine)


def _of_handovers(me: int) -> ColumnElement[bool]:
    h = t.handovers.c
    mine = own_sims(me)
    return or_(h.from_chat == me, h.to_chat == me, h.sim_id.in_(mine), h.new_sim_id.in_(mine))


_E, _A, _K = Fate.ERASED, Fate.ANONYMISED, Fate.KEPT
_SOLD = "books of what was sold are kept as tax law asks"
_LATE = "money that comes late, a dispute or a refund must find its payment"
_POSTS = "what stands in a group still sells until it is ended there"

PLACES: tuple[Place, ...] = (
    # In an order in which nothing is erased before what refers to it.
    Place(t.chats, _E, _by(t.chats, "id"), hidden=frozenset({"migrated_to"})),
    Place(t.calendars, _E, _by(t.calendars, "chat_id"), "chat_id", hidden=frozenset({"token"})),
    Place(t.recipients, _E, _by(t.recipients, "chat_id"), "chat_id",
          hidden=frozenset({"id", "broadcast_id", "outbox_id", "due_at"})),
    Place(t.broadcasts, _A, _by(t.broadcasts, "by"), "by", "what the shop wrote to its customers",
          {"message_id": None},
          frozenset({"update_id", "version", "photo", "cursor", "taken", "message_id", "told_at",
                     "tellings", "shown"})),
    Place(t.drafts, _E, _by(t.drafts, "user_id")),
    Place(t.conversations, _E, lambda me: t.conversations.c.key == f"{me},{me}"),
    Place(t.inbox, _E, lambda me: t.inbox.c.lane == named(me),
          hidden=frozenset({"lane", "update_id", "done_at", "error_id"})),
    Place(t.outbox, _E, _by(t.outbox, "chat_id"), "chat_id",
          hidden=frozenset({"dedupe_key", "priority", "tries", "not_before", "claimed_at",
                            "detail", "id"})),
    Place(t.activations, _E,
          lambda me: or_(t.activations.c.chat_id == me, t.activations.c.sim_id.in_(own_sims(me))),
          "chat_id"),
    Place(t.claims, _E, _by(t.claims, "chat_id"), "chat_id"),
    Place(t.handovers, _E, _of_handovers, hidden=frozenset({"code_hash", "from_chat", "to_chat"})),
    Place(t.activities, _E, _of_sims(t.activities)),
    Place(t.reminders, _E, _of_sims(t.reminders)),
    Place(t.readings, _E, _of_sims(t.readings)),
    Place(t.saved, _E, _by(t.saved, "chat_id"), "chat_id", hidden=frozenset({"token"})),
    Place(t.group_admins, _E, _by(t.group_admins, "user_id"), "user_id"),
    Place(t.groups, _A, _by(t.groups, "added_by"), "added_by", "the group is others' as well",
          {}, frozenset({"chat_id"})),
    Place(t.visits, _A, _by(t.visits, "chat_id"), "chat_id",
          "how many came from a post; who they were is nowhere"),
    Place(t.earnings, _A, _by(t.earnings, "by"), "by", "books of what was earned and paid out"),
    Place(t.posts, _A, _by(t.posts, "by"), "by", _POSTS, {},
          frozenset({"shown", "edits", "look_at", "message_id"})),
    Place(t.group_postings, _A, _by(t.group_postings, "by"), "by", _POSTS,
          {"extra": None, "update_id": None}, frozenset({"update_id", "thread_id"})),
    Place(t.runs, _A, _of_agreements, None, _LATE),
    Place(t.agreements, _A, _by(t.agreements, "chat_id"), "chat_id", _LATE,
          {"saved_id": None, "subscription": None}, frozenset({"subscription", "saved_id"})),
    Place(t.refund_requests, _A, _by(t.refund_requests, "chat_id"), "chat_id", _SOLD,
          {"words": "", "answer": None}, frozenset({"update_id", "decided_by"})),
    Place(t.proofs, _A, _by(t.proofs, "chat_id"), "chat_id",
          "a proof must not pay twice, whoever sends it", {"file_id": "", "update_id": None},
          frozenset({"file_id", "sha256", "look", "update_id"})),
    Place(t.points, _A, _by(t.points, "chat_id"), "chat_id", _SOLD, {},
          frozenset({"drawn", "turn"})),
    Place(t.promo_uses, _A, _by(t.promo_uses, "chat_id"), "chat_id", _SOLD),
    Place(t.promo_bans, _K, lambda me: t.promo_bans.c.person == named(me), None,
          "who misused offers gets none when they come back", {}, frozenset({"person"})),
    Place(t.promo_people, _A, _by(t.promo_people, "chat_id"), "chat_id", _SOLD),
    Place(t.topups, _A, lambda me: t.topups.c.order_id.in_(own_orders(me)), None, _SOLD,
          {"pin": None},
          frozenset({"supplier", "supplier_code", "supplier_ref", "max_cost_minor",
                     "max_cost_currency", "tries", "next_at", "resubmitted"})),
    Place(t.vouchers, _K, lambda me: t.vouchers.c.order_id.in_(own_orders(me)), None, _SOLD, {},
          frozenset({"code_hash", "batch"})),
    Place(t.claim_codes, _A, _by(t.claim_codes, "used_by"), "used_by",
          "a used code must not open again", {}, frozenset({"code_hash"})),
    Place(t.refunds, _K, lambda me: t.refunds.c.payment_id.in_(own_payments(me)), None, _SOLD, {},
          frozenset({"tries", "next_at"})),
    Place(t.payments, _A, _by(t.payments, "chat_id"), "chat_id", f"{_SOLD}; {_LATE}",
          {"payer_id": None, "url": None, "saved_id": None},
          frozenset({"charge_id", "provider_ref", "url", "payer_id", "saved_id", "look_at",
                     "looks"})),
    Place(t.deposits, _A, _by(t.deposits, "chat_id"), "chat_id", _SOLD, {"message_id": None},
          frozenset({"message_id"})),
    Place(t.orders, _A, _by(t.orders, "chat_id"), "chat_id", _SOLD, {"message_id": None},
          frozenset({"message_id", "version"})),
    Place(t.quotes, _A, _by(t.quotes, "chat_id"), "chat_id", _SOLD, {"update_id": None},
          frozenset({"update_id", "version"})),
    Place(t.postings, _A, lambda me: t.postings.c.account == wallet(me), None, _SOLD),
    Place(t.balances, _A, lambda me: t.balances.c.account == wallet(me), None, _SOLD),
    Place(t.audit, _A,
          lambda me: or_(t.audit.c.actor == named(me), t.audit.c.subject == named(me)), None,
          "who did what to money and SIMs", {}, frozenset({"actor", "details"})),
    Place(t.transitions, _A, lambda me: t.transitions.c.actor == named(me), None,
          "who did what to money and SIMs", {}, frozenset({"actor"})),
    # A self-tracked SIM goes, a managed one is the shop's; one that was sold for stays masked.
    Place(t.sims, _A, _by(t.sims, "owner_id"), None, _SOLD, {},
          frozenset({"version", "supplier", "supplier_ref", "next_read_at", "read_failures",
                     "read_at"})),
)  # fmt: skip

IMPERSONAL: Mapping[str, str] = {
    "campaigns": "the shop's",
    "differences": "charges that fit no order; whose they are is not known",
    "entries": "says why money moved; whose it was stands in `postings`",
    "hints": "suppliers' calls, purged after 30 days",
    "plans": "the shop's",
    "promos": "the shop's",
    "rates": "the shop's",
    "removals": "a provider's key without a name, until it is deleted there",
    "rule_overrides": "the shop's",
    "seals": "says which columns are sealed",
    "topics": "names of a group's topics, as Telegram shows them to everybody there",
}
"""Tables with nothing of a customer in them, and why."""
