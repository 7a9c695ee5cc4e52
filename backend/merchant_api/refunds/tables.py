"""What a refund of a merchant's program says beyond ours, and the merchants' numbers for them."""

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, STORAGE, TEXT, BackendTable, table_ref


class ApiRefund(BackendTable, table=True):
    """A refund of a merchant's program. Written once."""

    __tablename__ = "merchant_api_refund"
    __table_args__: Any = (Index("ix_merchant_api_refund_number", "number"), STORAGE)
    refund_id: str = Field(primary_key=True, sa_type=TEXT)
    mchid: str = Field(sa_type=TEXT)
    out_refund_no: str = Field(sa_type=TEXT)
    payment_id: str = Field(sa_type=TEXT)
    number: str = Field(sa_type=TEXT)
    """The platform's: ``refund_id`` on the wire."""
    funds_account: str = Field(sa_type=TEXT)
    """What the merchant asked for; the engine takes unsettled money first, then the rest."""
    content_hash: bytes = Field(sa_type=BYTES)
    created_at_ms: int = Field(sa_type=INTEGER)


class OutRefundNo(BackendTable, table=True):
    """Which refund a merchant's number means. Written once."""

    __tablename__ = "merchant_api_out_refund_no"
    __table_args__: Any = STORAGE
    mchid: str = Field(primary_key=True, sa_type=TEXT)
    out_refund_no: str = Field(primary_key=True, sa_type=TEXT)
    refund_id: str = Field(sa_type=TEXT)


class LastRefund(BackendTable, table=True):
    """When an order was last refunded by a merchant's program."""

    __tablename__ = "merchant_api_last_refund"
    __table_args__: Any = STORAGE
    payment_id: str = Field(primary_key=True, sa_type=TEXT)
    at_ms: int = Field(sa_type=INTEGER)


class AbnormalRefund(BackendTable, table=True):
    """How a refund was settled that the payer's bank had refused. Written once."""

    __tablename__ = "merchant_api_abnormal_refund"
    __table_args__: Any = (
        Index("ix_merchant_api_abnormal_replacement", "replacement_id"),
        STORAGE,
    )
    refund_id: str = Field(primary_key=True, sa_type=TEXT)
    kind: str = Field(sa_type=TEXT)
    """``USER_BANK_CARD`` or ``MERCHANT_BANK_CARD``."""
    replacement_id: str | None = Field(default=None, sa_type=TEXT)
    """Our refund that stands in its place; None: the merchant has settled it."""
    created_at_ms: int = Field(sa_type=INTEGER)


API_REFUND = table_ref(ApiRefund, lock=False)
OUT_REFUND_NO = table_ref(OutRefundNo, lock=False)
ABNORMAL = table_ref(AbnormalRefund, lock=False)
LAST_REFUND = table_ref(LastRefund)
