"""Service orders of merchants' programs, and the merchants' numbers for them."""

import sqlalchemy as sa
from alembic import op

revision = "payscore_0001"
down_revision = None
branch_labels = ("payscore",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SQLITE = {"sqlite_with_rowid": False, "sqlite_strict": True}


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "merchant_api_service_order",
        *_texts("order_id", is_key=True),
        *_texts("mchid", "appid", "out_order_no"),
        *_integers("service_id"),
        *_texts("state", "said"),
        *_integers("risk_minor", "total_minor"),
        *_texts("notify_url"),
        *_texts("payer_id", "payment_id", nullable=True),
        *_integers("try_count"),
        *_texts("paid_elsewhere_at"),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("completed_hash", sa.LargeBinary(), nullable=False),
        *_integers("expires_at_ms", "valid_until_ms", "created_at_ms", "updated_at_ms"),
        sa.CheckConstraint("total_minor BETWEEN 0 AND risk_minor", name="total"),
        **_SQLITE,
    )
    for name in ("payer_id", "payment_id"):
        index = f"ix_merchant_api_service_order_{name.removesuffix('_id')}"
        op.create_index(index, "merchant_api_service_order", [name])
    op.create_table(
        "merchant_api_out_order_no",
        *_texts("mchid", "out_order_no", is_key=True),
        *_texts("order_id"),
        **_SQLITE,
    )


def downgrade() -> None:
    """What payers agreed to is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")


def _texts(*names: str, is_key: bool = False, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), primary_key=is_key, nullable=nullable) for name in names]


def _integers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, _INTEGER, nullable=False) for name in names]
