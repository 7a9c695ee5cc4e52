"""A merchant that is stopped is told why, by a category."""

import sqlalchemy as sa
from alembic import op

revision = "audit_0002"
down_revision = "audit_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What was stopped before has no category."""
    category = sa.Column("category", sa.Text(), nullable=False, server_default="other")
    op.add_column("kill_switch", category)


def downgrade() -> None:
    """Tables are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
