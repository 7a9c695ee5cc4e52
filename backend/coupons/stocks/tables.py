"""The stocks' tables. What a stock has is in the books (``C:STOCK:<stock>``)."""

from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, STORAGE, TEXT, BackendTable, table_ref


class CouponStock(BackendTable, table=True):
    """A stock of equal coupons as it stands now."""

    __tablename__ = "coupon_stock"
    __table_args__: Any = (
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("sent_count BETWEEN 0 AND max_coupons", name="sent"),
        Index("ix_coupon_stock_owner", "owner", "created_at_ms"),
        Index("ix_coupon_stock_due", "due_at_ms"),
        STORAGE,
    )
    stock_id: str = Field(primary_key=True, sa_type=TEXT)
    owner: str = Field(sa_type=TEXT)
    """The merchant number that made it."""
    merchant_id: str = Field(sa_type=TEXT)
    content_hash: bytes = Field(sa_type=BYTES)
    name: str = Field(sa_type=TEXT)
    comment: str = Field(sa_type=TEXT)
    description: str = Field(sa_type=TEXT)
    currency: str = Field(sa_type=TEXT)
    amount_minor: int = Field(sa_type=INTEGER)
    minimum_minor: int = Field(sa_type=INTEGER)
    max_coupons: int = Field(sa_type=INTEGER)
    max_amount_minor: int = Field(sa_type=INTEGER)
    max_per_payer: int = Field(sa_type=INTEGER)
    begin_ms: int = Field(sa_type=INTEGER)
    end_ms: int = Field(sa_type=INTEGER)
    state: str = Field(sa_type=TEXT)
    sent_count: int = Field(default=0, sa_type=INTEGER)
    release_count: int = Field(default=0, sa_type=INTEGER)
    created_at_ms: int = Field(sa_type=INTEGER)
    started_at_ms: int | None = Field(default=None, sa_type=INTEGER)
    stepped_at_ms: int = Field(sa_type=INTEGER)
    """When its merchant last started, paused or restarted it; at first: made it."""
    stopped_at_ms: int | None = Field(default=None, sa_type=INTEGER)
    due_at_ms: int | None = Field(default=None, sa_type=INTEGER)
    """When the clock looks at it; NULL once it has ended and nothing is left."""


class SentCoupon(BackendTable, table=True):
    """A coupon that was given out under a number of its merchant. Written once."""

    __tablename__ = "coupon_sent"
    __table_args__: Any = STORAGE
    owner: str = Field(primary_key=True, sa_type=TEXT)
    out_request_no: str = Field(primary_key=True, sa_type=TEXT)
    coupon_id: str = Field(sa_type=TEXT)
    content_hash: bytes = Field(sa_type=BYTES)


class StockPayer(BackendTable, table=True):
    """How many coupons of a stock a payer has had."""

    __tablename__ = "coupon_stock_payer"
    __table_args__: Any = STORAGE
    stock_id: str = Field(primary_key=True, sa_type=TEXT)
    payer_id: str = Field(primary_key=True, sa_type=TEXT)
    had_count: int = Field(sa_type=INTEGER)


class StockNews(BackendTable, table=True):
    """Where a merchant wants to hear that its coupons are used."""

    __tablename__ = "coupon_news"
    __table_args__: Any = STORAGE
    merchant_id: str = Field(primary_key=True, sa_type=TEXT)
    notify_url: str | None = Field(default=None, sa_type=TEXT)
    """NULL: nowhere."""
    notify_form: str = Field(sa_type=TEXT)
    updated_at_ms: int = Field(sa_type=INTEGER)


COUPON_STOCK = table_ref(CouponStock)
SENT_COUPON = table_ref(SentCoupon)
STOCK_PAYER = table_ref(StockPayer)
STOCK_NEWS = table_ref(StockNews)
