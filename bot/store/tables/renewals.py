"""Renewals that pay by themselves."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    String,
    Table,
    UniqueConstraint,
    false,
)

from bot.domain.renewals import AgreementState, RunState
from bot.domain.sales import Method
from bot.store.tables.base import key, metadata, money, partial, seq
from bot.store.types import Sealed, UtcDateTime, Word

agreements = Table(
    "agreements",
    metadata,
    seq(),
    key(),
    Column("version", Integer, nullable=False),
    Column("state", Word(AgreementState), nullable=False),
    Column("sim_id", String, ForeignKey("sims.id"), nullable=False),
    Column("chat_id", BigInteger, ForeignKey("chats.id"), nullable=False, index=True),
    Column("plan_code", String, nullable=False),
    Column("method", Word(Method), nullable=False),
    *money("price"),
    *money("cap"),
    Column("terms", String, nullable=False),
    Column("accepted_at", UtcDateTime, nullable=False),
    *money("amount", nullable=True),
    Column("every", Integer),
    Column("due_at", UtcDateTime),
    Column("saved_id", String, ForeignKey("saved.id")),
    Column("order_id", String, ForeignKey("orders.id"), index=True),
    Column("subscription", Sealed("agreements.subscription")),
    Column("until", UtcDateTime),
    Column("unsubscribe", Boolean, nullable=False, server_default=false()),
    *money("asked", nullable=True),
    Column("next_at", UtcDateTime),
    Column("reason", String),
)
partial("uq_agreements_sim", agreements.c.sim_id, unique=True,
        where="state NOT IN ('cancelled', 'ended')")  # fmt: skip
partial("ix_agreements_next_at", agreements.c.next_at, where="next_at IS NOT NULL")

runs = Table(
    "runs",
    metadata,
    seq(),
    key(),
    Column("agreement_id", String, ForeignKey("agreements.id"), nullable=False),
    Column("sim_id", String, ForeignKey("sims.id"), nullable=False),
    Column("period", UtcDateTime, nullable=False),
    Column("state", Word(RunState), nullable=False),
    *money("price"),
    *money("most"),
    Column("noticed_at", UtcDateTime, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("first_at", UtcDateTime),
    Column("order_id", String, ForeignKey("orders.id"), index=True),
    Column("payment_id", String, ForeignKey("payments.id")),
    Column("reason", String),
    UniqueConstraint("sim_id", "period"),
)
