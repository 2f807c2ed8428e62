"""Keep-number rules: activities, the operator's rules, deadlines; a SIM's phone."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Two tables, and columns that stay empty for the SIMs that are there."""
    op.create_table(
        "activities",
        sa.Column("seq", _BIG, autoincrement=True, nullable=False),
        sa.Column("sim_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["sim_id"], ["sims.id"], name="fk_activities_sim_id"),
        sa.PrimaryKeyConstraint("seq", name="pk_activities"),
        sa.UniqueConstraint("sim_id", "kind", "day", name="uq_activities_sim_id_kind_day"),
    )
    op.create_table(
        "rule_overrides",
        sa.Column("carrier", sa.String(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("carrier", name="pk_rule_overrides"),
    )
    op.add_column("sims", sa.Column("keep_deadline", _TIME, nullable=True))
    op.add_column("sims", sa.Column("deadline_source", sa.String(), nullable=True))
    op.add_column("sims", sa.Column("device", sa.String(), nullable=True))
    op.add_column("sims", sa.Column("imei", sa.String(), nullable=True))
