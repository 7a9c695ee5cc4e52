"""The cases' tables. What is linked to a case is looked up when it is read, and not kept twice."""

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, STORAGE, TEXT, BackendTable, table_ref


class RiskCase(BackendTable, table=True):
    """A case as it stands now; how it got there is in its events."""

    __tablename__ = "risk_case"
    __table_args__: Any = (
        Index("ix_risk_case_state", "state", "due_at_ms", "case_id"),
        Index("ix_risk_case_subject", "subject_kind", "subject_id", "opened_at_ms"),
        STORAGE,
    )
    case_id: str = Field(primary_key=True, sa_type=TEXT)
    source: str = Field(sa_type=TEXT)
    """Which part of the engine raised it, or ``operator``."""
    subject_kind: str = Field(sa_type=TEXT)
    subject_id: str = Field(sa_type=TEXT)
    severity: str = Field(sa_type=TEXT)
    reason: str = Field(sa_type=TEXT)
    reference: str = Field(default="", sa_type=TEXT)
    """The payment, decision or report over which it was raised first."""
    state: str = Field(sa_type=TEXT)
    assignee: str = Field(default="", sa_type=TEXT)
    outcome: str = Field(default="", sa_type=TEXT)
    """As proposed, and later as decided."""
    proposed_by: str = Field(default="", sa_type=TEXT)
    decided_by: str = Field(default="", sa_type=TEXT)
    payments: str = Field(default="[]", sa_type=TEXT)
    """Those that the outcome labels, as a JSON list."""
    opened_at_ms: int = Field(sa_type=INTEGER)
    warn_at_ms: int = Field(sa_type=INTEGER)
    due_at_ms: int = Field(sa_type=INTEGER)
    updated_at_ms: int = Field(sa_type=INTEGER)
    raised_count: int = Field(default=1, sa_type=INTEGER)
    event_count: int = Field(default=0, sa_type=INTEGER)
    link: bytes = Field(default=b"", sa_type=BYTES)
    """Of the latest event."""


class RiskCaseEvent(BackendTable, table=True):
    """One step of a case, and who took it. Written once, never changed; each is linked to the one
    before it."""

    __tablename__ = "risk_case_event"
    case_id: str = Field(primary_key=True, sa_type=TEXT)
    number: int = Field(primary_key=True, sa_type=INTEGER)
    event: str = Field(sa_type=TEXT)
    state_before: str = Field(sa_type=TEXT)
    state_after: str = Field(sa_type=TEXT)
    actor: str = Field(sa_type=TEXT)
    words: str = Field(default="", sa_type=TEXT)
    detail: str = Field(default="{}", sa_type=TEXT)
    at_ms: int = Field(sa_type=INTEGER)
    link: bytes = Field(sa_type=BYTES)


class RiskCaseOpen(BackendTable, table=True):
    """The case of a subject that is not decided: the next alarm of that source joins it."""

    __tablename__ = "risk_case_open"
    subject_kind: str = Field(primary_key=True, sa_type=TEXT)
    subject_id: str = Field(primary_key=True, sa_type=TEXT)
    source: str = Field(primary_key=True, sa_type=TEXT)
    case_id: str = Field(sa_type=TEXT)
    """Empty when the latest one is decided."""


CASE = table_ref(RiskCase)
CASE_EVENT = table_ref(RiskCaseEvent, lock=False)
CASE_OPEN = table_ref(RiskCaseOpen)
