"""The institution's own number of what only it has."""

import sqlalchemy as sa
from alembic import op

revision = "reconciliation_0002"
down_revision = "reconciliation_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; breaks that were found before have none."""
    for name in ("channel_reference", "account"):
        column = sa.Column(name, sa.Text(), nullable=False, server_default="")
        op.add_column("reconciliation_case", column)


def downgrade() -> None:
    """Money's timelines are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
