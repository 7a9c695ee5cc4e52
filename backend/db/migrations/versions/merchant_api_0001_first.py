"""Merchants' programs may call."""

import sqlalchemy as sa
from alembic import op

revision = "merchant_api_0001"
down_revision = None
branch_labels = ("merchant_api",)
depends_on = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIGHT = {"sqlite_with_rowid": False, "sqlite_strict": True}


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, _INTEGER, nullable=False) for name in names]


def _bytes(*names: str) -> list[sa.Column[bytes]]:
    return [sa.Column(name, sa.LargeBinary(), nullable=False) for name in names]


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), primary_key=True, nullable=False)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "merchant_api_platform_key",
        _key("kind"),
        sa.Column("generation", _INTEGER, primary_key=True, nullable=False),
        *_text("serial", "public_pem"),
        *_bytes("private_sealed"),
        *_numbers("signs_from_ms", "ends_at_ms", "created_at_ms"),
        **_TIGHT,
    )
    op.create_table(
        "merchant_api_account",
        _key("mchid"),
        *_text("merchant_id", "appid", "serial", "certificate"),
        *_bytes("api_v3_sealed", "api_v2_sealed"),
        *_text("key_mode"),
        *_numbers("created_at_ms"),
        **_TIGHT,
    )
    op.create_table(
        "merchant_api_order",
        _key("payment_id"),
        *_text("mchid", "out_trade_no", "transaction_id", "appid", "trade_type", "attach",
               "payer_openid", "device_id"),
        *_bytes("content_hash"),
        *_numbers("created_at_ms"),
        **_TIGHT,
    )  # fmt: skip
    op.create_index("ix_merchant_api_order_transaction", "merchant_api_order", ["transaction_id"])
    op.create_table(
        "merchant_api_out_trade_no",
        _key("mchid"),
        _key("out_trade_no"),
        *_text("payment_id"),
        **_TIGHT,
    )
    op.create_table(
        "merchant_api_refund",
        _key("refund_id"),
        *_text("mchid", "out_refund_no", "payment_id", "number", "funds_account"),
        *_bytes("content_hash"),
        *_numbers("created_at_ms"),
        **_TIGHT,
    )
    op.create_table(
        "merchant_api_out_refund_no",
        _key("mchid"),
        _key("out_refund_no"),
        *_text("refund_id"),
        **_TIGHT,
    )


def downgrade() -> None:
    """What merchants were paid is never dropped by a program."""
    raise RuntimeError("this migration cannot be undone")
