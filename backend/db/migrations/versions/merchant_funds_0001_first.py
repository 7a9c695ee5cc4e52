"""Merchants' programs take their money out."""

import sqlalchemy as sa
from alembic import op

revision = "merchant_funds_0001"
down_revision = None
branch_labels = ("merchant_funds",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "merchant_api_withdrawal",
        sa.Column("mchid", sa.Text(), primary_key=True, nullable=False),
        sa.Column("out_request_no", sa.Text(), primary_key=True, nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("payout_id", "remark", "bank_memo")
        ),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at_ms", _INTEGER, nullable=False),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )
    op.create_index("ix_merchant_api_withdrawal_payout", "merchant_api_withdrawal", ["payout_id"])


def downgrade() -> None:
    """What says whose money went out is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
