"""A payment's shown code may be the address of a page that every wallet can open."""

import sqlalchemy as sa
from alembic import op

revision = "payments_0011"
down_revision = "payments_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Codes of before are shown as they were."""
    column = sa.Column("code_url", sa.Text(), nullable=False, server_default="")
    op.add_column("payment", column)


def downgrade() -> None:
    """Payments are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
