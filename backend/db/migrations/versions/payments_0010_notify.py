"""A payment or refund may have its own address for callbacks."""

import sqlalchemy as sa
from alembic import op

revision = "payments_0010"
down_revision = "payments_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """News of those of before goes to their merchants' addresses."""
    for table in ("payment", "refund"):
        op.add_column(table, sa.Column("notify_url", sa.Text(), nullable=True))
        form = sa.Column("notify_form", sa.Text(), nullable=False, server_default="")
        op.add_column(table, form)


def downgrade() -> None:
    """Payments are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
