"""Payers take their money out."""

import sqlalchemy as sa
from alembic import op

revision = "withdrawals_0001"
down_revision = None
branch_labels = ("withdrawals",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "withdrawal",
        sa.Column("withdrawal_id", sa.Text(), primary_key=True, nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("payer_id", "instrument_id", "channel_id", "currency", "state", "reason",
                         "business_date", "settlement_date")
        ),
        *(
            sa.Column(name, _INTEGER, nullable=False)
            for name in ("amount_minor", "fee_minor", "created_at_ms", "updated_at_ms")
        ),
        sa.CheckConstraint("amount_minor > 0", name="amount"),
        sa.CheckConstraint("fee_minor >= 0", name="fee"),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )  # fmt: skip
    op.create_index("ix_withdrawal_payer", "withdrawal", ["payer_id", "created_at_ms"])
    op.create_table(
        "withdrawal_allowance",
        sa.Column("payer_id", sa.Text(), primary_key=True, nullable=False),
        sa.Column("withdrawn_minor", _INTEGER, nullable=False),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )


def downgrade() -> None:
    """What was paid out is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
