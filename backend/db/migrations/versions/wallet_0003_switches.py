"""Testers may make a payer's own payments fail, where the configuration lets them."""

import sqlalchemy as sa
from alembic import op

revision = "wallet_0003"
down_revision = "wallet_0002"
branch_labels = None
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Nothing was switched before."""
    op.create_table(
        "payer_switches",
        sa.Column("payer_id", sa.Text(), primary_key=True, nullable=False),
        sa.Column("switched_on", sa.Text(), nullable=False),
        sa.Column("kept_pin_free_minor", _INTEGER, nullable=True),
        sa.Column("updated_at_ms", _INTEGER, nullable=False),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )


def downgrade() -> None:
    """The tables of money are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
