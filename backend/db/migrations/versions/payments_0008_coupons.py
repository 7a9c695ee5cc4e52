"""The coupon a payer has chosen, and what refunds have given back of a payment's coupon."""

import sqlalchemy as sa
from alembic import op

revision = "payments_0008"
down_revision = "payments_0007"
branch_labels = None
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """No payment of before was paid by a coupon."""
    op.add_column("payer", sa.Column("chosen_coupon_id", sa.Text(), nullable=True))
    for table in ("payment", "refund"):
        op.add_column(
            table,
            sa.Column("coupon_returned_minor", _INTEGER, nullable=False, server_default="0"),
        )


def downgrade() -> None:
    """Payments are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
