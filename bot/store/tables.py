"""Every table. A change here needs a new revision in `migrations/versions` (a test compares them).

Money takes two columns, `<name>_minor` and `<name>_currency`. Columns are called as the fields of
the frozen models that they hold. `seq` is the order of saving, where a clock may stand still.
"""

from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    Time,
    UniqueConstraint,
    text,
)

from bot.domain.orders import OrderState, PaymentState, TopUpState
from bot.domain.plans import Plan
from bot.domain.quotes import Rate
from bot.domain.rules import Activity, Override
from bot.domain.sales import Method, VoucherState
from bot.domain.sims import KeepRule, Reading, SimForm, Source, Tracking
from bot.store.types import Json, UtcDateTime, Word

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_PLAN = TypeAdapter(Plan)
_READING = TypeAdapter(Reading)
_RULE = TypeAdapter(KeepRule)
_RATE = TypeAdapter(Rate)
_OVERRIDE = TypeAdapter(Override)
_OFFSETS = TypeAdapter(tuple[int, ...])
_OBJECT = TypeAdapter(dict[str, Any])

# On SQLite only INTEGER keys count up by themselves and are the row's own address.
_BIG = BigInteger().with_variant(Integer, "sqlite")


def _seq() -> Column[int]:
    return Column("seq", _BIG, primary_key=True, autoincrement=True)


def _id() -> Column[str]:
    return Column("id", String, nullable=False, unique=True)


def _money(name: str, *, nullable: bool = False) -> tuple[Column[int], Column[str]]:
    return (
        Column(f"{name}_minor", BigInteger, nullable=nullable),
        Column(f"{name}_currency", String(3), nullable=nullable),
    )


def _index(name: str, *columns: Column[Any], where: str, unique: bool = False) -> Index:
    """A partial index, the same on both databases."""
    return Index(
        name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where)
    )


