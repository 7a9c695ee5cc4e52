"""The mandates' table."""

from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, STORAGE, TEXT, BackendTable, table_ref


class Mandate(BackendTable, table=True):
    """A mandate, the payer's signed text, and what was taken on its latest day of use."""

    __tablename__ = "mandate"
    __table_args__: Any = (
        CheckConstraint("spent_minor BETWEEN 0 AND limit_day_minor", name="day"),
        Index("ix_mandate_payer", "payer_id"),
        STORAGE,
    )
    mandate_id: str = Field(primary_key=True, sa_type=TEXT)
    payer_id: str = Field(sa_type=TEXT)
    merchant_id: str = Field(sa_type=TEXT)
    device: str = Field(sa_type=TEXT)
    currency: str = Field(sa_type=TEXT)
    limit_payment_minor: int = Field(sa_type=INTEGER)
    limit_day_minor: int = Field(sa_type=INTEGER)
    valid_from_ms: int = Field(sa_type=INTEGER)
    valid_until_ms: int = Field(sa_type=INTEGER)
    status: str = Field(sa_type=TEXT)
    signed: bytes = Field(sa_type=BYTES)
    """COSE_Sign1 by the payer, carrying the text."""
    spent_day: str = Field(default="", sa_type=TEXT)
    spent_minor: int = Field(default=0, sa_type=INTEGER)
    created_at_ms: int = Field(sa_type=INTEGER)
    updated_at_ms: int = Field(sa_type=INTEGER)


MANDATE = table_ref(Mandate)
