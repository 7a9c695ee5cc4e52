"""A payment's coupon may be paid for by its merchant."""

import sqlalchemy as sa
from alembic import op

revision = "payments_0016"
down_revision = "payments_0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Coupons of before were ours."""
    op.add_column("payment", sa.Column("coupon_stock_id", sa.Text(), nullable=True))


def downgrade() -> None:
    """Payments are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
