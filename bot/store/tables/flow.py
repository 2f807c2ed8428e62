"""What moves and what was done: reminders, inbox, outbox, conversations, transitions, audit."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from bot.store.tables.base import BIG, OBJECT, metadata, partial, seq
from bot.store.types import Json, Sealed, SealedJson, SealedText, UtcDateTime

reminders = Table(
    "reminders",
    metadata,
    seq(),
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
    Column("update_id", BIG, primary_key=True, autoincrement=False),
    Column("lane", String, nullable=False),
    Column("payload", SealedText("inbox.payload"), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("done_at", UtcDateTime),
    Column("error_id", String),
)
partial("ix_inbox_unfinished", inbox.c.received_at, inbox.c.update_id, where="done_at IS NULL")
partial("ix_inbox_done_at", inbox.c.done_at, where="done_at IS NOT NULL")

hints = Table(
    "hints",
    metadata,
    Column("id", BIG, primary_key=True, autoincrement=True),
    Column("supplier", String, nullable=False),
    Column("event_id", Sealed("hints.event_id"), nullable=False),
    Column("ref", String),
    Column("supplier_ref", Sealed("hints.supplier_ref")),
    Column("iccid", String),
    Column("received_at", UtcDateTime, nullable=False),
    Column("done_at", UtcDateTime),
    UniqueConstraint("supplier", "event_id"),
)
partial("ix_hints_waiting", hints.c.id, where="done_at IS NULL")
partial("ix_hints_done_at", hints.c.done_at, where="done_at IS NOT NULL")

outbox = Table(
    "outbox",
    metadata,
    Column("id", BIG, primary_key=True, autoincrement=True),
    Column("kind", String, nullable=False),
    Column("chat_id", BigInteger, nullable=False),
    Column("dedupe_key", Sealed("outbox.dedupe_key"), nullable=False, unique=True),
    Column("priority", Integer, nullable=False),
    Column("data", SealedJson("outbox.data", OBJECT), nullable=False),
    Column("not_before", UtcDateTime, nullable=False),  # the epoch: at once
    Column("expires_at", UtcDateTime),
    Column("state", String, nullable=False),  # queued, claimed, or the Outcome
    Column("tries", Integer, nullable=False),
    Column("due_at", UtcDateTime),  # since when it waits; none: for later, or not looked at
    Column("claimed_at", UtcDateTime),
    Column("claimed_by", String),
    Column("lease_until", UtcDateTime),
    Column("settled_at", UtcDateTime),
    Column("message_id", BigInteger),
    Column("detail", String),
)
partial("ix_outbox_queue", outbox.c.priority, outbox.c.id, where="state = 'queued'")
partial("ix_outbox_chat", outbox.c.chat_id, outbox.c.priority, outbox.c.id,
       where="state = 'queued'")  # fmt: skip
partial("ix_outbox_not_before", outbox.c.not_before, where="state = 'queued'")
partial("ix_outbox_expires_at", outbox.c.expires_at,
       where="state = 'queued' AND expires_at IS NOT NULL")  # fmt: skip
partial("ix_outbox_not_seen", outbox.c.not_before, where="state = 'queued' AND due_at IS NULL")
partial("ix_outbox_due_at", outbox.c.due_at, outbox.c.id,
       where="state = 'queued' AND due_at IS NOT NULL")  # fmt: skip
partial("ix_outbox_settled_at", outbox.c.settled_at, outbox.c.state,
       where="settled_at IS NOT NULL")  # fmt: skip
# The database itself refuses a second message under way to one chat.
partial("uq_outbox_claimed", outbox.c.chat_id, where="state = 'claimed'", unique=True)

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
    Column("user_id", BIG, primary_key=True, autoincrement=False),
    Column("draft", SealedJson("drafts.draft", OBJECT), nullable=False),
)

transitions = Table(
    "transitions",
    metadata,
    seq(),
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
    seq(),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String, nullable=False),
    Column("action", String, nullable=False),
    Column("subject", Sealed("audit.subject"), nullable=False),
    Column("details", Json(OBJECT), nullable=False),
)
