"""A wallet tells what its shown code was declined for."""

import sqlalchemy as sa
from alembic import op

revision = "wallet_0004"
down_revision = "wallet_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of codes that were shown before, nothing is told."""
    op.add_column("pay_code_route", sa.Column("declined_payment_id", sa.Text(), nullable=True))


def downgrade() -> None:
    """Which codes are used is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
