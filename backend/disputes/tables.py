"""The disputes' tables. How much of a payment is disputed stands in the payment's own row."""

from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from backend.db.tables import INTEGER, STORAGE, TEXT, BackendTable, table_ref


class Dispute(BackendTable, table=True):
    """A dispute as it stands now; how it got there is in its events."""

    __tablename__ = "dispute"
    __table_args__: Any = (
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("cover_minor BETWEEN 0 AND amount_minor", name="cover"),
        Index("ix_dispute_payment", "payment_id"),
        Index("ix_dispute_merchant", "merchant_id", "opened_at_ms"),
        Index("ix_dispute_state", "state", "opened_at_ms"),
        STORAGE,
    )
    dispute_id: str = Field(primary_key=True, sa_type=TEXT)
    payment_id: str = Field(sa_type=TEXT)
    merchant_id: str = Field(sa_type=TEXT)
    payer_id: str = Field(sa_type=TEXT)
    funding: str = Field(sa_type=TEXT)
    """Where the payment's money came from, and so where a lost dispute's goes."""
    channel_id: str = Field(default="", sa_type=TEXT)
    """The payment's channel; empty for the balance."""
    amount_minor: int = Field(sa_type=INTEGER)
    cover_minor: int = Field(sa_type=INTEGER)
    """The part that the merchant could not cover when it was opened."""
    currency: str = Field(sa_type=TEXT)
    reason: str = Field(sa_type=TEXT)
    reference: str = Field(default="", sa_type=TEXT)
    """The channel's own name for the case, if it came from one."""
    state: str = Field(sa_type=TEXT)
    settlement_date: str = Field(default="", sa_type=TEXT)
    """On which the channel keeps a lost dispute's money back."""
    opened_at_ms: int = Field(sa_type=INTEGER)
    updated_at_ms: int = Field(sa_type=INTEGER)
    event_count: int = Field(default=0, sa_type=INTEGER)


class DisputeEventRow(BackendTable, table=True):
    """One step of a dispute's life. Written once, never changed."""

    __tablename__ = "dispute_event"
    dispute_id: str = Field(primary_key=True, sa_type=TEXT)
    number: int = Field(primary_key=True, sa_type=INTEGER)
    event: str = Field(sa_type=TEXT)
    state_before: str = Field(sa_type=TEXT)
    state_after: str = Field(sa_type=TEXT)
    actor: str = Field(sa_type=TEXT)
    """``operator``, ``channel:<id>`` or ``merchant:<id>``."""
    evidence: str = Field(default="", sa_type=TEXT)
    at_ms: int = Field(sa_type=INTEGER)


DISPUTE = table_ref(Dispute)
EVENT = table_ref(DisputeEventRow, lock=False)
