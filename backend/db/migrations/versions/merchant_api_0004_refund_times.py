"""Refunds of one order are a minute apart."""

import sqlalchemy as sa
from alembic import op

revision = "merchant_api_0004"
down_revision = "merchant_api_0003"
branch_labels = None
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "merchant_api_last_refund",
        sa.Column("payment_id", sa.Text(), primary_key=True, nullable=False),
        sa.Column("at_ms", _INTEGER, nullable=False),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )


def downgrade() -> None:
    """What refunds are judged by is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
