"""Service providers act for merchants."""

import sqlalchemy as sa
from alembic import op

revision = "merchant_api_0008"
down_revision = "merchant_api_0007"
branch_labels = None
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table of who acts for whom, and say it of orders."""
    op.create_table(
        "merchant_api_binding",
        sa.Column("sp_mchid", sa.Text(), primary_key=True, nullable=False),
        sa.Column("sub_mchid", sa.Text(), primary_key=True, nullable=False),
        sa.Column("is_on", _INTEGER, nullable=False),
        sa.Column("changed_at_ms", _INTEGER, nullable=False),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )
    for name in ("sub_mchid", "sub_appid"):
        column = sa.Column(name, sa.Text(), nullable=False, server_default="")
        op.add_column("merchant_api_order", column)


def downgrade() -> None:
    """Who was paid through whom is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
