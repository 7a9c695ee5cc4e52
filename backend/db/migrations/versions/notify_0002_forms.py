"""A callback says in which form it goes."""

import sqlalchemy as sa
from alembic import op

revision = "notify_0002"
down_revision = "notify_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Those of before go in our own form."""
    form = sa.Column("form", sa.Text(), nullable=False, server_default="")
    op.add_column("outbox_callback", form)


def downgrade() -> None:
    """What was told is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
