"""Payments: quotes of many methods, refunds, wallets, promos, renewals by themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What is there stays as it is: it was sold at its list price and went back whole."""
    op.create_table(
        "balances",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("minor >= 0 OR account NOT LIKE 'wallet:%'", name="ck_balances_wallets"),
        sa.PrimaryKeyConstraint("account", "currency", name=op.f("pk_balances")),
    )
    op.create_table(
        "differences",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("gap", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("amount_currency", sa.String(length=3), nullable=True),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_differences")),
        sa.UniqueConstraint("gap", "subject", name=op.f("uq_differences_gap_subject")),
        sa.UniqueConstraint("id", name=op.f("uq_differences_id")),
    )
    op.create_table(
        "entries",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("about", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_entries")),
        sa.UniqueConstraint("key", name=op.f("uq_entries_key")),
    )
    op.create_table(
        "rates",
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("into", sa.String(length=3), nullable=False),
        sa.Column("per_unit", sa.Text(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("currency", "into", name=op.f("pk_rates")),
    )
    op.create_table(
        "seals",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("canary", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_seals")),
    )
    op.create_table(
        "calendars",
        sa.Column("chat_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], name=op.f("fk_calendars_chat_id")),
        sa.PrimaryKeyConstraint("chat_id", name=op.f("pk_calendars")),
        sa.UniqueConstraint("token", name=op.f("uq_calendars_token")),
    )
    op.create_table(
        "deposits",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("amount_currency", sa.String(length=3), nullable=False),
        sa.Column("totals", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], name=op.f("fk_deposits_chat_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_deposits")),
        sa.UniqueConstraint("id", name=op.f("uq_deposits_id")),
    )
    with op.batch_alter_table("deposits", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deposits_chat_id"), ["chat_id"], unique=False)
        batch_op.create_index(
            "ix_deposits_waiting",
            ["expires_at"],
            unique=False,
            sqlite_where=sa.text("paid_at IS NULL AND ended_at IS NULL"),
            postgresql_where=sa.text("paid_at IS NULL AND ended_at IS NULL"),
        )

    op.create_table(
        "postings",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("entry", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.ForeignKeyConstraint(["entry"], ["entries.key"], name=op.f("fk_postings_entry")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_postings")),
    )
    with op.batch_alter_table("postings", schema=None) as batch_op:
        batch_op.create_index("ix_postings_account", ["account", "seq"], unique=False)
        batch_op.create_index(batch_op.f("ix_postings_entry"), ["entry"], unique=False)

    op.create_table(
        "promo_people",
        sa.Column("promo_id", sa.String(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["promo_id"], ["promos.code"], name=op.f("fk_promo_people_promo_id")
        ),
        sa.PrimaryKeyConstraint("promo_id", "chat_id", name=op.f("pk_promo_people")),
    )
    op.create_table(
        "saved",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], name=op.f("fk_saved_chat_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_saved")),
        sa.UniqueConstraint("id", name=op.f("uq_saved_id")),
    )
    with op.batch_alter_table("saved", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_saved_chat_id"), ["chat_id"], unique=False)
        batch_op.create_index(
            "uq_saved_token",
            ["chat_id", "token"],
            unique=True,
            sqlite_where=sa.text("removed_at IS NULL"),
            postgresql_where=sa.text("removed_at IS NULL"),
        )

    op.create_table(
        "agreements",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sim_id", sa.String(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("plan_code", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("price_currency", sa.String(length=3), nullable=False),
        sa.Column("cap_minor", sa.BigInteger(), nullable=False),
        sa.Column("cap_currency", sa.String(length=3), nullable=False),
        sa.Column("terms", sa.String(), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("amount_currency", sa.String(length=3), nullable=True),
        sa.Column("every", sa.Integer(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("saved_id", sa.String(), nullable=True),
        sa.Column("order_id", sa.String(), nullable=True),
        sa.Column("subscription", sa.String(), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unsubscribe", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("asked_minor", sa.BigInteger(), nullable=True),
        sa.Column("asked_currency", sa.String(length=3), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], name=op.f("fk_agreements_chat_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_agreements_order_id")),
        sa.ForeignKeyConstraint(["saved_id"], ["saved.id"], name=op.f("fk_agreements_saved_id")),
        sa.ForeignKeyConstraint(["sim_id"], ["sims.id"], name=op.f("fk_agreements_sim_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_agreements")),
        sa.UniqueConstraint("id", name=op.f("uq_agreements_id")),
    )
    with op.batch_alter_table("agreements", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_agreements_chat_id"), ["chat_id"], unique=False)
        batch_op.create_index(
            "ix_agreements_next_at",
            ["next_at"],
            unique=False,
            sqlite_where=sa.text("next_at IS NOT NULL"),
            postgresql_where=sa.text("next_at IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_agreements_order_id"), ["order_id"], unique=False)
        batch_op.create_index(
            "uq_agreements_sim",
            ["sim_id"],
            unique=True,
            sqlite_where=sa.text("state NOT IN ('cancelled', 'ended')"),
            postgresql_where=sa.text("state NOT IN ('cancelled', 'ended')"),
        )

    op.create_table(
        "points",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=True),
        sa.Column("effect", sa.String(), nullable=False),
        sa.Column("turn", sa.Integer(), server_default="0", nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("left", sa.Integer(), server_default="0", nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("drawn", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint('"left" >= 0', name="ck_points_left"),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], name=op.f("fk_points_chat_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_points_order_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_points")),
        sa.UniqueConstraint(
            "order_id", "effect", "turn", name=op.f("uq_points_order_id_effect_turn")
        ),
    )
    with op.batch_alter_table("points", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_points_chat_id_expires_at"), ["chat_id", "expires_at"], unique=False
        )

    op.create_table(
        "promo_uses",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("promo_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_promo_uses_order_id")),
        sa.ForeignKeyConstraint(["promo_id"], ["promos.code"], name=op.f("fk_promo_uses_promo_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_promo_uses")),
        sa.UniqueConstraint("order_id", "promo_id", name=op.f("uq_promo_uses_order_id_promo_id")),
    )
    op.create_table(
        "proofs",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("update_id", sa.BigInteger(), nullable=True),
        sa.Column("payment_id", sa.String(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("file_id", sa.String(), nullable=False),
        sa.Column("photo", sa.Boolean(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("look", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_proofs_payment_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_proofs")),
        sa.UniqueConstraint("id", name=op.f("uq_proofs_id")),
        sa.UniqueConstraint("update_id", name=op.f("uq_proofs_update_id")),
    )
    with op.batch_alter_table("proofs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_proofs_number"), ["number"], unique=False)
        batch_op.create_index(batch_op.f("ix_proofs_payment_id"), ["payment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_proofs_sha256"), ["sha256"], unique=False)
        batch_op.create_index(
            "uq_proofs_waiting",
            ["payment_id"],
            unique=True,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )

    op.create_table(
        "refunds",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("payment_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("amount_currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.id"], name=op.f("fk_refunds_payment_id")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_refunds")),
        sa.UniqueConstraint("id", name=op.f("uq_refunds_id")),
    )
    with op.batch_alter_table("refunds", schema=None) as batch_op:
        batch_op.create_index(
            "ix_refunds_next_at",
            ["next_at"],
            unique=False,
            sqlite_where=sa.text("next_at IS NOT NULL"),
            postgresql_where=sa.text("next_at IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_refunds_payment_id"), ["payment_id"], unique=False)

    op.create_table(
        "runs",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("agreement_id", sa.String(), nullable=False),
        sa.Column("sim_id", sa.String(), nullable=False),
        sa.Column("period", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("price_currency", sa.String(length=3), nullable=False),
        sa.Column("most_minor", sa.BigInteger(), nullable=False),
        sa.Column("most_currency", sa.String(length=3), nullable=False),
        sa.Column("noticed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("order_id", sa.String(), nullable=True),
        sa.Column("payment_id", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreements.id"], name=op.f("fk_runs_agreement_id")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_runs_order_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_runs_payment_id")),
        sa.ForeignKeyConstraint(["sim_id"], ["sims.id"], name=op.f("fk_runs_sim_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_runs")),
        sa.UniqueConstraint("id", name=op.f("uq_runs_id")),
        sa.UniqueConstraint("sim_id", "period", name=op.f("uq_runs_sim_id_period")),
    )
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_runs_order_id"), ["order_id"], unique=False)

    op.create_table(
        "refund_requests",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("update_id", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("amount_currency", sa.String(length=3), nullable=True),
        sa.Column("refund_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], name=op.f("fk_refund_requests_chat_id")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_refund_requests_order_id")
        ),
        sa.ForeignKeyConstraint(
            ["refund_id"], ["refunds.id"], name=op.f("fk_refund_requests_refund_id")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_refund_requests")),
        sa.UniqueConstraint("id", name=op.f("uq_refund_requests_id")),
        sa.UniqueConstraint("refund_id", name=op.f("uq_refund_requests_refund_id")),
        sa.UniqueConstraint("update_id", name=op.f("uq_refund_requests_update_id")),
    )
    with op.batch_alter_table("refund_requests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_refund_requests_order_id"), ["order_id"], unique=False)
        batch_op.create_index(
            "uq_refund_requests_waiting",
            ["order_id"],
            unique=True,
            sqlite_where=sa.text("state = 'asked'"),
            postgresql_where=sa.text("state = 'asked'"),
        )

    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.add_column(sa.Column("due_minor", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("due_currency", sa.String(length=3), nullable=True))

    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.add_column(sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("claimed_by", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(
            "ix_outbox_due_at",
            ["due_at", "id"],
            unique=False,
            sqlite_where=sa.text("state = 'queued' AND due_at IS NOT NULL"),
            postgresql_where=sa.text("state = 'queued' AND due_at IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_outbox_not_seen",
            ["not_before"],
            unique=False,
            sqlite_where=sa.text("state = 'queued' AND due_at IS NULL"),
            postgresql_where=sa.text("state = 'queued' AND due_at IS NULL"),
        )
        batch_op.create_index(
            "ix_outbox_settled_at",
            ["settled_at", "state"],
            unique=False,
            sqlite_where=sa.text("settled_at IS NOT NULL"),
            postgresql_where=sa.text("settled_at IS NOT NULL"),
        )

    with op.batch_alter_table("payments", schema=None) as batch_op:
        batch_op.add_column(sa.Column("deposit_id", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("provider_ref", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("url", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("look_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("looks", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(
            sa.Column("going_back", sa.BigInteger(), server_default="0", nullable=False)
        )
        batch_op.add_column(sa.Column("saved_id", sa.String(), nullable=True))
        batch_op.alter_column("order_id", existing_type=sa.VARCHAR(), nullable=True)
        batch_op.create_index(batch_op.f("ix_payments_deposit_id"), ["deposit_id"], unique=False)
        batch_op.create_index(
            "ix_payments_look_at",
            ["look_at"],
            unique=False,
            sqlite_where=sa.text("look_at IS NOT NULL"),
            postgresql_where=sa.text("look_at IS NOT NULL"),
        )
        batch_op.create_index(
            batch_op.f("ix_payments_provider_ref"), ["provider_ref"], unique=False
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_payments_deposit_id"), "deposits", ["deposit_id"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_payments_saved_id"), "saved", ["saved_id"], ["id"]
        )

    with op.batch_alter_table("promos", schema=None) as batch_op:
        batch_op.add_column(sa.Column("version", sa.Integer(), nullable=False))
        batch_op.add_column(sa.Column("position", sa.Integer(), nullable=False))
        batch_op.add_column(sa.Column("typed", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("total", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("used", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("promo", sa.Text(), nullable=False))
        batch_op.create_index(
            "uq_promos_typed",
            ["typed"],
            unique=True,
            sqlite_where=sa.text("typed IS NOT NULL AND active"),
            postgresql_where=sa.text("typed IS NOT NULL AND active"),
        )
        batch_op.drop_column("ends_at")
        batch_op.drop_column("starts_at")
        batch_op.drop_column("title")

    with op.batch_alter_table("quotes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("discounts", sa.Text(), server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("points", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("points_worth_minor", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("points_worth_currency", sa.String(length=3), nullable=True))
        batch_op.add_column(sa.Column("earns", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("earns_until", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("due_minor", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("due_currency", sa.String(length=3), nullable=True))
        batch_op.add_column(sa.Column("totals", sa.Text(), server_default="[]", nullable=False))
        batch_op.drop_column("stars_minor")
        batch_op.drop_column("rate")
        batch_op.drop_column("stars_currency")

    with op.batch_alter_table("sims", schema=None) as batch_op:
        batch_op.add_column(sa.Column("own", sa.Text(), nullable=True))

    with op.batch_alter_table("topups", schema=None) as batch_op:
        batch_op.add_column(sa.Column("claimed_by", sa.String(), nullable=True))
    op.execute("UPDATE quotes SET due_minor = price_minor, due_currency = price_currency")
    op.execute("UPDATE payments SET going_back = captured_minor WHERE state = 'refunded'")
