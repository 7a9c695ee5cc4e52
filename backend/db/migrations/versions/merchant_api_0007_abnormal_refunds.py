"""Refunds that a bank refused are settled another way."""

import sqlalchemy as sa
from alembic import op

revision = "merchant_api_0007"
down_revision = "merchant_api_0006"
branch_labels = None
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "merchant_api_abnormal_refund",
        sa.Column("refund_id", sa.Text(), primary_key=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("replacement_id", sa.Text(), nullable=True),
        sa.Column("created_at_ms", _INTEGER, nullable=False),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )
    op.create_index(
        "ix_merchant_api_abnormal_replacement", "merchant_api_abnormal_refund", ["replacement_id"]
    )


def downgrade() -> None:
    """What payers were given back is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
