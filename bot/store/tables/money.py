"""The wallets' books, and proofs of transfers."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    String,
    Table,
)

from bot.domain.ledger import EntryKind
from bot.domain.transfers import ProofState
from bot.store.tables.base import key, metadata, partial, seq
from bot.store.types import Sealed, UtcDateTime, Word

entries = Table(
    "entries",
    metadata,
    seq(),
    Column("key", String, nullable=False, unique=True),
    Column("kind", Word(EntryKind), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("about", String),
)

postings = Table(
    "postings",
    metadata,
    seq(),
    Column("entry", String, ForeignKey("entries.key"), nullable=False, index=True),
    Column("account", String, nullable=False),
    Column("minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Index("ix_postings_account", "account", "seq"),
)

balances = Table(
    "balances",
    metadata,
    Column("account", String, primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("minor", BigInteger, nullable=False),
    # What a wallet can't hold the database refuses, whoever writes.
    CheckConstraint("minor >= 0 OR account NOT LIKE 'wallet:%'", name="ck_balances_wallets"),
)

proofs = Table(
    "proofs",
    metadata,
    seq(),
    key(),
    Column("update_id", BigInteger, unique=True),
    Column("payment_id", String, ForeignKey("payments.id"), nullable=False, index=True),
    Column("chat_id", BigInteger, nullable=False),
    Column("state", Word(ProofState), nullable=False),
    Column("file_id", Sealed("proofs.file_id"), nullable=False),
    Column("photo", Boolean, nullable=False),
    Column("sha256", String, nullable=False, index=True),
    Column("look", String, nullable=False),
    Column("number", Sealed("proofs.number"), index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("decided_at", UtcDateTime),
    Column("reason", String),
)
partial("uq_proofs_waiting", proofs.c.payment_id, where="state = 'waiting'", unique=True)
