"""What an airtime top-up is confirmed by: the operator's reference, a code, a second submit."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Columns that stay empty for the top-ups that are there."""
    op.add_column("topups", sa.Column("operator_ref", sa.String(), nullable=True))
    op.add_column("topups", sa.Column("pin", sa.String(), nullable=True))
    op.add_column(
        "topups",
        sa.Column("resubmitted", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
