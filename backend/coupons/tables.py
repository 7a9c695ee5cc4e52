"""The coupons' tables. Which part of a payment a coupon paid stands in the payment's own row."""

from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from backend.db.tables import INTEGER, STORAGE, TEXT, BackendTable, table_ref


class Coupon(BackendTable, table=True):
    """A coupon as it stands now; how it got there is in its events."""

    __tablename__ = "coupon"
    __table_args__: Any = (
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("minimum_minor >= 0", name="minimum"),
        CheckConstraint("valid_from_ms < valid_until_ms", name="valid"),
        Index("ix_coupon_payer", "payer_id", "created_at_ms"),
        Index("ix_coupon_due", "state", "valid_until_ms"),
        Index("ix_coupon_stock_state", "stock_id", "state"),
        STORAGE,
    )
    coupon_id: str = Field(primary_key=True, sa_type=TEXT)
    payer_id: str = Field(sa_type=TEXT)
    merchant_id: str | None = Field(default=None, sa_type=TEXT)
    """NULL: it may be used at every merchant's."""
    amount_minor: int = Field(sa_type=INTEGER)
    currency: str = Field(sa_type=TEXT)
    stock_id: str | None = Field(default=None, sa_type=TEXT)
    """The merchant's stock that pays for it; NULL: it is ours."""
    minimum_minor: int = Field(sa_type=INTEGER)
    valid_from_ms: int = Field(sa_type=INTEGER)
    valid_until_ms: int = Field(sa_type=INTEGER)
    state: str = Field(sa_type=TEXT)
    payment_id: str | None = Field(default=None, sa_type=TEXT)
    """The payment that uses it; NULL unless *used*."""
    created_at_ms: int = Field(sa_type=INTEGER)
    updated_at_ms: int = Field(sa_type=INTEGER)
    event_count: int = Field(default=0, sa_type=INTEGER)


class CouponEventRow(BackendTable, table=True):
    """One step of a coupon's life. Written once, never changed."""

    __tablename__ = "coupon_event"
    coupon_id: str = Field(primary_key=True, sa_type=TEXT)
    number: int = Field(primary_key=True, sa_type=INTEGER)
    event: str = Field(sa_type=TEXT)
    state_before: str = Field(sa_type=TEXT)
    state_after: str = Field(sa_type=TEXT)
    actor: str = Field(sa_type=TEXT)
    """``operator``, ``clock``, or whose step of a payment it was."""
    payment_id: str | None = Field(default=None, sa_type=TEXT)
    at_ms: int = Field(sa_type=INTEGER)


COUPON = table_ref(Coupon)
EVENT = table_ref(CouponEventRow, lock=False)
