"""Stores, devices, their keys, their history and whether they are online."""

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, STORAGE, TEXT, BackendTable, table_ref


class Store(BackendTable, table=True):
    """A shop of a merchant. Its merchant never changes, so it may be cached."""

    __tablename__ = "store"
    store: str = Field(sa_type=TEXT, primary_key=True)  # type: ignore[call-overload]
    merchant_id: str = Field(sa_type=TEXT, nullable=False)  # type: ignore[call-overload]
    name: str = Field(sa_type=TEXT, nullable=False)  # type: ignore[call-overload]
    created_at_ms: int = Field(sa_type=INTEGER, nullable=False)  # type: ignore[call-overload]


