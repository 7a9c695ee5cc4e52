"""Codes that hang in a shop and say no amount."""

import sqlalchemy as sa
from alembic import op

revision = "pay_page_0001"
down_revision = None
branch_labels = ("pay_page",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    texts = [
        sa.Column(name, sa.Text(), primary_key=name == "code_id", nullable=False)
        for name in ("code_id", "merchant_id", "label", "status")
    ]
    made = sa.Column("created_at_ms", _INTEGER, nullable=False)
    op.create_table("static_code", *texts, made, sqlite_with_rowid=False, sqlite_strict=True)
    op.create_index("ix_static_code_merchant", "static_code", ["merchant_id", "created_at_ms"])


def downgrade() -> None:
    """What hangs in shops is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
