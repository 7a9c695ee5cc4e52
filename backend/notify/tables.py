"""The outbox: what is still to be told, written in the transaction in which it happened."""

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, STORAGE, TEXT, BackendTable, table_ref


class OutboxPush(BackendTable, table=True):
    """News for one device, numbered per store without gaps, in commit order."""

    __tablename__ = "outbox_push"
    store: str = Field(primary_key=True, sa_type=TEXT)
    seq: int = Field(primary_key=True, sa_type=INTEGER)
    device: str = Field(sa_type=TEXT)
    message_type: str = Field(sa_type=TEXT)
    body: bytes = Field(sa_type=BYTES)
    """CBOR."""
    trace_id: str = Field(sa_type=TEXT)
    at_ms: int = Field(sa_type=INTEGER)


class OutboxCounter(BackendTable, table=True):
    """The last number given in a store. Its row lock puts pushes in commit order."""

    __tablename__ = "outbox_counter"
    store: str = Field(primary_key=True, sa_type=TEXT)
    seq: int = Field(sa_type=INTEGER)


class OutboxCallback(BackendTable, table=True):
    """News for a merchant's server, and how often it was tried."""

    __tablename__ = "outbox_callback"
    __table_args__: Any = (
        Index("ix_outbox_callback_due", "state", "next_try_ms"),
        Index("ix_outbox_callback_merchant", "merchant_id", "created_at_ms"),
        Index("ix_outbox_callback_created", "created_at_ms"),
        STORAGE,
    )
    callback_id: str = Field(primary_key=True, sa_type=TEXT)
    merchant_id: str = Field(sa_type=TEXT)
    url: str = Field(sa_type=TEXT)
    event_type: str = Field(sa_type=TEXT)
    body: str = Field(sa_type=TEXT)
    """JSON; these exact bytes are signed and sent."""
    state: str = Field(sa_type=TEXT)
    """Of ``states.py``."""
    failed_tries: int = Field(default=0, sa_type=INTEGER)
    next_try_ms: int = Field(sa_type=INTEGER)
    """When it is due; while a try is running, when another may take it over; of a dead letter,
    when it was given up."""
    last_error: str = Field(default="", sa_type=TEXT)
    created_at_ms: int = Field(sa_type=INTEGER)
    delivered_at_ms: int | None = Field(default=None, sa_type=INTEGER)
    try_count: int = Field(default=0, sa_type=INTEGER)
    """How many rows of ``outbox_try`` it has."""
    form: str = Field(default="", sa_type=TEXT)
    """Who dresses it for its way, of ``ports.CallbackForm``; empty: our own form."""
    answer_status: int | None = Field(default=None, sa_type=INTEGER)
    """What the server answered with that took it."""
    answer_ms: int | None = Field(default=None, sa_type=INTEGER)
    """How long it took."""


class OutboxTry(BackendTable, table=True):
    """What became of a callback, step by step: its failed tries and its replays. The try that the
    merchant took stands with the callback itself."""

    __tablename__ = "outbox_try"
    callback_id: str = Field(primary_key=True, sa_type=TEXT)
    number: int = Field(primary_key=True, sa_type=INTEGER)
    outcome: str = Field(sa_type=TEXT)
    """``failed`` or ``replayed``."""
    at_ms: int = Field(sa_type=INTEGER)
    error: str = Field(default="", sa_type=TEXT)
    next_try_ms: int | None = Field(default=None, sa_type=INTEGER)
    """None: given up, it is a dead letter."""
    actor: str = Field(default="", sa_type=TEXT)
    """Who replayed it."""
    status: int | None = Field(default=None, sa_type=INTEGER)
    """What the server answered with; NULL where it did not."""
    duration_ms: int | None = Field(default=None, sa_type=INTEGER)
    """How long the try took; NULL where nothing was sent."""


PUSH = table_ref(OutboxPush, lock=False)
COUNTER = table_ref(OutboxCounter)
CALLBACK = table_ref(OutboxCallback)
TRY = table_ref(OutboxTry, lock=False)
