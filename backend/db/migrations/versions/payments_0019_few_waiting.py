"""Payments that wait for their payer, or of which nobody knows, are few: the indexes by which they
are found hold no others."""

import sqlalchemy as sa
from alembic import op

revision = "payments_0019"
down_revision = "payments_0018"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_payment_due": ("code_expires_at_ms", sa.text("state = 'awaiting_payer'")),
    "ix_payment_unknown": ("created_at_ms", sa.text("state = 'unknown'")),
}


def upgrade() -> None:
    """All payments stood in one index by their state."""
    op.drop_index("ix_payment_due", "payment")
    for name, (column, where) in _INDEXES.items():
        op.create_index(name, "payment", [column], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Payments are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
