"""The mandates' tables."""

from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, STORAGE, TEXT, BackendTable, table_ref


class Mandate(BackendTable, table=True):
    """A mandate, the payer's signed text, and what was taken in its latest day and month of use."""

    __tablename__ = "mandate"
    __table_args__: Any = (
        CheckConstraint("spent_minor BETWEEN 0 AND limit_day_minor", name="day"),
        CheckConstraint(
            "spent_month_minor BETWEEN 0 AND COALESCE(limit_month_minor, spent_month_minor)",
            name="month",
        ),
        Index("ix_mandate_payer", "payer_id"),
        Index("ix_mandate_merchant", "merchant_id"),
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
    """COSE_Sign1 by the payer, carrying the text, or a passkey's signature over it
    (``backend.mandates.signing``)."""
    spent_day: str = Field(default="", sa_type=TEXT)
    spent_minor: int = Field(default=0, sa_type=INTEGER)
    created_at_ms: int = Field(sa_type=INTEGER)
    updated_at_ms: int = Field(sa_type=INTEGER)
    limit_month_minor: int | None = Field(default=None, sa_type=INTEGER)
    """NULL: the payer signed no limit for a month."""
    notice_hours: int | None = Field(default=None, sa_type=INTEGER)
    """NULL: the payer asks for no notice before a debit."""
    notice_above_minor: int = Field(default=0, sa_type=INTEGER)
    spent_month_minor: int = Field(default=0, sa_type=INTEGER)
    """What was taken in the month of ``spent_day``."""
    ask_above_minor: int | None = Field(default=None, sa_type=INTEGER)
    """Above it a thing's debit waits for the payer's word; NULL: the payer signed no such term."""
    use_count: int = Field(default=0, sa_type=INTEGER)
    use_total_minor: int = Field(default=0, sa_type=INTEGER)
    """Of all uses that were not undone, so that an unusual one is seen."""
    open_notices: str = Field(default="[]", sa_type=TEXT)
    """JSON: the ids of the notices that may still be used, so that a debit finds them by key."""
    event_count: int = Field(default=0, sa_type=INTEGER)
    notify_url: str | None = Field(default=None, sa_type=TEXT)
    """Where news of this mandate goes; NULL: to the merchant's own address."""
    notify_form: str = Field(default="", sa_type=TEXT)
    """In which form it goes there; empty: in ours."""


class MandateEventRow(BackendTable, table=True):
    """One step of a mandate's life: who did what, and when. Written once, never changed."""

    __tablename__ = "mandate_event"
    mandate_id: str = Field(primary_key=True, sa_type=TEXT)
    number: int = Field(primary_key=True, sa_type=INTEGER)
    event: str = Field(sa_type=TEXT)
    status_before: str = Field(sa_type=TEXT)
    status_after: str = Field(sa_type=TEXT)
    actor: str = Field(sa_type=TEXT)
    """``payer:<id>`` or ``merchant:<id>``."""
    subject_id: str = Field(default="", sa_type=TEXT)
    """The notice it is about, if any."""
    at_ms: int = Field(sa_type=INTEGER)


class MandateNotice(BackendTable, table=True):
    """A debit that was announced to the payer."""

    __tablename__ = "mandate_notice"
    __table_args__: Any = (
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("ix_mandate_notice_mandate", "mandate_id", "announced_at_ms"),
        Index("ix_mandate_notice_payer", "payer_id", "announced_at_ms"),
        STORAGE,
    )
    notice_id: str = Field(primary_key=True, sa_type=TEXT)
    mandate_id: str = Field(sa_type=TEXT)
    payer_id: str = Field(sa_type=TEXT)
    merchant_id: str = Field(sa_type=TEXT)
    amount_minor: int = Field(sa_type=INTEGER)
    """The most that the debit may take."""
    currency: str = Field(sa_type=TEXT)
    description: str = Field(default="", sa_type=TEXT)
    status: str = Field(sa_type=TEXT)
    payment_id: str | None = Field(default=None, sa_type=TEXT)
    """The debit that used it."""
    announced_at_ms: int = Field(sa_type=INTEGER)
    debit_from_ms: int = Field(sa_type=INTEGER)
    debit_until_ms: int = Field(sa_type=INTEGER)
    updated_at_ms: int = Field(sa_type=INTEGER)


class MandateUse(BackendTable, table=True):
    """What one payment took under a mandate, so that undoing it finds the right day and notice."""

    __tablename__ = "mandate_use"
    __table_args__: Any = (
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("ix_mandate_use_mandate", "mandate_id", "day"),
        STORAGE,
    )
    payment_id: str = Field(primary_key=True, sa_type=TEXT)
    mandate_id: str = Field(sa_type=TEXT)
    notice_id: str | None = Field(default=None, sa_type=TEXT)
    day: str = Field(sa_type=TEXT)
    """The business date it counts in."""
    amount_minor: int = Field(sa_type=INTEGER)
    is_undone: int = Field(default=0, sa_type=INTEGER)


MANDATE = table_ref(Mandate)
EVENT = table_ref(MandateEventRow, lock=False)
NOTICE = table_ref(MandateNotice)
USE = table_ref(MandateUse)
