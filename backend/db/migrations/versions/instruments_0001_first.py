"""What payers pay with besides their balance."""

import sqlalchemy as sa
from alembic import op

revision = "instruments_0001"
down_revision = None
branch_labels = ("instruments",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXTS = ("payer_id", "kind", "bank", "last4", "token", "status")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "instrument",
        sa.Column("instrument_id", sa.Text(), primary_key=True, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _TEXTS),
        *(sa.Column(name, _INTEGER, nullable=False) for name in ("created_at_ms", "updated_at_ms")),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )
    op.create_index("ix_instrument_payer", "instrument", ["payer_id"])


def downgrade() -> None:
    """What paid for something is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
