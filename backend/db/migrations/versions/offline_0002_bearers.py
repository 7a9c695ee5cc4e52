"""What nobody's set-aside money paid is looked for by who bears it."""

from alembic import op

revision = "offline_0002"
down_revision = "offline_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """An index."""
    op.create_index("ix_offline_return_bearer", "offline_return", ["bearer", "returned_at_ms"])


def downgrade() -> None:
    """Money is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
