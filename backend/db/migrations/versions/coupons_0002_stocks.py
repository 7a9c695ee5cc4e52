"""Stocks of coupons that merchants pay for, what was given out of them, and whom it is told."""

import sqlalchemy as sa
from alembic import op

revision = "coupons_0002"
down_revision = "coupons_0001"
branch_labels = None
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SQLITE = {"sqlite_with_rowid": False, "sqlite_strict": True}


def upgrade() -> None:
    """Coupons of before are ours."""
    op.add_column("coupon", sa.Column("stock_id", sa.Text(), nullable=True))
    op.create_index("ix_coupon_stock_state", "coupon", ["stock_id", "state"])
    op.create_table(
        "coupon_stock",
        _text("stock_id", is_key=True),
        *map(_text, ("owner", "merchant_id")),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        *map(_text, ("name", "comment", "description", "currency")),
        *map(_int, ("amount_minor", "minimum_minor", "max_coupons", "max_amount_minor")),
        *map(_int, ("max_per_payer", "begin_ms", "end_ms")),
        _text("state"),
        *map(_int, ("sent_count", "release_count", "created_at_ms")),
        _int("started_at_ms", is_nullable=True),
        _int("stepped_at_ms"),
        _int("stopped_at_ms", is_nullable=True),
        _int("due_at_ms", is_nullable=True),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_coupon_stock_amount")),
        sa.CheckConstraint(
            "sent_count BETWEEN 0 AND max_coupons", name=op.f("ck_coupon_stock_sent")
        ),
        **_SQLITE,
    )
    op.create_index("ix_coupon_stock_owner", "coupon_stock", ["owner", "created_at_ms"])
    op.create_index("ix_coupon_stock_due", "coupon_stock", ["due_at_ms"])
    op.create_table(
        "coupon_sent",
        _text("owner", is_key=True),
        _text("out_request_no", is_key=True),
        _text("coupon_id"),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        **_SQLITE,
    )
    op.create_table(
        "coupon_stock_payer",
        _text("stock_id", is_key=True),
        _text("payer_id", is_key=True),
        _int("had_count"),
        **_SQLITE,
    )
    op.create_table(
        "coupon_news",
        _text("merchant_id", is_key=True),
        sa.Column("notify_url", sa.Text(), nullable=True),
        _text("notify_form"),
        _int("updated_at_ms"),
        **_SQLITE,
    )


def downgrade() -> None:
    """Money is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")


def _text(name: str, *, is_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), primary_key=is_key, nullable=False)


def _int(name: str, *, is_nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, _INTEGER, nullable=is_nullable)
