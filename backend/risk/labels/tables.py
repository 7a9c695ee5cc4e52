"""The labels' table."""

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from backend.db.tables import INTEGER, STORAGE, TEXT, BackendTable, table_ref


class RiskLabel(BackendTable, table=True):
    """What is said of a payment. Never changed: the latest one of a payment holds."""

    __tablename__ = "risk_label"
    __table_args__: Any = (
        Index("ix_risk_label_available", "available_at_ms", "payment_id", "origin"),
        STORAGE,
    )
    payment_id: str = Field(primary_key=True, sa_type=TEXT)
    origin: str = Field(primary_key=True, sa_type=TEXT)
    """The case, the dispute or the word of a person that says it, by its id."""
    is_fraud: int = Field(sa_type=INTEGER)
    available_at_ms: int = Field(sa_type=INTEGER)
    """When it was said: nothing may use the label for what happened before."""
    source: str = Field(default="case", sa_type=TEXT)
    """``case``, ``dispute`` or ``operator``."""
    actor: str = Field(default="", sa_type=TEXT)
    """Who said it."""
    reason: str = Field(default="", sa_type=TEXT)


LABEL = table_ref(RiskLabel, lock=False)
