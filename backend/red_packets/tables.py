"""The red packets' tables."""

from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from backend.db.tables import INTEGER, STORAGE, TEXT, BackendTable, table_ref


class RedPacket(BackendTable, table=True):
    """A red packet and what is left in it."""

    __tablename__ = "red_packet"
    __table_args__: Any = (
        CheckConstraint("total_minor > 0 AND share_count > 0", name="total"),
        CheckConstraint("left_minor BETWEEN 0 AND total_minor", name="left_minor"),
        CheckConstraint("left_count BETWEEN 0 AND share_count", name="left_count"),
        Index("ix_red_packet_sender", "sender_id", "created_at_ms"),
        Index("ix_red_packet_receiver", "receiver_id", "created_at_ms"),
        Index("ix_red_packet_due", "state", "expires_at_ms"),
        STORAGE,
    )
    red_packet_id: str = Field(primary_key=True, sa_type=TEXT)
    sender_id: str = Field(sa_type=TEXT)
    sender_kind: str = Field(default="payer", sa_type=TEXT)
    """``payer`` or ``merchant``."""
    sender_name: str = Field(default="", sa_type=TEXT)
    """What a merchant calls itself in it."""
    receiver_id: str | None = Field(default=None, sa_type=TEXT)
    """The payer who alone may take it; None: whoever has its id."""
    kind: str = Field(sa_type=TEXT)
    total_minor: int = Field(sa_type=INTEGER)
    share_count: int = Field(sa_type=INTEGER)
    currency: str = Field(sa_type=TEXT)
    wish: str = Field(sa_type=TEXT)
    shares: str = Field(sa_type=TEXT)
    """JSON: the shares in the order in which they are taken. Nobody is shown those to come."""
    left_minor: int = Field(sa_type=INTEGER)
    left_count: int = Field(sa_type=INTEGER)
    state: str = Field(sa_type=TEXT)
    created_at_ms: int = Field(sa_type=INTEGER)
    expires_at_ms: int = Field(sa_type=INTEGER)
    ended_at_ms: int | None = Field(default=None, sa_type=INTEGER)


class RedPacketClaim(BackendTable, table=True):
    """A share that a payer has taken. Written once, never changed."""

    __tablename__ = "red_packet_claim"
    __table_args__: Any = (
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("ix_red_packet_claim_payer", "payer_id", "at_ms"),
        STORAGE,
    )
    red_packet_id: str = Field(primary_key=True, sa_type=TEXT)
    payer_id: str = Field(primary_key=True, sa_type=TEXT)
    number: int = Field(sa_type=INTEGER)
    """Which share, from 1."""
    amount_minor: int = Field(sa_type=INTEGER)
    at_ms: int = Field(sa_type=INTEGER)


RED_PACKET = table_ref(RedPacket)
CLAIM = table_ref(RedPacketClaim, lock=False)
