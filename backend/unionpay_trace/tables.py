"""The tables of the terminal's numbers."""

from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from backend.db.tables import INTEGER, STORAGE, TEXT, BackendTable, table_ref


class UnionPayTerminal(BackendTable, table=True):
    """A terminal of ours: the batch and the STAN it uses next, and the batch it settled last."""

    __tablename__ = "unionpay_terminal"
    tid: str = Field(primary_key=True, sa_type=TEXT)
    batch: int = Field(sa_type=INTEGER)
    next_stan: int = Field(sa_type=INTEGER)
    settled_batch: int = Field(default=0, sa_type=INTEGER)


class UnionPayTrace(BackendTable, table=True):
    """A transaction's numbers, stored before it was sent, and what the switch said of it."""

    __tablename__ = "unionpay_trace"
    __table_args__: Any = (
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("ix_unionpay_trace_batch", "tid", "batch", "stan"),
        STORAGE,
    )
    own_id: str = Field(primary_key=True, sa_type=TEXT)
    """The payment's or the refund's id."""
    kind: str = Field(sa_type=TEXT)
    amount_minor: int = Field(sa_type=INTEGER)
    token: str = Field(sa_type=TEXT)
    tid: str = Field(sa_type=TEXT)
    mid: str = Field(sa_type=TEXT)
    batch: int = Field(sa_type=INTEGER)
    stan: int = Field(sa_type=INTEGER)
    local_date: str = Field(sa_type=TEXT)
    """MMDD in China, as it stands in field 13."""
    local_time: str = Field(sa_type=TEXT)
    code: str = Field(default="", sa_type=TEXT)
    """Field 39 of the last answer; empty while there is none."""
    rrn: str = Field(default="", sa_type=TEXT)
    settlement_date: str = Field(default="", sa_type=TEXT)
    counts: int = Field(default=0, sa_type=INTEGER)
    """1: it moved money and was not undone."""


TERMINAL = table_ref(UnionPayTerminal)
TRACE = table_ref(UnionPayTrace)
