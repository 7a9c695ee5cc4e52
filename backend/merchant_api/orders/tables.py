"""What an order says beyond its payment, and the merchants' numbers for them."""

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, STORAGE, TEXT, BackendTable, table_ref


class ApiOrder(BackendTable, table=True):
    """An order of a merchant's program: one payment, seen from outside. Written once."""

    __tablename__ = "merchant_api_order"
    __table_args__: Any = (
        Index("ix_merchant_api_order_transaction", "transaction_id"),
        STORAGE,
    )
    payment_id: str = Field(primary_key=True, sa_type=TEXT)
    mchid: str = Field(sa_type=TEXT)
    out_trade_no: str = Field(sa_type=TEXT)
    transaction_id: str = Field(sa_type=TEXT)
    appid: str = Field(sa_type=TEXT)
    trade_type: str = Field(sa_type=TEXT)
    """``NATIVE``, ``JSAPI``, ``APP``, ``MWEB`` or ``MICROPAY``."""
    attach: str = Field(sa_type=TEXT)
    payer_openid: str = Field(sa_type=TEXT)
    """Who is to pay it; empty: anybody."""
    sub_mchid: str = Field(default="", sa_type=TEXT)
    """The merchant number that the caller acts for; empty: its own."""
    sub_appid: str = Field(default="", sa_type=TEXT)
    device_id: str = Field(sa_type=TEXT)
    content_hash: bytes = Field(sa_type=BYTES)
    """What the first call asked for."""
    created_at_ms: int = Field(sa_type=INTEGER)


class OutTradeNo(BackendTable, table=True):
    """Which payment a merchant's number means. Written once."""

    __tablename__ = "merchant_api_out_trade_no"
    __table_args__: Any = STORAGE
    mchid: str = Field(primary_key=True, sa_type=TEXT)
    out_trade_no: str = Field(primary_key=True, sa_type=TEXT)
    payment_id: str = Field(sa_type=TEXT)


ORDER = table_ref(ApiOrder, lock=False)
OUT_TRADE_NO = table_ref(OutTradeNo, lock=False)
