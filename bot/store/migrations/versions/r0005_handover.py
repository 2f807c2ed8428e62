"""Hand-overs of SIMs between their owners."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """A table of its own; nothing that is there changes."""
    op.create_table(
        "handovers",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("sim_id", sa.String(), nullable=False),
        sa.Column("from_chat", sa.BigInteger(), nullable=False),
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("to_chat", sa.BigInteger(), nullable=True),
        sa.Column("new_sim_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["sim_id"], ["sims.id"], name="fk_handovers_sim_id"),
        sa.ForeignKeyConstraint(["from_chat"], ["chats.id"], name="fk_handovers_from_chat"),
        sa.ForeignKeyConstraint(["to_chat"], ["chats.id"], name="fk_handovers_to_chat"),
        sa.ForeignKeyConstraint(["new_sim_id"], ["sims.id"], name="fk_handovers_new_sim_id"),
        sa.PrimaryKeyConstraint("id", name="pk_handovers"),
        sa.UniqueConstraint("code_hash", name="uq_handovers_code_hash"),
    )
    op.create_index(
        "uq_handovers_open",
        "handovers",
        ["sim_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('offered', 'asked')"),
        postgresql_where=sa.text("state IN ('offered', 'asked')"),
    )
