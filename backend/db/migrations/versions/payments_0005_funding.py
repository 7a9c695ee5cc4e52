"""Payments through channels: where the money came from, and what is on its way back."""

import sqlalchemy as sa
from alembic import op

revision = "payments_0005"
down_revision = "payments_0004"
branch_labels = None
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Payments, refunds and payers of before are of the balance."""
    for table in ("payment", "refund"):
        op.add_column(
            table, sa.Column("funding", sa.Text(), nullable=False, server_default="balance")
        )
    for name in ("instrument_id", "coupon_id"):
        op.add_column("payment", sa.Column(name, sa.Text(), nullable=True))
    for name in ("coupon_minor", "refunding_minor"):
        op.add_column("payment", sa.Column(name, _INTEGER, nullable=False, server_default="0"))
    op.add_column("payer", sa.Column("default_instrument_id", sa.Text(), nullable=True))
    op.add_column(
        "payer", sa.Column("instrument_count", _INTEGER, nullable=False, server_default="0")
    )


def downgrade() -> None:
    """Payments are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
