"""The tables of suspicious-transaction reports."""

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, STORAGE, TEXT, BackendTable, table_ref


class AmlReport(BackendTable, table=True):
    """A report as it stands now; how it got there is in its events."""

    __tablename__ = "aml_report"
    __table_args__: Any = (
        Index("ix_aml_report_state", "state", "due_at_ms", "report_id"),
        STORAGE,
    )
    report_id: str = Field(primary_key=True, sa_type=TEXT)
    subject_kind: str = Field(sa_type=TEXT)
    subject_id: str = Field(sa_type=TEXT)
    reason: str = Field(sa_type=TEXT)
    case_id: str = Field(default="", sa_type=TEXT)
    """The case that it comes from, if there is one."""
    payments: str = Field(sa_type=TEXT)
    """Those that are suspicious, as a JSON list."""
    state: str = Field(sa_type=TEXT)
    analyst: str = Field(default="", sa_type=TEXT)
    analysis: str = Field(default="", sa_type=TEXT)
    decided_by: str = Field(default="", sa_type=TEXT)
    receipt: str = Field(default="", sa_type=TEXT)
    """Under which the AML centre has it."""
    filed: str = Field(default="", sa_type=TEXT)
    """The file as it was filed; empty before."""
    raised_at_ms: int = Field(sa_type=INTEGER)
    warn_at_ms: int = Field(sa_type=INTEGER)
    due_at_ms: int = Field(sa_type=INTEGER)
    updated_at_ms: int = Field(sa_type=INTEGER)
    event_count: int = Field(default=0, sa_type=INTEGER)
    link: bytes = Field(default=b"", sa_type=BYTES)
    """Of the latest event."""


class AmlReportEvent(BackendTable, table=True):
    """One step of a report, and who took it. Written once, never changed; each is linked to the
    one before it."""

    __tablename__ = "aml_report_event"
    report_id: str = Field(primary_key=True, sa_type=TEXT)
    number: int = Field(primary_key=True, sa_type=INTEGER)
    event: str = Field(sa_type=TEXT)
    state_after: str = Field(sa_type=TEXT)
    actor: str = Field(sa_type=TEXT)
    words: str = Field(default="", sa_type=TEXT)
    at_ms: int = Field(sa_type=INTEGER)
    link: bytes = Field(sa_type=BYTES)


REPORT = table_ref(AmlReport)
REPORT_EVENT = table_ref(AmlReportEvent, lock=False)
