"""The conversations' tables."""

from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from backend.db.tables import INTEGER, STORAGE, TEXT, BackendTable, table_ref


class Saga(BackendTable, table=True):
    """A conversation as it stands now; how it got there is in its events."""

    __tablename__ = "saga"
    __table_args__: Any = (
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("ix_saga_due", "next_try_ms"),
        Index("ix_saga_channel_due", "channel_id", "next_try_ms"),
        Index(
            "ix_saga_stranded",
            "saga_id",
            sqlite_where=text("state = 'stranded'"),
            postgresql_where=text("state = 'stranded'"),
        ),
        Index("ix_saga_payment", "payment_id"),
        Index("ix_saga_settlement", "channel_id", "settlement_date"),
        STORAGE,
    )
    saga_id: str = Field(primary_key=True, sa_type=TEXT)
    """The payment's id, the refund's id, or ``<payment id>.back`` (then ``.back2`` …): what the
    channel knows it by."""
    kind: str = Field(sa_type=TEXT)
    payment_id: str = Field(sa_type=TEXT)
    """Of a *return*: the break's id."""
    channel_id: str = Field(sa_type=TEXT)
    """Whom it is with: one channel at a time."""
    planned_channel_id: str = Field(default="", sa_type=TEXT)
    """The channel that the hold in the books was made for, the first that was chosen."""
    fallbacks: str = Field(default="", sa_type=TEXT)
    """The channels that could take the order instead, with commas between."""
    token: str = Field(default="", sa_type=TEXT)
    """The channel's name for the payer's instrument; empty for money that goes back."""
    holder: str = Field(default="", sa_type=TEXT)
    """The name on the account that is paid; empty where none is."""
    amount_minor: int = Field(sa_type=INTEGER)
    currency: str = Field(sa_type=TEXT)
    state: str = Field(sa_type=TEXT)
    planned_date: str = Field(sa_type=TEXT)
    """The date that the hold in the books was made for; the channel decides the true one."""
    tries: int = Field(default=0, sa_type=INTEGER)
    next_try_ms: int | None = Field(default=None, sa_type=INTEGER)
    """When to speak to the channel next; NULL when there is nothing left to say."""
    deadline_ms: int = Field(sa_type=INTEGER)
    reference: str = Field(default="", sa_type=TEXT)
    settlement_date: str = Field(default="", sa_type=TEXT)
    """The channel's business day of the money that moved; empty while it has not said one."""
    shown_code: str = Field(default="", sa_type=TEXT)
    """The channel's own code for its payer to scan; empty where a code was scanned."""
    error: str = Field(default="", sa_type=TEXT)
    """The last thing that went wrong on the way, or the channel's reason."""
    trace_id: str = Field(default="", sa_type=TEXT)
    created_at_ms: int = Field(sa_type=INTEGER)
    updated_at_ms: int = Field(sa_type=INTEGER)
    event_count: int = Field(default=0, sa_type=INTEGER)


class SagaEventRow(BackendTable, table=True):
    """One step of a conversation: the timeline. Written once, never changed."""

    __tablename__ = "saga_event"
    saga_id: str = Field(primary_key=True, sa_type=TEXT)
    number: int = Field(primary_key=True, sa_type=INTEGER)
    event: str = Field(sa_type=TEXT)
    state_before: str = Field(sa_type=TEXT)
    state_after: str = Field(sa_type=TEXT)
    at_ms: int = Field(sa_type=INTEGER)
    detail: str = Field(default="{}", sa_type=TEXT)


SAGA = table_ref(Saga)
SAGA_EVENT = table_ref(SagaEventRow, lock=False)
