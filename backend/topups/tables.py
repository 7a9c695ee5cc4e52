"""The top-ups' table."""

from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from backend.db.tables import INTEGER, STORAGE, TEXT, BackendTable, table_ref


class TopUp(BackendTable, table=True):
    """A top-up order and what the channel said of it."""

    __tablename__ = "topup"
    __table_args__: Any = (
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("ix_topup_settlement", "settlement_date"),
        STORAGE,
    )
    topup_id: str = Field(primary_key=True, sa_type=TEXT)
    payer_id: str = Field(sa_type=TEXT)
    bank_account: str = Field(sa_type=TEXT)
    amount_minor: int = Field(sa_type=INTEGER)
    currency: str = Field(sa_type=TEXT)
    state: str = Field(sa_type=TEXT)
    reason: str = Field(default="", sa_type=TEXT)
    settlement_date: str = Field(default="", sa_type=TEXT)
    """The channel's business day; empty until it answered."""
    created_at_ms: int = Field(sa_type=INTEGER)
    updated_at_ms: int = Field(sa_type=INTEGER)


TOPUP = table_ref(TopUp)
