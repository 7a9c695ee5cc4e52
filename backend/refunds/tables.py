"""The refunds' table."""

from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, STORAGE, TEXT, BackendTable, table_ref


class Refund(BackendTable, table=True):
    """A refund and how it ended. A failed one is kept: its id can never succeed later."""

    __tablename__ = "refund"
    __table_args__: Any = (
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("ix_refund_payment", "payment_id", "created_at_ms"),
        Index("ix_refund_merchant", "merchant_id", "created_at_ms"),
        STORAGE,
    )
    refund_id: str = Field(primary_key=True, sa_type=TEXT)
    payment_id: str = Field(sa_type=TEXT)
    merchant_id: str = Field(sa_type=TEXT)
    store: str = Field(sa_type=TEXT)
    device: str = Field(sa_type=TEXT)
    till: str = Field(default="", sa_type=TEXT)
    cashier: str = Field(default="", sa_type=TEXT)
    amount_minor: int = Field(sa_type=INTEGER)
    currency: str = Field(sa_type=TEXT)
    reason: str = Field(default="", sa_type=TEXT)
    state: str = Field(sa_type=TEXT)
    """``processing``, ``succeeded`` or ``failed``."""
    error_code: str | None = Field(default=None, sa_type=TEXT)
    fee_returned_minor: int = Field(default=0, sa_type=INTEGER)
    source: str = Field(default="", sa_type=TEXT)
    """``MPEND``, ``MAVAIL`` or ``MPEND+MAVAIL``: whose money it was."""
    created_at_ms: int = Field(sa_type=INTEGER)
    business_date: str = Field(sa_type=TEXT)
    body_hash: bytes = Field(sa_type=BYTES)
    trace_id: str = Field(default="", sa_type=TEXT)
    funding: str = Field(default="balance", sa_type=TEXT)
    """Where the money goes back to: what the payment was paid from."""
    coupon_returned_minor: int = Field(default=0, sa_type=INTEGER)
    """The part of the amount that goes back to us, because our coupon had paid it."""
    notify_url: str | None = Field(default=None, sa_type=TEXT)
    """Where news of this refund goes; NULL: to the merchant's own address."""
    notify_form: str = Field(default="", sa_type=TEXT)
    """In which form it goes there; empty: in ours."""


REFUND = table_ref(Refund)
