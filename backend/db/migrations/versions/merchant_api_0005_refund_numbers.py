"""A refund is found by the platform's number, too."""

from alembic import op

revision = "merchant_api_0005"
down_revision = "merchant_api_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_merchant_api_refund_number", "merchant_api_refund", ["number"])


def downgrade() -> None:
    """Remove it."""
    op.drop_index("ix_merchant_api_refund_number", "merchant_api_refund")
