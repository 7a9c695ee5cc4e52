"""What merchants' servers answer with and how long it takes; a merchant's callbacks by time."""

import sqlalchemy as sa
from alembic import op

revision = "notify_0003"
down_revision = "notify_0002"
branch_labels = None
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Of tries before it is not known."""
    for table, names in (
        ("outbox_callback", ("answer_status", "answer_ms")),
        ("outbox_try", ("status", "duration_ms")),
    ):
        for name in names:
            op.add_column(table, sa.Column(name, _INTEGER, nullable=True))
    op.create_index(
        "ix_outbox_callback_merchant", "outbox_callback", ["merchant_id", "created_at_ms"]
    )


def downgrade() -> None:
    """What was told is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
