"""The withdrawals' tables."""

from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from backend.db.tables import INTEGER, STORAGE, TEXT, BackendTable, table_ref


class Withdrawal(BackendTable, table=True):
    """A withdrawal, and what the channel said of it."""

    __tablename__ = "withdrawal"
    __table_args__: Any = (
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("fee_minor >= 0", name="fee"),
        Index("ix_withdrawal_payer", "payer_id", "created_at_ms"),
        STORAGE,
    )
    withdrawal_id: str = Field(primary_key=True, sa_type=TEXT)
    payer_id: str = Field(sa_type=TEXT)
    instrument_id: str = Field(sa_type=TEXT)
    """The payer's own bank account that the money goes to."""
    channel_id: str = Field(sa_type=TEXT)
    amount_minor: int = Field(sa_type=INTEGER)
    fee_minor: int = Field(sa_type=INTEGER)
    currency: str = Field(sa_type=TEXT)
    state: str = Field(sa_type=TEXT)
    reason: str = Field(default="", sa_type=TEXT)
    business_date: str = Field(sa_type=TEXT)
    settlement_date: str = Field(default="", sa_type=TEXT)
    """The channel's business day; empty until it answered."""
    created_at_ms: int = Field(sa_type=INTEGER)
    updated_at_ms: int = Field(sa_type=INTEGER)


class WithdrawalAllowance(BackendTable, table=True):
    """How much a payer has taken out by now, for the free allowance."""

    __tablename__ = "withdrawal_allowance"
    payer_id: str = Field(primary_key=True, sa_type=TEXT)
    withdrawn_minor: int = Field(sa_type=INTEGER)


WITHDRAWAL = table_ref(Withdrawal)
ALLOWANCE = table_ref(WithdrawalAllowance)
