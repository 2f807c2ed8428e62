"""What customers ask of the shop."""

from sqlalchemy import BigInteger, Column, ForeignKey, String, Table

from bot.domain.requests import RequestState, Why
from bot.store.tables.base import key, metadata, money, partial, seq
from bot.store.types import UtcDateTime, Word

refund_requests = Table(
    "refund_requests",
    metadata,
    seq(),
    key(),
    Column("order_id", String, ForeignKey("orders.id"), nullable=False, index=True),
    Column("chat_id", BigInteger, ForeignKey("chats.id"), nullable=False),
    Column("why", Word(Why), nullable=False),
    Column("words", String, nullable=False),
    Column("state", Word(RequestState), nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("update_id", BigInteger, nullable=False, unique=True),
    Column("decided_at", UtcDateTime),
    Column("decided_by", BigInteger),
    Column("answer", String),
    *money("amount", nullable=True),
    Column("refund_id", String, ForeignKey("refunds.id"), unique=True),
)
partial("uq_refund_requests_waiting", refund_requests.c.order_id,
       where="state = 'asked'", unique=True)  # fmt: skip
