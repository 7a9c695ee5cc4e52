"""A program's red packet is found by ours, too."""

from alembic import op

revision = "merchant_api_0011"
down_revision = "merchant_api_0010"
branch_labels = None
depends_on = None

_INDEX, _TABLE = "ix_merchant_api_red_packet_packet", "merchant_api_red_packet"


def upgrade() -> None:
    """A bill names each packet by the number that the program knows."""
    op.create_index(_INDEX, _TABLE, ["red_packet_id"])


def downgrade() -> None:
    """Remove it."""
    op.drop_index(_INDEX, _TABLE)
