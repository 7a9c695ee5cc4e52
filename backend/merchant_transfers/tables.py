"""The merchants' transfers' table."""

from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from backend.db.tables import INTEGER, STORAGE, TEXT, BackendTable, table_ref


class MerchantTransfer(BackendTable, table=True):
    """A merchant's transfer to a payer, and what became of it."""

    __tablename__ = "merchant_transfer"
    __table_args__: Any = (
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("ix_merchant_transfer_receiver", "receiver_id", "created_at_ms"),
        Index("ix_merchant_transfer_due", "state", "expires_at_ms"),
        STORAGE,
    )
    transfer_id: str = Field(primary_key=True, sa_type=TEXT)
    merchant_id: str = Field(sa_type=TEXT)
    receiver_id: str = Field(sa_type=TEXT)
    amount_minor: int = Field(sa_type=INTEGER)
    currency: str = Field(sa_type=TEXT)
    remark: str = Field(sa_type=TEXT)
    state: str = Field(sa_type=TEXT)
    reason: str = Field(default="", sa_type=TEXT)
    notify_url: str | None = Field(default=None, sa_type=TEXT)
    notify_form: str = Field(default="", sa_type=TEXT)
    created_at_ms: int = Field(sa_type=INTEGER)
    updated_at_ms: int = Field(sa_type=INTEGER)
    expires_at_ms: int = Field(sa_type=INTEGER)


MERCHANT_TRANSFER = table_ref(MerchantTransfer)
