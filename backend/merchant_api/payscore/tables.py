"""Service orders, and the merchants' numbers for them."""

from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, STORAGE, TEXT, BackendTable, table_ref


class ServiceOrder(BackendTable, table=True):
    """A service that a payer has agreed to, or is asked to."""

    __tablename__ = "merchant_api_service_order"
    __table_args__: Any = (
        CheckConstraint("total_minor BETWEEN 0 AND risk_minor", name="total"),
        Index("ix_merchant_api_service_order_payer", "payer_id"),
        Index("ix_merchant_api_service_order_payment", "payment_id"),
        STORAGE,
    )
    order_id: str = Field(primary_key=True, sa_type=TEXT)
    mandate_id: str = Field(default="", sa_type=TEXT)
    """Under which it is debited: its own, of the same id, or the payer's permission."""
    mchid: str = Field(sa_type=TEXT)
    appid: str = Field(sa_type=TEXT)
    out_order_no: str = Field(sa_type=TEXT)
    service_id: int = Field(sa_type=INTEGER)
    """The plan on whose terms it is asked for."""
    state: str = Field(sa_type=TEXT)
    said: str = Field(sa_type=TEXT)
    """What the merchant last said of it, as JSON in the interface's words."""
    risk_minor: int = Field(sa_type=INTEGER)
    """The most that can be debited."""
    total_minor: int = Field(default=0, sa_type=INTEGER)
    """What the service cost, once it is completed."""
    notify_url: str = Field(sa_type=TEXT)
    payer_id: str | None = Field(default=None, sa_type=TEXT)
    """Who has agreed."""
    payment_id: str | None = Field(default=None, sa_type=TEXT)
    """The last try to debit it."""
    try_count: int = Field(default=0, sa_type=INTEGER)
    paid_elsewhere_at: str = Field(default="", sa_type=TEXT)
    """When the merchant was paid by other means, as it said."""
    content_hash: bytes = Field(sa_type=BYTES)
    completed_hash: bytes = Field(default=b"", sa_type=BYTES)
    """What the completion asked for."""
    expires_at_ms: int = Field(sa_type=INTEGER)
    """Until when the payer can agree."""
    valid_until_ms: int = Field(sa_type=INTEGER)
    created_at_ms: int = Field(sa_type=INTEGER)
    updated_at_ms: int = Field(sa_type=INTEGER)


class OutOrderNo(BackendTable, table=True):
    """Which service order a merchant's number means. Written once."""

    __tablename__ = "merchant_api_out_order_no"
    __table_args__: Any = STORAGE
    mchid: str = Field(primary_key=True, sa_type=TEXT)
    out_order_no: str = Field(primary_key=True, sa_type=TEXT)
    order_id: str = Field(sa_type=TEXT)


SERVICE_ORDER = table_ref(ServiceOrder)
OUT_ORDER_NO = table_ref(OutOrderNo, lock=False)
