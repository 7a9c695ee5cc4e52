"""The shards' tables: who we are, what we sent, what we refused, and how far each lane has come.

A crossing is written once and never changed: triggers refuse it. How it ended is read from the
lane's cursors and the ledger.
"""

from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, STORAGE, TEXT, BackendTable, table_ref

HERE = "here"


class ShardPlace(BackendTable, table=True):
    """One row: which shard of which map this database is."""

    __tablename__ = "shard_place"
    id: str = Field(primary_key=True, sa_type=TEXT)
    number: int = Field(sa_type=INTEGER)
    founding: str = Field(sa_type=TEXT)
    epoch: int = Field(sa_type=INTEGER)
    count: int = Field(sa_type=INTEGER)
    places: bytes = Field(sa_type=BYTES)


class ShardCrossing(BackendTable, table=True):
    """A payment that was charged here for a merchant elsewhere: ``model.Crossing``."""

    __tablename__ = "shard_crossing"
    __table_args__: Any = (
        Index("ix_shard_crossing_lane", "peer", "seq", unique=True),
        CheckConstraint("amount_minor > 0", name="amount"),
        STORAGE,
    )
    event_id: str = Field(primary_key=True, sa_type=TEXT)
    peer: int = Field(sa_type=INTEGER)
    seq: int = Field(sa_type=INTEGER)
    user_id: str = Field(sa_type=TEXT)
    owner: str = Field(sa_type=TEXT)
    amount_minor: int = Field(sa_type=INTEGER)
    fee_minor: int = Field(sa_type=INTEGER)
    currency: str = Field(sa_type=TEXT)
    business_date: str = Field(sa_type=TEXT)
    details: str = Field(sa_type=TEXT)
    at_ms: int = Field(sa_type=INTEGER)


class ShardRefusal(BackendTable, table=True):
    """A peer's crossing that was not credited here."""

    __tablename__ = "shard_refusal"
    sender: int = Field(primary_key=True, sa_type=INTEGER)
    seq: int = Field(primary_key=True, sa_type=INTEGER)
    event_id: str = Field(sa_type=TEXT)
    code: str = Field(sa_type=TEXT)
    at_ms: int = Field(sa_type=INTEGER)


class ShardLane(BackendTable, table=True):
    """How far the two lanes between us and a peer have come, in both directions."""

    __tablename__ = "shard_lane"
    peer: int = Field(primary_key=True, sa_type=INTEGER)
    sent_seq: int = Field(default=0, sa_type=INTEGER)
    """Our last crossing to the peer."""
    settled_seq: int = Field(default=0, sa_type=INTEGER)
    """Up to here we know how ours ended, and have given back what was refused."""
    received_seq: int = Field(default=0, sa_type=INTEGER)
    """Up to here the peer's are credited or refused here."""
    refused_seq: int = Field(default=0, sa_type=INTEGER)
    """The last of the peer's that was refused here."""


PLACE = table_ref(ShardPlace)
CROSSING = table_ref(ShardCrossing, lock=False)
REFUSAL = table_ref(ShardRefusal, lock=False)
LANE = table_ref(ShardLane)
