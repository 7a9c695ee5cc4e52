"""Merchants give red packets, each to one payer."""

import sqlalchemy as sa
from alembic import op

revision = "red_packets_0002"
down_revision = "red_packets_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Those of before are payers', for whoever has their ids."""
    kind = sa.Column("sender_kind", sa.Text(), nullable=False, server_default="payer")
    op.add_column("red_packet", kind)
    name = sa.Column("sender_name", sa.Text(), nullable=False, server_default="")
    op.add_column("red_packet", name)
    op.add_column("red_packet", sa.Column("receiver_id", sa.Text(), nullable=True))
    op.create_index("ix_red_packet_receiver", "red_packet", ["receiver_id", "created_at_ms"])


def downgrade() -> None:
    """Money is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
