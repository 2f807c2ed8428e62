"""What is sold: plans, quotes, orders, payments, top-ups, vouchers."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    false,
)

from bot.domain.orders import OrderState, PaymentState, RefundState, TopUpState
from bot.domain.sales import Method, VoucherState
from bot.store.tables.base import (
    DECIMAL,
    DISCOUNTS,
    PLAN,
    READING,
    TOTALS,
    key,
    metadata,
    money,
    partial,
    seq,
)
from bot.store.types import Json, Sealed, UtcDateTime, Word

plans = Table(
    "plans",
    metadata,
    Column("code", String, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("carrier", String, nullable=False, index=True),
    Column("active", Boolean, nullable=False),
    Column("position", Integer, nullable=False),  # order in the operator's file
    Column("plan", Json(PLAN), nullable=False),
)

quotes = Table(
    "quotes",
    metadata,
    seq(),
    key(),
    Column("version", Integer, nullable=False),
    Column("update_id", BigInteger, unique=True),
    Column("chat_id", BigInteger, ForeignKey("chats.id"), nullable=False),
    Column("sim_id", String, ForeignKey("sims.id"), nullable=False),
    Column("plan", Json(PLAN), nullable=False),
    *money("price"),
    Column("discounts", Json(DISCOUNTS), nullable=False, server_default="[]"),
    Column("points", Integer, nullable=False, server_default="0"),
    *money("points_worth", nullable=True),
    Column("earns", Integer, nullable=False, server_default="0"),
    Column("earns_until", UtcDateTime),
    *money("due", nullable=True),
    Column("totals", Json(TOTALS), nullable=False, server_default="[]"),
    Column("old_expiry", UtcDateTime),
    Column("new_expiry", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("post_id", String),  # of the group's post it came from
)

orders = Table(
    "orders",
    metadata,
    seq(),
    key(),
    Column("version", Integer, nullable=False),
    Column("state", Word(OrderState), nullable=False),
    Column("quote_id", String, ForeignKey("quotes.id"), nullable=False, unique=True),
    Column("chat_id", BigInteger, ForeignKey("chats.id"), nullable=False, index=True),
    Column("sim_id", String, ForeignKey("sims.id"), nullable=False, index=True),
    Column("plan", Json(PLAN), nullable=False),
    *money("price"),
    *money("due", nullable=True),
    Column("old_expiry", UtcDateTime),
    Column("new_expiry", UtcDateTime),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("message_id", BigInteger),
    Column("paid_at", UtcDateTime),
    Column("fulfilled_at", UtcDateTime),
    *money("charge", nullable=True),
    Column("method", Word(Method)),
    Column("reason", String),
    Column("post_id", String, index=True),  # of the group's post it came from
    Index(None, "state", "expires_at"),
)

payments = Table(
    "payments",
    metadata,
    seq(),
    key(),
    Column("order_id", String, ForeignKey("orders.id"), index=True),
    Column("deposit_id", String, ForeignKey("deposits.id"), index=True),
    Column("chat_id", BigInteger, nullable=False),
    Column("method", Word(Method), nullable=False),
    Column("state", Word(PaymentState), nullable=False),
    *money("amount"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("charge_id", Sealed("payments.charge_id"), unique=True),
    Column("captured_at", UtcDateTime),
    *money("captured", nullable=True),
    Column("payer_id", BigInteger),
    Column("provider_ref", Sealed("payments.provider_ref"), index=True),
    Column("url", Sealed("payments.url")),
    Column("ends_at", UtcDateTime),
    Column("look_at", UtcDateTime),
    Column("looks", Integer, nullable=False, server_default="0"),
    Column("going_back", BigInteger, nullable=False, server_default="0"),
    Column("saved_id", String, ForeignKey("saved.id")),
    Index("ix_payments_state", "state", "order_id", "captured_at", "seq"),
)
partial("ix_payments_look_at", payments.c.look_at, where="look_at IS NOT NULL")

refunds = Table(
    "refunds",
    metadata,
    seq(),
    key(),
    Column("payment_id", String, ForeignKey("payments.id"), nullable=False, index=True),
    Column("state", Word(RefundState), nullable=False),
    *money("amount"),
    Column("reason", String, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("next_at", UtcDateTime),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("done_at", UtcDateTime),
)
partial("ix_refunds_next_at", refunds.c.next_at, where="next_at IS NOT NULL")

deposits = Table(
    "deposits",
    metadata,
    seq(),
    key(),
    Column("chat_id", BigInteger, ForeignKey("chats.id"), nullable=False, index=True),
    *money("amount"),
    Column("totals", Json(TOTALS), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("message_id", BigInteger),
    Column("paid_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
)
partial("ix_deposits_waiting", deposits.c.expires_at, where="paid_at IS NULL AND ended_at IS NULL")

saved = Table(
    "saved",
    metadata,
    seq(),
    key(),
    Column("chat_id", BigInteger, ForeignKey("chats.id"), nullable=False, index=True),
    Column("method", Word(Method), nullable=False),
    Column("token", Sealed("saved.token"), nullable=False),
    Column("label", Sealed("saved.label"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("removed_at", UtcDateTime),
)
partial("uq_saved_token", saved.c.chat_id, saved.c.token, where="removed_at IS NULL", unique=True)

removals = Table(
    "removals",
    metadata,
    seq(),
    key(),
    Column("method", Word(Method), nullable=False),
    Column("token", Sealed("removals.token"), nullable=False),
    Column("next_at", UtcDateTime, nullable=False, index=True),
    Column("tries", Integer, nullable=False),
)

rates = Table(
    "rates",
    metadata,
    Column("currency", String(3), primary_key=True),
    Column("into", String(3), primary_key=True),
    Column("per_unit", Json(DECIMAL), nullable=False),
    Column("source", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

topups = Table(
    "topups",
    metadata,
    seq(),
    key(),
    Column("order_id", String, ForeignKey("orders.id"), nullable=False, index=True),
    Column("sim_id", String, ForeignKey("sims.id"), nullable=False),
    Column("supplier", String, nullable=False),
    Column("supplier_code", String, nullable=False),
    Column("state", Word(TopUpState), nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
    *money("amount", nullable=True),
    *money("max_cost", nullable=True),
    Column("before", Json(READING)),
    Column("after", Json(READING)),
    Column("supplier_ref", String),
    Column("operator_ref", String),
    Column("pin", Sealed("topups.pin")),
    Column("resubmitted", Boolean, nullable=False, server_default=false()),
    Column("tries", Integer, nullable=False),
    Column("next_at", UtcDateTime),
    Column("reason", String),
    Column("claimed_by", String),
)
partial("ix_topups_next_at", topups.c.next_at, where="next_at IS NOT NULL")

vouchers = Table(
    "vouchers",
    metadata,
    seq(),
    key(),
    Column("code_hash", String, nullable=False, unique=True),
    Column("batch", String, nullable=False, index=True),
    Column("state", Word(VoucherState), nullable=False),
    *money("value"),
    Column("hint", String, nullable=False),
    Column("plan_code", String),
    Column("order_id", String, ForeignKey("orders.id"), unique=True),
    Column("expires_at", UtcDateTime),
    Column("redeemed_at", UtcDateTime),
)
