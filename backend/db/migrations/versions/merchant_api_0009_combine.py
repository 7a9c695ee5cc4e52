"""Merchants' programs ask for several orders at once."""

import sqlalchemy as sa
from alembic import op

revision = "merchant_api_0009"
down_revision = "merchant_api_0008"
branch_labels = None
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "merchant_api_combine",
        sa.Column("mchid", sa.Text(), primary_key=True, nullable=False),
        sa.Column("out_trade_no", sa.Text(), primary_key=True, nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("lead_id", "appid", "trade_type", "device_id")
        ),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at_ms", _INTEGER, nullable=False),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )
    op.create_index("ix_merchant_api_combine_lead", "merchant_api_combine", ["lead_id"])


def downgrade() -> None:
    """What merchants asked for together is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
