"""The merchants' numbers for what they have taken out."""

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, STORAGE, TEXT, BackendTable, table_ref


class ApiWithdrawal(BackendTable, table=True):
    """A withdrawal of a merchant's program: one payout, seen from outside. Written once."""

    __tablename__ = "merchant_api_withdrawal"
    __table_args__: Any = (Index("ix_merchant_api_withdrawal_payout", "payout_id"), STORAGE)
    mchid: str = Field(primary_key=True, sa_type=TEXT)
    out_request_no: str = Field(primary_key=True, sa_type=TEXT)
    payout_id: str = Field(sa_type=TEXT)
    """``withdraw_id`` on the wire."""
    remark: str = Field(sa_type=TEXT)
    bank_memo: str = Field(sa_type=TEXT)
    content_hash: bytes = Field(sa_type=BYTES)
    created_at_ms: int = Field(sa_type=INTEGER)


API_WITHDRAWAL = table_ref(ApiWithdrawal, lock=False)
