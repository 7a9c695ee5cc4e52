"""Payouts that somebody asked back."""

import sqlalchemy as sa
from alembic import op

revision = "recalls_0001"
down_revision = None
branch_labels = ("recalls",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "payout_recall",
        sa.Column("payout_id", sa.Text(), primary_key=True, nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("reason", "state", "answer_reason")
        ),
        *(sa.Column(name, _INTEGER, nullable=False) for name in ("asked_at_ms", "updated_at_ms")),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )


def downgrade() -> None:
    """What was asked of a bank is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
