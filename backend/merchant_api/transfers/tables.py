"""What a transfer says beyond ours, and the merchants' numbers for them."""

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, STORAGE, TEXT, BackendTable, table_ref


class ApiTransfer(BackendTable, table=True):
    """A transfer of a merchant's program. Written once."""

    __tablename__ = "merchant_api_transfer"
    __table_args__: Any = (
        Index("ix_merchant_api_transfer_number", "number"),
        Index("ix_merchant_api_transfer_transfer", "transfer_id"),
        STORAGE,
    )
    mchid: str = Field(primary_key=True, sa_type=TEXT)
    out_bill_no: str = Field(primary_key=True, sa_type=TEXT)
    transfer_id: str = Field(sa_type=TEXT)
    number: str = Field(sa_type=TEXT)
    """The platform's: ``transfer_bill_no`` on the wire."""
    appid: str = Field(sa_type=TEXT)
    openid: str = Field(sa_type=TEXT)
    scene_id: str = Field(sa_type=TEXT)
    content_hash: bytes = Field(sa_type=BYTES)
    created_at_ms: int = Field(sa_type=INTEGER)


API_TRANSFER = table_ref(ApiTransfer, lock=False)
