"""What the day's end leaves besides money that moved: windows, costs, interest, reserve tests."""

from typing import Any

from sqlalchemy import CheckConstraint
from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, STORAGE, TEXT, BackendTable, table_ref


class ClearingWindow(BackendTable, table=True):
    """A channel's day, from open to settled."""

    __tablename__ = "clearing_window"
    channel_id: str = Field(primary_key=True, sa_type=TEXT)
    settlement_date: str = Field(primary_key=True, sa_type=TEXT)
    state: str = Field(sa_type=TEXT)
    net_minor: int = Field(default=0, sa_type=INTEGER)
    """What must come into the reserve by our books; negative: what must leave it."""
    settled_minor: int = Field(default=0, sa_type=INTEGER)
    """What the statement has shown of it."""
    opened_at_ms: int = Field(sa_type=INTEGER)
    updated_at_ms: int = Field(sa_type=INTEGER)


class ChannelCost(BackendTable, table=True):
    """A channel's items of one day, counted so far, and what is posted of their cost."""

    __tablename__ = "channel_cost"
    __table_args__: Any = (
        CheckConstraint("items >= 0 AND whole_minor >= 0", name="signs"),
        STORAGE,
    )
    channel_id: str = Field(primary_key=True, sa_type=TEXT)
    business_date: str = Field(primary_key=True, sa_type=TEXT)
    items: int = Field(sa_type=INTEGER)
    cost_micro: int = Field(sa_type=INTEGER)
    whole_minor: int = Field(sa_type=INTEGER)
    updated_at_ms: int = Field(sa_type=INTEGER)


class ChannelCarry(BackendTable, table=True):
    """The part of a minor unit that a channel's cost carries from day to day."""

    __tablename__ = "channel_carry"
    __table_args__: Any = (CheckConstraint("carried_micro >= 0", name="carried"), STORAGE)
    channel_id: str = Field(primary_key=True, sa_type=TEXT)
    carried_micro: int = Field(sa_type=INTEGER)


class ReserveInterest(BackendTable, table=True):
    """What one day's balance of the reserve earns, in parts. Written once, never changed."""

    __tablename__ = "reserve_interest"
    business_date: str = Field(primary_key=True, sa_type=TEXT)
    balance_minor: int = Field(sa_type=INTEGER)
    rate_bps: int = Field(sa_type=INTEGER)
    parts: int = Field(sa_type=INTEGER)
    at_ms: int = Field(sa_type=INTEGER)


class ReserveTestRow(BackendTable, table=True):
    """A signed test of the reserve. Written once, never changed; a run adds one if anything in it
    differs from the last."""

    __tablename__ = "reserve_test"
    business_date: str = Field(primary_key=True, sa_type=TEXT)
    number: int = Field(primary_key=True, sa_type=INTEGER)
    passed: int = Field(sa_type=INTEGER)
    note: str = Field(sa_type=TEXT)
    key: str = Field(sa_type=TEXT)
    stamp: bytes = Field(default=b"", sa_type=BYTES)
    """A time stamper's token over the note's SHA-256 (RFC 3161); empty where there is none."""
    at_ms: int = Field(sa_type=INTEGER)


WINDOW = table_ref(ClearingWindow)
COST = table_ref(ChannelCost)
CARRY = table_ref(ChannelCarry)
INTEREST = table_ref(ReserveInterest, lock=False)
RESERVE_TEST = table_ref(ReserveTestRow, lock=False)
