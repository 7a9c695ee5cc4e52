"""A service order may be debited under a payer's permission."""

import sqlalchemy as sa
from alembic import op

revision = "payscore_0002"
down_revision = "payscore_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Those of before have mandates of their own."""
    column = sa.Column("mandate_id", sa.Text(), nullable=False, server_default="")
    op.add_column("merchant_api_service_order", column)
    op.execute("UPDATE merchant_api_service_order SET mandate_id = order_id")


def downgrade() -> None:
    """What payers agreed to is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
