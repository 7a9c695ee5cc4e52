"""The codes that hang in shops. Each says who is paid, and no amount."""

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from backend.db.tables import INTEGER, STORAGE, TEXT, BackendTable, table_ref


class StaticCode(BackendTable, table=True):
    """One code. It is stopped, never removed: somebody may still scan the paper."""

    __tablename__ = "static_code"
    __table_args__: Any = (
        Index("ix_static_code_merchant", "merchant_id", "created_at_ms"),
        STORAGE,
    )
    code_id: str = Field(primary_key=True, sa_type=TEXT)
    merchant_id: str = Field(sa_type=TEXT)
    label: str = Field(sa_type=TEXT)
    """Where it hangs, for people: the till that its payments are under."""
    status: str = Field(sa_type=TEXT)
    """``active`` or ``stopped``."""
    created_at_ms: int = Field(sa_type=INTEGER)


STATIC_CODE = table_ref(StaticCode)
