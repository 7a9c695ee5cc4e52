"""The merchants' numbers for orders that are paid at once."""

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, STORAGE, TEXT, BackendTable, table_ref


class Combine(BackendTable, table=True):
    """Which payments a number means, by their group's lead. Written once."""

    __tablename__ = "merchant_api_combine"
    __table_args__: Any = (Index("ix_merchant_api_combine_lead", "lead_id"), STORAGE)
    mchid: str = Field(primary_key=True, sa_type=TEXT)
    out_trade_no: str = Field(primary_key=True, sa_type=TEXT)
    lead_id: str = Field(sa_type=TEXT)
    appid: str = Field(sa_type=TEXT)
    trade_type: str = Field(sa_type=TEXT)
    device_id: str = Field(sa_type=TEXT)
    content_hash: bytes = Field(sa_type=BYTES)
    created_at_ms: int = Field(sa_type=INTEGER)


COMBINE = table_ref(Combine, lock=False)
