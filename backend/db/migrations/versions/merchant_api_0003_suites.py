"""Merchants' programs sign with SM2, too; nonces are remembered by all processes together."""

import sqlalchemy as sa
from alembic import op

revision = "merchant_api_0003"
down_revision = "merchant_api_0002"
branch_labels = None
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the column and the table."""
    suite = sa.Column("suite", sa.Text(), nullable=False, server_default="rsa")
    op.add_column("merchant_api_account", suite)
    op.create_table(
        "merchant_api_nonces",
        sa.Column("mchid", sa.Text(), primary_key=True, nullable=False),
        sa.Column("place", _INTEGER, primary_key=True, nullable=False),
        sa.Column("seen", sa.LargeBinary(), nullable=False),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )


def downgrade() -> None:
    """Keys that merchants sign with are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
