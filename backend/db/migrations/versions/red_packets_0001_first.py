"""Red packets and the shares taken from them."""

import sqlalchemy as sa
from alembic import op

revision = "red_packets_0001"
down_revision = None
branch_labels = ("red_packets",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "red_packet",
        sa.Column("red_packet_id", sa.Text(), primary_key=True, nullable=False),
        *_texts("sender_id", "kind"),
        *_integers("total_minor", "share_count"),
        *_texts("currency", "wish", "shares"),
        *_integers("left_minor", "left_count"),
        *_texts("state"),
        *_integers("created_at_ms", "expires_at_ms"),
        sa.Column("ended_at_ms", _INTEGER, nullable=True),
        sa.CheckConstraint("total_minor > 0 AND share_count > 0", name="total"),
        sa.CheckConstraint("left_minor BETWEEN 0 AND total_minor", name="left_minor"),
        sa.CheckConstraint("left_count BETWEEN 0 AND share_count", name="left_count"),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )
    op.create_index("ix_red_packet_sender", "red_packet", ["sender_id", "created_at_ms"])
    op.create_index("ix_red_packet_due", "red_packet", ["state", "expires_at_ms"])
    op.create_table(
        "red_packet_claim",
        sa.Column("red_packet_id", sa.Text(), primary_key=True, nullable=False),
        sa.Column("payer_id", sa.Text(), primary_key=True, nullable=False),
        *_integers("number", "amount_minor", "at_ms"),
        sa.CheckConstraint("amount_minor > 0", name="amount"),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )
    op.create_index("ix_red_packet_claim_payer", "red_packet_claim", ["payer_id", "at_ms"])


def downgrade() -> None:
    """Money is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _integers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, _INTEGER, nullable=False) for name in names]
