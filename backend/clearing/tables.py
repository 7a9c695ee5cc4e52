"""The clearing's tables: what was settled, paid out, moved to and from our own account, and each
run's report."""

from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from backend.db.tables import INTEGER, STORAGE, TEXT, BackendTable, table_ref


class Settlement(BackendTable, table=True):
    """How much of a merchant's money became available up to a business date, and the payout made
    of it. Number 0 is the first run that closed a day; higher ones went before it, within the day,
    or after it: a channel had paid, or a payout that the bank had rejected was tried again."""

    __tablename__ = "settlement"
    merchant_id: str = Field(primary_key=True, sa_type=TEXT)
    business_date: str = Field(primary_key=True, sa_type=TEXT)
    """The latest that was due."""
    number: int = Field(primary_key=True, sa_type=INTEGER)
    amount_minor: int = Field(sa_type=INTEGER)
    currency: str = Field(sa_type=TEXT)
    payout_id: str | None = Field(default=None, sa_type=TEXT)
    at_ms: int = Field(sa_type=INTEGER)


class Payout(BackendTable, table=True):
    """Money on its way to a merchant's bank account."""

    __tablename__ = "payout"
    __table_args__: Any = (
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("ix_payout_state", "state"),
        STORAGE,
    )
    payout_id: str = Field(primary_key=True, sa_type=TEXT)
    merchant_id: str = Field(sa_type=TEXT)
    business_date: str = Field(sa_type=TEXT)
    """The day whose run made it."""
    amount_minor: int = Field(sa_type=INTEGER)
    currency: str = Field(sa_type=TEXT)
    account_name: str = Field(sa_type=TEXT)
    account_no: str = Field(sa_type=TEXT)
    state: str = Field(sa_type=TEXT)
    reason: str = Field(default="", sa_type=TEXT)
    execution_date: str = Field(sa_type=TEXT)
    instructed_at_ms: int = Field(sa_type=INTEGER)
    """Stands in the message, so that a repetition has the same bytes."""
    updated_at_ms: int = Field(sa_type=INTEGER)


class OwnMove(BackendTable, table=True):
    """Money on its way between the reserve and our own account. Positive leaves the reserve,
    negative comes into it. Once per day, currency and kind, and again only after a rejection."""

    __tablename__ = "own_move"
    __table_args__: Any = (CheckConstraint("amount_minor <> 0", name="amount"), STORAGE)
    business_date: str = Field(primary_key=True, sa_type=TEXT)
    currency: str = Field(primary_key=True, sa_type=TEXT)
    kind: str = Field(primary_key=True, sa_type=TEXT)
    """``fees`` or ``own_funds``."""
    number: int = Field(primary_key=True, sa_type=INTEGER)
    """Which try it is."""
    move_id: str = Field(sa_type=TEXT)
    amount_minor: int = Field(sa_type=INTEGER)
    state: str = Field(sa_type=TEXT)
    reason: str = Field(default="", sa_type=TEXT)
    execution_date: str = Field(sa_type=TEXT)
    instructed_at_ms: int = Field(sa_type=INTEGER)
    updated_at_ms: int = Field(sa_type=INTEGER)


class ClearingDay(BackendTable, table=True):
    """The last report of a business day's run, as JSON."""

    __tablename__ = "clearing_day"
    business_date: str = Field(primary_key=True, sa_type=TEXT)
    state: str = Field(sa_type=TEXT)
    runs: int = Field(sa_type=INTEGER)
    report: str = Field(sa_type=TEXT)
    updated_at_ms: int = Field(sa_type=INTEGER)


SETTLEMENT = table_ref(Settlement)
PAYOUT = table_ref(Payout)
OWN_MOVE = table_ref(OwnMove)
CLEARING_DAY = table_ref(ClearingDay)
