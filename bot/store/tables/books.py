"""What reconciliation found."""

from sqlalchemy import Column, String, Table, UniqueConstraint

from bot.domain.books import Gap
from bot.domain.sales import Method
from bot.store.tables.base import key, metadata, money, seq
from bot.store.types import Sealed, UtcDateTime, Word

differences = Table(
    "differences",
    metadata,
    seq(),
    key(),
    Column("gap", Word(Gap), nullable=False),
    Column("subject", Sealed("differences.subject"), nullable=False),
    Column("method", Word(Method)),
    *money("amount", nullable=True),
    Column("found_at", UtcDateTime, nullable=False),
    Column("settled_at", UtcDateTime),
    Column("settled_by", String),
    UniqueConstraint("gap", "subject"),
)
