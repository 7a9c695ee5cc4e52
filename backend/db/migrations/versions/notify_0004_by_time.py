"""The callbacks of all merchants by time."""

from alembic import op

revision = "notify_0004"
down_revision = "notify_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Operators look at them by dates alone, too."""
    op.create_index("ix_outbox_callback_created", "outbox_callback", ["created_at_ms"])


def downgrade() -> None:
    """What was told is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
