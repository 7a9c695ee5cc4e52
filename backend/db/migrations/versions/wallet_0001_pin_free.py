"""Small payments without a PIN are counted."""

import sqlalchemy as sa
from alembic import op

revision = "wallet_0001"
down_revision = None
branch_labels = ("wallet",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "pin_free",
        sa.Column("payer_id", sa.Text(), primary_key=True, nullable=False),
        sa.Column("currency", sa.Text(), primary_key=True, nullable=False),
        sa.Column("chosen_minor", _INTEGER, nullable=True),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("spent_minor", _INTEGER, nullable=False),
        sa.Column("count", _INTEGER, nullable=False),
        sa.CheckConstraint("chosen_minor IS NULL OR chosen_minor >= 0", name="chosen"),
        sa.CheckConstraint("spent_minor >= 0 AND count >= 0", name="spent"),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )


def downgrade() -> None:
    """What payers have chosen is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
