"""A dispute names its payment's channel."""

import sqlalchemy as sa
from alembic import op

revision = "disputes_0002"
down_revision = "disputes_0001"
branch_labels = None
depends_on = "payments_0009"


def upgrade() -> None:
    """Those of before have the channel of their payment."""
    op.add_column("dispute", sa.Column("channel_id", sa.Text(), nullable=False, server_default=""))
    op.execute(
        "UPDATE dispute SET channel_id ="
        " (SELECT channel_id FROM payment WHERE payment.payment_id = dispute.payment_id)"
    )


def downgrade() -> None:
    """Disputes are never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