chats = Table(
    "chats",
    metadata,
    Column("id", _BIG, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("language", String, nullable=False),
    Column("language_chosen", Boolean, nullable=False),
    Column("zone", String, nullable=False),
    Column("zone_confirmed", Boolean, nullable=False),
    Column("hour", Integer, nullable=False),
    Column("quiet_start", Time, nullable=False),
    Column("quiet_end", Time, nullable=False),
    Column("urgent_override", Boolean, nullable=False),
    Column("offsets", Json(_OFFSETS), nullable=False),
    Column("on", Boolean, nullable=False),
    Column("digest", Boolean, nullable=False),
    Column("first_name", String),
    Column("username", String),
    Column("blocked_at", UtcDateTime),
    Column("migrated_to", BigInteger),
    Column("wrong_claims", Integer, nullable=False, default=0),
    Column("claims_locked_until", UtcDateTime),
    Column("created_at", UtcDateTime),
)

sims = Table(
    "sims",
    metadata,
    _seq(),
    _id(),
    Column("version", Integer, nullable=False),
    Column("owner_id", BigInteger, ForeignKey("chats.id")),
    Column("tracking", Word(Tracking), nullable=False),
    Column("form", Word(SimForm), nullable=False),
    Column("carrier", String, nullable=False),
    Column("supplier", String, nullable=False),
    Column("supplier_ref", String),
    Column("country", String),
    Column("iccid", String),
    Column("msisdn", String),
    Column("activation_code", String),
    Column("nickname", String),
    Column("expiry", UtcDateTime),
    Column("grace_end", UtcDateTime),
    Column("dates_source", Word(Source), nullable=False),
    Column("rule", Json(_RULE)),
    Column("reading", Json(_READING)),  # the newest one; all of them are in `readings`
    Column("read_at", UtcDateTime, nullable=False),  # its taken_at, or the epoch
    Column("last_plan", String),
    Column("reminders_stopped", Boolean, nullable=False),
    Column("snoozed_until", UtcDateTime),
    Column("next_reminder_at", UtcDateTime),
    Column("removed_at", UtcDateTime),
    Column("created_at", UtcDateTime),
    Column("keep_deadline", UtcDateTime),
    Column("deadline_source", Word(Source)),
    Column("device", String),
    Column("imei", String),
)
_index("ix_sims_next_reminder_at", sims.c.next_reminder_at,
       where="next_reminder_at IS NOT NULL")  # fmt: skip
_index("uq_sims_owner_iccid", sims.c.owner_id, sims.c.iccid,
       where="removed_at IS NULL", unique=True)  # fmt: skip
_index("uq_sims_owner_msisdn", sims.c.owner_id, sims.c.msisdn,
       where="removed_at IS NULL", unique=True)  # fmt: skip
# One managed SIM per ICCID in the whole shop: who owns it must never be ambiguous.
_index("uq_sims_managed_iccid", sims.c.iccid,
       where="tracking = 'managed' AND removed_at IS NULL", unique=True)  # fmt: skip
_index("ix_sims_managed_msisdn", sims.c.msisdn,
       where="tracking = 'managed' AND removed_at IS NULL")  # fmt: skip
_index("ix_sims_to_read", sims.c.read_at, where="tracking = 'managed' AND removed_at IS NULL"
       " AND owner_id IS NOT NULL")  # fmt: skip

readings = Table(
    "readings",
    metadata,
    _seq(),
    Column("sim_id", String, ForeignKey("sims.id"), nullable=False),
    Column("taken_at", UtcDateTime, nullable=False),
    Column("source", Word(Source), nullable=False),
    Column("reading", Json(_READING), nullable=False),
    Index(None, "sim_id", "taken_at"),
)

activities = Table(
    "activities",
    metadata,
    _seq(),
    Column("sim_id", String, ForeignKey("sims.id"), nullable=False),
    Column("kind", Word(Activity), nullable=False),
    Column("day", Date, nullable=False),  # of the owner's zone
    Column("days", Integer),  # how long what was paid keeps it; the rule's own length without
    Column("at", UtcDateTime, nullable=False),  # when they said so
    UniqueConstraint("sim_id", "kind", "day"),
)

rule_overrides = Table(
    "rule_overrides",
    metadata,
    Column("carrier", String, primary_key=True),
    Column("fields", Json(_OVERRIDE), nullable=False),
    Column("by", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

claim_codes = Table(
    "claim_codes",
    metadata,
    Column("code_hash", String, primary_key=True),
    Column("sim_id", String, ForeignKey("sims.id"), nullable=False, index=True),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_by", BigInteger),
    Column("used_at", UtcDateTime),
)

claims = Table(
    "claims",
    metadata,
    _seq(),
    _id(),
    Column("chat_id", BigInteger, ForeignKey("chats.id"), nullable=False),
    Column("sim_id", String, ForeignKey("sims.id"), nullable=False),
    Column("state", String, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
_index("uq_claims_waiting", claims.c.chat_id, claims.c.sim_id,
       where="state = 'waiting'", unique=True)  # fmt: skip

plans = Table(
    "plans",
    metadata,
    Column("code", String, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("carrier", String, nullable=False, index=True),
    Column("active", Boolean, nullable=False),
    Column("position", Integer, nullable=False),  # order in the operator's file
    Column("plan", Json(_PLAN), nullable=False),
)

quotes = Table(
    "quotes",
    metadata,
    _seq(),
    _id(),
    Column("version", Integer, nullable=False),
    Column("update_id", BigInteger, unique=True),
    Column("chat_id", BigInteger, ForeignKey("chats.id"), nullable=False),
    Column("sim_id", String, ForeignKey("sims.id"), nullable=False),
    Column("plan", Json(_PLAN), nullable=False),
    *_money("price"),
    Column("rate", Json(_RATE)),
    *_money("stars", nullable=True),
    Column("old_expiry", UtcDateTime),
    Column("new_expiry", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

orders = Table(
    "orders",
    metadata,
    _seq(),
    _id(),
    Column("version", Integer, nullable=False),
    Column("state", Word(OrderState), nullable=False),
    Column("quote_id", String, ForeignKey("quotes.id"), nullable=False, unique=True),
    Column("chat_id", BigInteger, ForeignKey("chats.id"), nullable=False, index=True),
    Column("sim_id", String, ForeignKey("sims.id"), nullable=False, index=True),
    Column("plan", Json(_PLAN), nullable=False),
    *_money("price"),
    Column("old_expiry", UtcDateTime),
    Column("new_expiry", UtcDateTime),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("message_id", BigInteger),
    Column("paid_at", UtcDateTime),
    Column("fulfilled_at", UtcDateTime),
    *_money("charge", nullable=True),
    Column("method", Word(Method)),
    Column("reason", String),
    Index(None, "state", "expires_at"),
)

payments = Table(
    "payments",
    metadata,
    _seq(),
    _id(),
    Column("order_id", String, ForeignKey("orders.id"), nullable=False, index=True),
    Column("chat_id", BigInteger, nullable=False),
    Column("method", Word(Method), nullable=False),
    Column("state", Word(PaymentState), nullable=False),
    *_money("amount"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("charge_id", String, unique=True),
    Column("captured_at", UtcDateTime),
    *_money("captured", nullable=True),
    Column("payer_id", BigInteger),
    Index("ix_payments_state", "state", "order_id", "captured_at", "seq"),
)

topups = Table(
    "topups",
    metadata,
    _seq(),
    _id(),
    Column("order_id", String, ForeignKey("orders.id"), nullable=False, index=True),
    Column("sim_id", String, ForeignKey("sims.id"), nullable=False),
    Column("supplier", String, nullable=False),
    Column("supplier_code", String, nullable=False),
    Column("state", Word(TopUpState), nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
    *_money("amount", nullable=True),
    *_money("max_cost", nullable=True),
    Column("before", Json(_READING)),
    Column("after", Json(_READING)),
    Column("supplier_ref", String),
    Column("tries", Integer, nullable=False),
    Column("next_at", UtcDateTime),
    Column("reason", String),
)
_index("ix_topups_next_at", topups.c.next_at, where="next_at IS NOT NULL")

vouchers = Table(
    "vouchers",
    metadata,
    _seq(),
    _id(),
    Column("code_hash", String, nullable=False, unique=True),
    Column("batch", String, nullable=False, index=True),
    Column("state", Word(VoucherState), nullable=False),
    *_money("value"),
    Column("hint", String, nullable=False),
    Column("plan_code", String),
    Column("order_id", String, ForeignKey("orders.id"), unique=True),
    Column("expires_at", UtcDateTime),
    Column("redeemed_at", UtcDateTime),
)

promos = Table(
    "promos",
    metadata,
    Column("code", String, primary_key=True),
    Column("title", String, nullable=False),
    Column("starts_at", UtcDateTime),
    Column("ends_at", UtcDateTime),
    Column("active", Boolean, nullable=False),
)

reminders = Table(
    "reminders",
    metadata,
    _seq(),
    Column("sim_id", String, ForeignKey("sims.id"), nullable=False),
    Column("cycle", String, nullable=False),
    Column("stage", String, nullable=False),
    Column("sent", Boolean, nullable=False),  # False: settled without a message
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("sim_id", "cycle", "stage"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("update_id", _BIG, primary_key=True, autoincrement=False),
    Column("lane", String, nullable=False),
    Column("payload", Text, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("done_at", UtcDateTime),
    Column("error_id", String),
)
_index("ix_inbox_unfinished", inbox.c.received_at, inbox.c.update_id, where="done_at IS NULL")
_index("ix_inbox_done_at", inbox.c.done_at, where="done_at IS NOT NULL")

outbox = Table(
    "outbox",
    metadata,
    Column("id", _BIG, primary_key=True, autoincrement=True),
    Column("kind", String, nullable=False),
    Column("chat_id", BigInteger, nullable=False),
    Column("dedupe_key", String, nullable=False, unique=True),
    Column("priority", Integer, nullable=False),
    Column("data", Json(_OBJECT), nullable=False),
    Column("not_before", UtcDateTime, nullable=False),  # the epoch: at once
    Column("expires_at", UtcDateTime),
    Column("state", String, nullable=False),  # queued, claimed, or the Outcome
    Column("tries", Integer, nullable=False),
    Column("claimed_at", UtcDateTime),
    Column("settled_at", UtcDateTime),
    Column("message_id", BigInteger),
    Column("detail", String),
)
_index("ix_outbox_queue", outbox.c.priority, outbox.c.id, where="state = 'queued'")
_index("ix_outbox_chat", outbox.c.chat_id, outbox.c.priority, outbox.c.id,
       where="state = 'queued'")  # fmt: skip
_index("ix_outbox_not_before", outbox.c.not_before, where="state = 'queued'")
_index("ix_outbox_expires_at", outbox.c.expires_at,
       where="state = 'queued' AND expires_at IS NOT NULL")  # fmt: skip
# The database itself refuses a second message under way to one chat.
_index("uq_outbox_claimed", outbox.c.chat_id, where="state = 'claimed'", unique=True)

conversations = Table(
    "conversations",
    metadata,
    Column("name", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("state", Integer, nullable=False),
)

drafts = Table(
    "drafts",
    metadata,
    Column("user_id", _BIG, primary_key=True, autoincrement=False),
    Column("draft", Json(_OBJECT), nullable=False),
)

transitions = Table(
    "transitions",
    metadata,
    _seq(),
    Column("machine", String, nullable=False),  # order, payment, topup
    Column("subject_id", String, nullable=False),
    Column("old", String, nullable=False),
    Column("new", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String, nullable=False),
    Index(None, "machine", "subject_id"),
)

audit = Table(
    "audit",
    metadata,
    _seq(),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String, nullable=False),
    Column("action", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("details", Json(_OBJECT), nullable=False),
)
