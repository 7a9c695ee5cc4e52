"""What is due is looked for channel by channel."""

from alembic import op

revision = "sagas_0002"
down_revision = "sagas_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    op.create_index("ix_saga_channel_due", "saga", ["channel_id", "next_try_ms"])


def downgrade() -> None:
    """Money's timelines are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
