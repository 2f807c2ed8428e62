"""Chats, SIMs, and how SIMs are proved and kept."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Time,
    UniqueConstraint,
    text,
    true,
)

from bot.domain.handover import HandoverState
from bot.domain.rules import Activity
from bot.domain.sims import SimForm, Source, Tracking
from bot.ports import Wait
from bot.store.tables.base import (
    BIG,
    OFFSETS,
    OVERRIDE,
    OWN,
    READING,
    RULE,
    key,
    metadata,
    partial,
    seq,
)
from bot.store.types import Json, Sealed, UtcDateTime, Word

chats = Table(
    "chats",
    metadata,
    Column("id", BIG, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("language", String, nullable=False),
    Column("language_chosen", Boolean, nullable=False),
    Column("zone", String, nullable=False),
    Column("zone_confirmed", Boolean, nullable=False),
    Column("hour", Integer, nullable=False),
    Column("quiet_start", Time, nullable=False),
    Column("quiet_end", Time, nullable=False),
    Column("urgent_override", Boolean, nullable=False),
    Column("offsets", Json(OFFSETS), nullable=False),
    Column("on", Boolean, nullable=False),
    Column("digest", Boolean, nullable=False),
    Column("news", Boolean, nullable=False, server_default=true()),
    Column("first_name", String),
    Column("username", String),
    Column("blocked_at", UtcDateTime),
    Column("migrated_to", BigInteger),
    Column("wrong_claims", Integer, nullable=False, default=0),
    Column("claims_locked_until", UtcDateTime),
    Column("created_at", UtcDateTime),
)

calendars = Table(
    "calendars",
    metadata,
    Column("chat_id", BigInteger, ForeignKey("chats.id"), primary_key=True, autoincrement=False),
    # Who knows it reads the dates of the chat's SIMs: part of an address handed out.
    Column("token", Sealed("calendars.token"), nullable=False, unique=True),
)

sims = Table(
    "sims",
    metadata,
    seq(),
    key(),
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
    Column("activation_code", Sealed("sims.activation_code")),
    Column("nickname", String),
    Column("expiry", UtcDateTime),
    Column("grace_end", UtcDateTime),
    Column("dates_source", Word(Source), nullable=False),
    Column("rule", Json(RULE)),
    Column("reading", Json(READING)),  # the newest one; all of them are in `readings`
    Column("read_at", UtcDateTime, nullable=False),  # its taken_at, or the epoch
    Column("last_plan", String),
    Column("reminders_stopped", Boolean, nullable=False),
    Column("snoozed_until", UtcDateTime),
    Column("next_reminder_at", UtcDateTime),
    Column("removed_at", UtcDateTime),
    Column("created_at", UtcDateTime),
    Column("keep_deadline", UtcDateTime),
    Column("deadline_source", Word(Source)),
    Column("device", Sealed("sims.device")),
    Column("imei", Sealed("sims.imei")),
    Column("own", Json(OWN)),  # how to remind of this one
    # The epoch: at once. Counted only while a supplier can be asked on behalf of an owner.
    Column(
        "next_read_at", UtcDateTime, nullable=False, server_default=text("'1970-01-01 00:00:00+00'")
    ),
    Column("read_failures", Integer, nullable=False, server_default=text("0")),  # in a row
)
partial("ix_sims_next_reminder_at", sims.c.next_reminder_at,
       where="next_reminder_at IS NOT NULL")  # fmt: skip
partial("uq_sims_owner_iccid", sims.c.owner_id, sims.c.iccid,
       where="removed_at IS NULL", unique=True)  # fmt: skip
partial("uq_sims_owner_msisdn", sims.c.owner_id, sims.c.msisdn,
       where="removed_at IS NULL", unique=True)  # fmt: skip
# One managed SIM per ICCID in the whole shop: who owns it must never be ambiguous.
partial("uq_sims_managed_iccid", sims.c.iccid,
       where="tracking = 'managed' AND removed_at IS NULL", unique=True)  # fmt: skip
partial("ix_sims_managed_msisdn", sims.c.msisdn,
       where="tracking = 'managed' AND removed_at IS NULL")  # fmt: skip
partial("ix_sims_next_read_at", sims.c.next_read_at, where="tracking = 'managed'"
       " AND removed_at IS NULL AND owner_id IS NOT NULL")  # fmt: skip
partial("ix_sims_supplier_ref", sims.c.supplier, sims.c.supplier_ref,
       where="tracking = 'managed' AND removed_at IS NULL")  # fmt: skip

readings = Table(
    "readings",
    metadata,
    seq(),
    Column("sim_id", String, ForeignKey("sims.id"), nullable=False),
    Column("taken_at", UtcDateTime, nullable=False),
    Column("source", Word(Source), nullable=False),
    Column("reading", Json(READING), nullable=False),
    Index(None, "sim_id", "taken_at"),
)

activations = Table(
    "activations",
    metadata,
    seq(),
    key(),
    Column("sim_id", String, ForeignKey("sims.id"), nullable=False, index=True),
    Column("chat_id", BigInteger, ForeignKey("chats.id"), nullable=False),
    Column("state", Word(Wait), nullable=False, index=True),
    Column("since", UtcDateTime, nullable=False),
    Column("next_at", UtcDateTime),
)
partial("ix_activations_next_at", activations.c.next_at, where="next_at IS NOT NULL")
partial("uq_activations_open", activations.c.sim_id,
       where="state IN ('watched', 'told', 'escalated')", unique=True)  # fmt: skip

activities = Table(
    "activities",
    metadata,
    seq(),
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
    Column("fields", Json(OVERRIDE), nullable=False),
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
    seq(),
    key(),
    Column("chat_id", BigInteger, ForeignKey("chats.id"), nullable=False),
    Column("sim_id", String, ForeignKey("sims.id"), nullable=False),
    Column("state", String, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
partial("uq_claims_waiting", claims.c.chat_id, claims.c.sim_id,
       where="state = 'waiting'", unique=True)  # fmt: skip

handovers = Table(
    "handovers",
    metadata,
    Column("id", String, primary_key=True),
    Column("sim_id", String, ForeignKey("sims.id"), nullable=False),
    Column("from_chat", BigInteger, ForeignKey("chats.id"), nullable=False),
    Column("code_hash", String, nullable=False, unique=True),
    Column("state", Word(HandoverState), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("to_chat", BigInteger, ForeignKey("chats.id")),
    Column("new_sim_id", String, ForeignKey("sims.id")),
)
partial("uq_handovers_open", handovers.c.sim_id,
       where="state IN ('offered', 'asked')", unique=True)  # fmt: skip
