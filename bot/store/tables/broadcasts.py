"""News to many at once: what is written, and who gets it."""

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

from bot.domain.broadcasts import BroadcastState, Reached
from bot.store.tables.base import SEGMENT, TEXTS, key, metadata, partial, seq
from bot.store.types import Json, UtcDateTime, Word

broadcasts = Table(
    "broadcasts",
    metadata,
    seq(),
    key(),
    Column("update_id", BigInteger, nullable=False, unique=True),  # a replayed tap makes no second
    Column("version", Integer, nullable=False),
    Column("by", BigInteger, nullable=False),
    Column("state", Word(BroadcastState), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("segment", Json(SEGMENT), nullable=False),
    Column("texts", Json(TEXTS), nullable=False),
    Column("photo", String),
    Column("renew", Boolean, nullable=False),
    Column("start_at", UtcDateTime),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("cursor", BigInteger, nullable=False),
    Column("taken", Boolean, nullable=False),
    Column("people", Integer, nullable=False),
    Column("message_id", BigInteger),
    Column("told_at", UtcDateTime),
    Column("tellings", Integer, nullable=False),
    Column("shown", Integer, nullable=False),
)
partial("ix_broadcasts_live", broadcasts.c.seq, where="state IN ('scheduled', 'running')")

recipients = Table(
    "recipients",
    metadata,
    seq(),
    key(),
    Column("broadcast_id", String, ForeignKey("broadcasts.id"), nullable=False),
    Column("chat_id", BigInteger, ForeignKey("chats.id"), nullable=False, index=True),
    Column("state", Word(Reached), nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("outbox_id", BigInteger),
    Column("settled_at", UtcDateTime),
    Column("clicked_at", UtcDateTime),
    Column("left_at", UtcDateTime),
    UniqueConstraint("broadcast_id", "chat_id"),  # nobody gets it twice
    Index(None, "broadcast_id", "state"),
)
partial("ix_recipients_waiting", recipients.c.broadcast_id, recipients.c.due_at,
       where="state = 'waiting'")  # fmt: skip
partial("ix_recipients_queued", recipients.c.outbox_id, where="state = 'queued'")
