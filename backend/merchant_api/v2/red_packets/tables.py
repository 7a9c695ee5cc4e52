"""What a merchant's program says of a red packet beyond ours, by the merchant's number for it."""

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, STORAGE, TEXT, BackendTable, table_ref


class ApiRedPacket(BackendTable, table=True):
    """A red packet of a merchant's program. Written once."""

    __tablename__ = "merchant_api_red_packet"
    __table_args__: Any = (
        Index("ix_merchant_api_red_packet_packet", "red_packet_id"),
        STORAGE,
    )
    mchid: str = Field(primary_key=True, sa_type=TEXT)
    mch_billno: str = Field(primary_key=True, sa_type=TEXT)
    red_packet_id: str = Field(sa_type=TEXT)
    number: str = Field(sa_type=TEXT)
    """The platform's: ``send_listid`` and ``detail_id`` on the wire."""
    openid: str = Field(sa_type=TEXT)
    act_name: str = Field(sa_type=TEXT)
    remark: str = Field(sa_type=TEXT)
    content_hash: bytes = Field(sa_type=BYTES)
    created_at_ms: int = Field(sa_type=INTEGER)


API_RED_PACKET = table_ref(ApiRedPacket, lock=False)
