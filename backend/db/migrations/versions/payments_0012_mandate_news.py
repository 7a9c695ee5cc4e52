"""A mandate may have its own address for callbacks."""

import sqlalchemy as sa
from alembic import op

revision = "payments_0012"
down_revision = "payments_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """News of those of before goes to their merchants' addresses."""
    op.add_column("mandate", sa.Column("notify_url", sa.Text(), nullable=True))
    form = sa.Column("notify_form", sa.Text(), nullable=False, server_default="")
    op.add_column("mandate", form)


def downgrade() -> None:
    """Mandates are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
