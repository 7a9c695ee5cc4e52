"""Merchants' apps know payers by names."""

import sqlalchemy as sa
from alembic import op

revision = "merchant_api_0002"
down_revision = "merchant_api_0001"
branch_labels = None
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "merchant_api_openid",
        sa.Column("openid", sa.Text(), primary_key=True, nullable=False),
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("payer_id", sa.Text(), nullable=False),
        sa.Column("created_at_ms", _INTEGER, nullable=False),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )


def downgrade() -> None:
    """What merchants know payers by is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
