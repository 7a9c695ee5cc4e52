"""The lists' tables."""

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from backend.db.tables import INTEGER, STORAGE, TEXT, BackendTable, table_ref


class RiskListEntry(BackendTable, table=True):
    """Where a value stands now; ``list_name`` is empty for one that was taken off."""

    __tablename__ = "risk_list_entry"
    __table_args__: Any = (
        Index("ix_risk_list_entry_list", "list_name", "kind", "value"),
        STORAGE,
    )
    kind: str = Field(primary_key=True, sa_type=TEXT)
    value: str = Field(primary_key=True, sa_type=TEXT)
    list_name: str = Field(sa_type=TEXT)
    reason: str = Field(sa_type=TEXT)
    owner: str = Field(sa_type=TEXT)
    until_ms: int = Field(default=0, sa_type=INTEGER)
    """0: until it is taken off."""
    updated_at_ms: int = Field(sa_type=INTEGER)
    event_count: int = Field(default=0, sa_type=INTEGER)


class RiskListEvent(BackendTable, table=True):
    """A value that was put on a list or taken off, and by whom. Written once, never changed."""

    __tablename__ = "risk_list_event"
    kind: str = Field(primary_key=True, sa_type=TEXT)
    value: str = Field(primary_key=True, sa_type=TEXT)
    number: int = Field(primary_key=True, sa_type=INTEGER)
    list_before: str = Field(sa_type=TEXT)
    list_after: str = Field(sa_type=TEXT)
    reason: str = Field(sa_type=TEXT)
    owner: str = Field(sa_type=TEXT)
    until_ms: int = Field(sa_type=INTEGER)
    actor: str = Field(sa_type=TEXT)
    at_ms: int = Field(sa_type=INTEGER)


LIST_ENTRY = table_ref(RiskListEntry, kept=True)
LIST_EVENT = table_ref(RiskListEvent, lock=False)
