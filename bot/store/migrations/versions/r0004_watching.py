"""Readings by urgency, eSIMs that wait for their activation, suppliers' webhooks."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)
_READABLE = "tracking = 'managed' AND removed_at IS NULL AND owner_id IS NOT NULL"


def _partial(name: str, table: str, columns: list[str], where: str, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(
        name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition
    )


def upgrade() -> None:
    """Two tables, and when each SIM is read next: the ones that are there at once."""
    at_once = sa.text("'1970-01-01 00:00:00+00'")
    op.add_column("sims", sa.Column("next_read_at", _TIME, nullable=False, server_default=at_once))
    op.add_column(
        "sims",
        sa.Column("read_failures", sa.Integer(), nullable=False, server_default=sa.text("0")),
    )
    op.drop_index("ix_sims_to_read", "sims")
    _partial("ix_sims_next_read_at", "sims", ["next_read_at"], _READABLE)
    managed = "tracking = 'managed' AND removed_at IS NULL"
    _partial("ix_sims_supplier_ref", "sims", ["supplier", "supplier_ref"], managed)
    op.create_table(
        "activations",
        sa.Column("seq", _BIG, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("sim_id", sa.String(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("since", _TIME, nullable=False),
        sa.Column("next_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["sim_id"], ["sims.id"], name="fk_activations_sim_id"),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], name="fk_activations_chat_id"),
        sa.PrimaryKeyConstraint("seq", name="pk_activations"),
        sa.UniqueConstraint("id", name="uq_activations_id"),
    )
    op.create_index("ix_activations_sim_id", "activations", ["sim_id"])
    op.create_index("ix_activations_state", "activations", ["state"])
    _partial("ix_activations_next_at", "activations", ["next_at"], "next_at IS NOT NULL")
    waiting = "state IN ('watched', 'told', 'escalated')"
    _partial("uq_activations_open", "activations", ["sim_id"], waiting, unique=True)
    op.create_table(
        "hints",
        sa.Column("id", _BIG, autoincrement=True, nullable=False),
        sa.Column("supplier", sa.String(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=True),
        sa.Column("supplier_ref", sa.String(), nullable=True),
        sa.Column("iccid", sa.String(), nullable=True),
        sa.Column("received_at", _TIME, nullable=False),
        sa.Column("done_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_hints"),
        sa.UniqueConstraint("supplier", "event_id", name="uq_hints_supplier_event_id"),
    )
    _partial("ix_hints_waiting", "hints", ["id"], "done_at IS NULL")
    _partial("ix_hints_done_at", "hints", ["done_at"], "done_at IS NOT NULL")
