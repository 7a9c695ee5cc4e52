"""Merchants' programs give red packets."""

import sqlalchemy as sa
from alembic import op

revision = "merchant_api_0006"
down_revision = "merchant_api_0005"
branch_labels = None
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "merchant_api_red_packet",
        sa.Column("mchid", sa.Text(), primary_key=True, nullable=False),
        sa.Column("mch_billno", sa.Text(), primary_key=True, nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("red_packet_id", "number", "openid", "act_name", "remark")
        ),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at_ms", _INTEGER, nullable=False),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )


def downgrade() -> None:
    """What says whose money was given is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
