"""Coupons and their events."""

import sqlalchemy as sa
from alembic import op

revision = "coupons_0001"
down_revision = None
branch_labels = ("coupons",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SQLITE = {"sqlite_with_rowid": False, "sqlite_strict": True}


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "coupon",
        *_texts("coupon_id", is_key=True),
        *_texts("payer_id"),
        sa.Column("merchant_id", sa.Text(), nullable=True),
        *_integers("amount_minor"),
        *_texts("currency"),
        *_integers("minimum_minor", "valid_from_ms", "valid_until_ms"),
        *_texts("state"),
        sa.Column("payment_id", sa.Text(), nullable=True),
        *_integers("created_at_ms", "updated_at_ms", "event_count"),
        sa.CheckConstraint("amount_minor > 0", name="amount"),
        sa.CheckConstraint("minimum_minor >= 0", name="minimum"),
        sa.CheckConstraint("valid_from_ms < valid_until_ms", name="valid"),
        **_SQLITE,
    )
    op.create_index("ix_coupon_payer", "coupon", ["payer_id", "created_at_ms"])
    op.create_index("ix_coupon_due", "coupon", ["state", "valid_until_ms"])
    op.create_table(
        "coupon_event",
        *_texts("coupon_id", is_key=True),
        *_integers("number", is_key=True),
        *_texts("event", "state_before", "state_after", "actor"),
        sa.Column("payment_id", sa.Text(), nullable=True),
        *_integers("at_ms"),
        **_SQLITE,
    )


def downgrade() -> None:
    """Money is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")


def _texts(*names: str, is_key: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), primary_key=is_key, nullable=False) for name in names]


def _integers(*names: str, is_key: bool = False) -> list[sa.Column[int]]:
    return [
        sa.Column(name, _INTEGER, primary_key=is_key, nullable=False, autoincrement=False)
        for name in names
    ]
