"""The first tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    """Create everything."""
    op.create_table(
        "audit",
        sa.Column("seq", _BIG, autoincrement=True, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
    )
    op.create_table(
        "chats",
        sa.Column("id", _BIG, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("language_chosen", sa.Boolean(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("zone_confirmed", sa.Boolean(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("quiet_start", sa.Time(), nullable=False),
        sa.Column("quiet_end", sa.Time(), nullable=False),
        sa.Column("urgent_override", sa.Boolean(), nullable=False),
        sa.Column("offsets", sa.Text(), nullable=False),
        sa.Column("on", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.Boolean(), nullable=False),
        sa.Column("first_name", sa.String(), nullable=True),
        sa.Column("username", sa.String(), nullable=True),
        sa.Column("blocked_at", _TIME, nullable=True),
        sa.Column("migrated_to", sa.BigInteger(), nullable=True),
        sa.Column("wrong_claims", sa.Integer(), nullable=False),
        sa.Column("claims_locked_until", _TIME, nullable=True),
        sa.Column("created_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_chats"),
    )
    op.create_table(
        "conversations",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", "key", name="pk_conversations"),
    )
    op.create_table(
        "drafts",
        sa.Column("user_id", _BIG, autoincrement=False, nullable=False),
        sa.Column("draft", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_drafts"),
    )
    op.create_table(
        "inbox",
        sa.Column("update_id", _BIG, autoincrement=False, nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("received_at", _TIME, nullable=False),
        sa.Column("done_at", _TIME, nullable=True),
        sa.Column("error_id", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("update_id", name="pk_inbox"),
    )
    op.create_index(
        "ix_inbox_done_at", "inbox", ["done_at"], unique=False, **_where("done_at IS NOT NULL")
    )
    op.create_index(
        "ix_inbox_unfinished",
        "inbox",
        ["received_at", "update_id"],
        unique=False,
        **_where("done_at IS NULL"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", _BIG, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("dedupe_key", sa.String(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("not_before", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("claimed_at", _TIME, nullable=True),
        sa.Column("settled_at", _TIME, nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("detail", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("dedupe_key", name="uq_outbox_dedupe_key"),
    )
    op.create_index(
        "ix_outbox_chat",
        "outbox",
        ["chat_id", "priority", "id"],
        unique=False,
        **_where("state = 'queued'"),
    )
    op.create_index(
        "ix_outbox_expires_at",
        "outbox",
        ["expires_at"],
        unique=False,
        **_where("state = 'queued' AND expires_at IS NOT NULL"),
    )
    op.create_index(
        "ix_outbox_not_before", "outbox", ["not_before"], unique=False, **_where("state = 'queued'")
    )
    op.create_index(
        "ix_outbox_queue", "outbox", ["priority", "id"], unique=False, **_where("state = 'queued'")
    )
    op.create_index(
        "uq_outbox_claimed", "outbox", ["chat_id"], unique=True, **_where("state = 'claimed'")
    )
    op.create_table(
        "plans",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("carrier", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_plans"),
    )
    op.create_index("ix_plans_carrier", "plans", ["carrier"], unique=False)
    op.create_table(
        "promos",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("starts_at", _TIME, nullable=True),
        sa.Column("ends_at", _TIME, nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_promos"),
    )
    op.create_table(
        "transitions",
        sa.Column("seq", _BIG, autoincrement=True, nullable=False),
        sa.Column("machine", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("old", sa.String(), nullable=False),
        sa.Column("new", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_transitions"),
    )
    op.create_index(
        "ix_transitions_machine_subject_id", "transitions", ["machine", "subject_id"], unique=False
    )
    op.create_table(
        "sims",
        sa.Column("seq", _BIG, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("tracking", sa.String(), nullable=False),
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("carrier", sa.String(), nullable=False),
        sa.Column("supplier", sa.String(), nullable=False),
        sa.Column("supplier_ref", sa.String(), nullable=True),
        sa.Column("country", sa.String(), nullable=True),
        sa.Column("iccid", sa.String(), nullable=True),
        sa.Column("msisdn", sa.String(), nullable=True),
        sa.Column("activation_code", sa.String(), nullable=True),
        sa.Column("nickname", sa.String(), nullable=True),
        sa.Column("expiry", _TIME, nullable=True),
        sa.Column("grace_end", _TIME, nullable=True),
        sa.Column("dates_source", sa.String(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("reading", sa.Text(), nullable=True),
        sa.Column("read_at", _TIME, nullable=False),
        sa.Column("last_plan", sa.String(), nullable=True),
        sa.Column("reminders_stopped", sa.Boolean(), nullable=False),
        sa.Column("snoozed_until", _TIME, nullable=True),
        sa.Column("next_reminder_at", _TIME, nullable=True),
        sa.Column("removed_at", _TIME, nullable=True),
        sa.Column("created_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["chats.id"], name="fk_sims_owner_id"),
        sa.PrimaryKeyConstraint("seq", name="pk_sims"),
        sa.UniqueConstraint("id", name="uq_sims_id"),
    )
    op.create_index(
        "ix_sims_managed_msisdn",
        "sims",
        ["msisdn"],
        unique=False,
        **_where("tracking = 'managed' AND removed_at IS NULL"),
    )
    op.create_index(
        "ix_sims_next_reminder_at",
        "sims",
        ["next_reminder_at"],
        unique=False,
        **_where("next_reminder_at IS NOT NULL"),
    )
    op.create_index(
        "ix_sims_to_read",
        "sims",
        ["read_at"],
        unique=False,
        **_where("tracking = 'managed' AND removed_at IS NULL AND owner_id IS NOT NULL"),
    )
    op.create_index(
        "uq_sims_managed_iccid",
        "sims",
        ["iccid"],
        unique=True,
        **_where("tracking = 'managed' AND removed_at IS NULL"),
    )
    op.create_index(
        "uq_sims_owner_iccid",
        "sims",
        ["owner_id", "iccid"],
        unique=True,
        **_where("removed_at IS NULL"),
    )
    op.create_index(
        "uq_sims_owner_msisdn",
        "sims",
        ["owner_id", "msisdn"],
        unique=True,
        **_where("removed_at IS NULL"),
    )
    op.create_table(
        "claim_codes",
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("sim_id", sa.String(), nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("used_by", sa.BigInteger(), nullable=True),
        sa.Column("used_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["sim_id"], ["sims.id"], name="fk_claim_codes_sim_id"),
        sa.PrimaryKeyConstraint("code_hash", name="pk_claim_codes"),
    )
    op.create_index("ix_claim_codes_sim_id", "claim_codes", ["sim_id"], unique=False)
    op.create_table(
        "claims",
        sa.Column("seq", _BIG, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("sim_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], name="fk_claims_chat_id"),
        sa.ForeignKeyConstraint(["sim_id"], ["sims.id"], name="fk_claims_sim_id"),
        sa.PrimaryKeyConstraint("seq", name="pk_claims"),
        sa.UniqueConstraint("id", name="uq_claims_id"),
    )
    op.create_index(
        "uq_claims_waiting",
        "claims",
        ["chat_id", "sim_id"],
        unique=True,
        **_where("state = 'waiting'"),
    )
    op.create_table(
        "quotes",
        sa.Column("seq", _BIG, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("update_id", sa.BigInteger(), nullable=True),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("sim_id", sa.String(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("price_currency", sa.String(length=3), nullable=False),
        sa.Column("rate", sa.Text(), nullable=True),
        sa.Column("stars_minor", sa.BigInteger(), nullable=True),
        sa.Column("stars_currency", sa.String(length=3), nullable=True),
        sa.Column("old_expiry", _TIME, nullable=True),
        sa.Column("new_expiry", _TIME, nullable=True),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], name="fk_quotes_chat_id"),
        sa.ForeignKeyConstraint(["sim_id"], ["sims.id"], name="fk_quotes_sim_id"),
        sa.PrimaryKeyConstraint("seq", name="pk_quotes"),
        sa.UniqueConstraint("id", name="uq_quotes_id"),
        sa.UniqueConstraint("update_id", name="uq_quotes_update_id"),
    )
    op.create_table(
        "readings",
        sa.Column("seq", _BIG, autoincrement=True, nullable=False),
        sa.Column("sim_id", sa.String(), nullable=False),
        sa.Column("taken_at", _TIME, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("reading", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["sim_id"], ["sims.id"], name="fk_readings_sim_id"),
        sa.PrimaryKeyConstraint("seq", name="pk_readings"),
    )
    op.create_index("ix_readings_sim_id_taken_at", "readings", ["sim_id", "taken_at"], unique=False)
    op.create_table(
        "reminders",
        sa.Column("seq", _BIG, autoincrement=True, nullable=False),
        sa.Column("sim_id", sa.String(), nullable=False),
        sa.Column("cycle", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("sent", sa.Boolean(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["sim_id"], ["sims.id"], name="fk_reminders_sim_id"),
        sa.PrimaryKeyConstraint("seq", name="pk_reminders"),
        sa.UniqueConstraint("sim_id", "cycle", "stage", name="uq_reminders_sim_id_cycle_stage"),
    )
    op.create_table(
        "orders",
        sa.Column("seq", _BIG, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("quote_id", sa.String(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("sim_id", sa.String(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("price_currency", sa.String(length=3), nullable=False),
        sa.Column("old_expiry", _TIME, nullable=True),
        sa.Column("new_expiry", _TIME, nullable=True),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("paid_at", _TIME, nullable=True),
        sa.Column("fulfilled_at", _TIME, nullable=True),
        sa.Column("charge_minor", sa.BigInteger(), nullable=True),
        sa.Column("charge_currency", sa.String(length=3), nullable=True),
        sa.Column("method", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], name="fk_orders_chat_id"),
        sa.ForeignKeyConstraint(["quote_id"], ["quotes.id"], name="fk_orders_quote_id"),
        sa.ForeignKeyConstraint(["sim_id"], ["sims.id"], name="fk_orders_sim_id"),
        sa.PrimaryKeyConstraint("seq", name="pk_orders"),
        sa.UniqueConstraint("id", name="uq_orders_id"),
        sa.UniqueConstraint("quote_id", name="uq_orders_quote_id"),
    )
    op.create_index("ix_orders_chat_id", "orders", ["chat_id"], unique=False)
    op.create_index("ix_orders_sim_id", "orders", ["sim_id"], unique=False)
    op.create_index("ix_orders_state_expires_at", "orders", ["state", "expires_at"], unique=False)
    op.create_table(
        "payments",
        sa.Column("seq", _BIG, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("amount_currency", sa.String(length=3), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("charge_id", sa.String(), nullable=True),
        sa.Column("captured_at", _TIME, nullable=True),
        sa.Column("captured_minor", sa.BigInteger(), nullable=True),
        sa.Column("captured_currency", sa.String(length=3), nullable=True),
        sa.Column("payer_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_payments_order_id"),
        sa.PrimaryKeyConstraint("seq", name="pk_payments"),
        sa.UniqueConstraint("charge_id", name="uq_payments_charge_id"),
        sa.UniqueConstraint("id", name="uq_payments_id"),
    )
    op.create_index("ix_payments_order_id", "payments", ["order_id"], unique=False)
    op.create_index(
        "ix_payments_state", "payments", ["state", "order_id", "captured_at", "seq"], unique=False
    )
    op.create_table(
        "topups",
        sa.Column("seq", _BIG, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("sim_id", sa.String(), nullable=False),
        sa.Column("supplier", sa.String(), nullable=False),
        sa.Column("supplier_code", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("amount_currency", sa.String(length=3), nullable=True),
        sa.Column("max_cost_minor", sa.BigInteger(), nullable=True),
        sa.Column("max_cost_currency", sa.String(length=3), nullable=True),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("supplier_ref", sa.String(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", _TIME, nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_topups_order_id"),
        sa.ForeignKeyConstraint(["sim_id"], ["sims.id"], name="fk_topups_sim_id"),
        sa.PrimaryKeyConstraint("seq", name="pk_topups"),
        sa.UniqueConstraint("id", name="uq_topups_id"),
    )
    op.create_index(
        "ix_topups_next_at", "topups", ["next_at"], unique=False, **_where("next_at IS NOT NULL")
    )
    op.create_index("ix_topups_order_id", "topups", ["order_id"], unique=False)
    op.create_index("ix_topups_state", "topups", ["state"], unique=False)
    op.create_table(
        "vouchers",
        sa.Column("seq", _BIG, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("batch", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), nullable=False),
        sa.Column("value_currency", sa.String(length=3), nullable=False),
        sa.Column("hint", sa.String(), nullable=False),
        sa.Column("plan_code", sa.String(), nullable=True),
        sa.Column("order_id", sa.String(), nullable=True),
        sa.Column("expires_at", _TIME, nullable=True),
        sa.Column("redeemed_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_vouchers_order_id"),
        sa.PrimaryKeyConstraint("seq", name="pk_vouchers"),
        sa.UniqueConstraint("code_hash", name="uq_vouchers_code_hash"),
        sa.UniqueConstraint("id", name="uq_vouchers_id"),
        sa.UniqueConstraint("order_id", name="uq_vouchers_order_id"),
    )
    op.create_index("ix_vouchers_batch", "vouchers", ["batch"], unique=False)
