"""Promos and their uses, and the ledger of points."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from bot.domain.points import Effect
from bot.store.tables.base import DRAWN, PROMO, metadata, partial, seq
from bot.store.types import Json, Sealed, UtcDateTime, Word

promos = Table(
    "promos",
    metadata,
    Column("code", String, primary_key=True),  # the name in the operator's file
    Column("version", Integer, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("position", Integer, nullable=False),  # order in the operator's file
    Column("typed", String),  # what a customer types
    Column("total", Integer),
    Column("used", Integer, nullable=False, server_default="0"),
    Column("promo", Json(PROMO), nullable=False),
)
partial("uq_promos_typed", promos.c.typed, where="typed IS NOT NULL AND active", unique=True)

promo_people = Table(
    "promo_people",
    metadata,
    Column("promo_id", String, ForeignKey("promos.code"), primary_key=True),
    Column("chat_id", BigInteger, primary_key=True),
    Column("used", Integer, nullable=False, server_default="0"),
)

# People whom the operator gives no offers any more; it outlives their /forget.
promo_bans = Table(
    "promo_bans",
    metadata,
    seq(),
    Column("person", Sealed("promo_bans.person"), nullable=False, unique=True),
    Column("at", UtcDateTime, nullable=False),
)

promo_uses = Table(
    "promo_uses",
    metadata,
    seq(),
    Column("promo_id", String, ForeignKey("promos.code"), nullable=False),
    Column("order_id", String, ForeignKey("orders.id"), nullable=False),
    Column("chat_id", BigInteger, nullable=False),
    Column("held", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("order_id", "promo_id"),
)

points = Table(
    "points",
    metadata,
    seq(),
    Column("chat_id", BigInteger, ForeignKey("chats.id"), nullable=False),
    Column("order_id", String, ForeignKey("orders.id")),
    Column("effect", Word(Effect), nullable=False),
    # Of points spent how often that was done before, as late money spends them again; of points
    # taken back how many of the order's had to go by then.
    Column("turn", Integer, nullable=False, server_default="0"),
    Column("amount", Integer, nullable=False),
    Column("left", Integer, nullable=False, server_default="0"),  # of points that came
    Column("expires_at", UtcDateTime),
    Column("drawn", Json(DRAWN)),  # of points that went: how many of which row
    Column("at", UtcDateTime, nullable=False),
    CheckConstraint('"left" >= 0', name="ck_points_left"),
    UniqueConstraint("order_id", "effect", "turn"),
    Index(None, "chat_id", "expires_at"),
)
