"""What reconciliations found. A run is never changed; a repetition is a run of its own."""

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from backend.db.tables import INTEGER, TEXT, BackendTable, table_ref


class ReconciliationRun(BackendTable, table=True):
    """One comparison of one business day."""

    __tablename__ = "reconciliation_run"
    business_date: str = Field(primary_key=True, sa_type=TEXT)
    run: int = Field(primary_key=True, sa_type=INTEGER)
    booked_on: str = Field(sa_type=TEXT)
    matched: int = Field(sa_type=INTEGER)
    breaks: int = Field(sa_type=INTEGER)
    at_ms: int = Field(sa_type=INTEGER)


class ReconciliationBreak(BackendTable, table=True):
    """One difference that a run found."""

    __tablename__ = "reconciliation_break"
    business_date: str = Field(primary_key=True, sa_type=TEXT)
    run: int = Field(primary_key=True, sa_type=INTEGER)
    number: int = Field(primary_key=True, sa_type=INTEGER)
    kind: str = Field(sa_type=TEXT)
    source: str = Field(sa_type=TEXT)
    reference: str = Field(sa_type=TEXT)
    ours_minor: int | None = Field(default=None, sa_type=INTEGER)
    theirs_minor: int | None = Field(default=None, sa_type=INTEGER)


class ReconciliationDay(BackendTable, table=True):
    """How many runs a day has had."""

    __tablename__ = "reconciliation_day"
    business_date: str = Field(primary_key=True, sa_type=TEXT)
    runs: int = Field(sa_type=INTEGER)


class ReconciliationCase(BackendTable, table=True):
    """A break as it stands now, over all runs that found it; how it got there is in its events."""

    __tablename__ = "reconciliation_case"
    __table_args__: Any = (
        Index("ix_reconciliation_case_state", "state", "business_date", "break_id"),
        Index("ix_reconciliation_case_reference", "source", "reference"),
    )
    break_id: str = Field(primary_key=True, sa_type=TEXT)
    kind: str = Field(sa_type=TEXT)
    source: str = Field(sa_type=TEXT)
    reference: str = Field(sa_type=TEXT)
    number: int = Field(sa_type=INTEGER)
    business_date: str = Field(sa_type=TEXT)
    """Of the file, or of ours, in which it was found first."""
    ours_date: str = Field(sa_type=TEXT)
    ours_minor: int | None = Field(default=None, sa_type=INTEGER)
    theirs_minor: int | None = Field(default=None, sa_type=INTEGER)
    currency: str = Field(sa_type=TEXT)
    state: str = Field(sa_type=TEXT)
    pool_until: str = Field(sa_type=TEXT)
    found_at_ms: int = Field(sa_type=INTEGER)
    updated_at_ms: int = Field(sa_type=INTEGER)
    event_count: int = Field(sa_type=INTEGER)
    channel_reference: str = Field(default="", sa_type=TEXT)
    """The institution's own number of what only it has; empty where its file tells none."""
    account: str = Field(default="", sa_type=TEXT)
    """Whose money it is there, as the file says."""


class ReconciliationCaseEvent(BackendTable, table=True):
    """One step of a break: the timeline. Written once, never changed."""

    __tablename__ = "reconciliation_case_event"
    break_id: str = Field(primary_key=True, sa_type=TEXT)
    number: int = Field(primary_key=True, sa_type=INTEGER)
    event: str = Field(sa_type=TEXT)
    state_before: str = Field(sa_type=TEXT)
    state_after: str = Field(sa_type=TEXT)
    at_ms: int = Field(sa_type=INTEGER)
    actor: str = Field(sa_type=TEXT)
    words: str = Field(sa_type=TEXT)


CASE = table_ref(ReconciliationCase)
CASE_EVENT = table_ref(ReconciliationCaseEvent, lock=False)
RUN = table_ref(ReconciliationRun, lock=False)
BREAK = table_ref(ReconciliationBreak, lock=False)
DAY = table_ref(ReconciliationDay)
