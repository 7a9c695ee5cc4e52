"""Payments are confirmed together."""

import sqlalchemy as sa
from alembic import op

revision = "payments_0015"
down_revision = "payments_0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "payment_group",
        sa.Column("lead_id", sa.Text(), primary_key=True, nullable=False),
        sa.Column("payment_ids", sa.Text(), nullable=False),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )


def downgrade() -> None:
    """What was paid together is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
