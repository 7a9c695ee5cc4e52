"""The payments' tables. Rows are found by the ids that devices mint."""

from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, STORAGE, TEXT, BackendTable, table_ref

IS_WAITING, IS_UNKNOWN = text("state = 'awaiting_payer'"), text("state = 'unknown'")
"""Few payments are either: they alone have entries in the indexes by which they are found. A query
that is to use one says the very same words."""


class Payment(BackendTable, table=True):
    """A payment as it stands now; how it got there is in its events."""

    __tablename__ = "payment"
    __table_args__: Any = (
        CheckConstraint("amount_minor >= 0", name="amount"),
        CheckConstraint("refunded_minor BETWEEN 0 AND amount_minor", name="refunded"),
        CheckConstraint(
            "disputed_minor >= 0 AND refunded_minor + disputed_minor <= amount_minor",
            name="disputed",
        ),
        CheckConstraint("fee_returned_minor BETWEEN 0 AND fee_minor", name="fee"),
        Index("ix_payment_merchant", "merchant_id", "created_at_ms"),
        Index("ix_payment_payer", "payer_id", "created_at_ms"),
        Index(
            "ix_payment_day",
            "business_date",
            postgresql_using="brin",
            postgresql_with={"autosummarize": "on"},
        ),
        Index(
            "ix_payment_due",
            "code_expires_at_ms",
            sqlite_where=IS_WAITING,
            postgresql_where=IS_WAITING,
        ),
        Index(
            "ix_payment_unknown",
            "created_at_ms",
            sqlite_where=IS_UNKNOWN,
            postgresql_where=IS_UNKNOWN,
        ),
        STORAGE,
    )
    payment_id: str = Field(primary_key=True, sa_type=TEXT)
    merchant_id: str = Field(sa_type=TEXT)
    store: str = Field(sa_type=TEXT)
    device: str = Field(sa_type=TEXT)
    till: str = Field(default="", sa_type=TEXT)
    cashier: str = Field(default="", sa_type=TEXT)
    method: str = Field(sa_type=TEXT)
    """``unknown`` for a payment that was reversed before it arrived; ``merchant_group`` for a part
    of a group."""
    state: str = Field(sa_type=TEXT)
    amount_minor: int = Field(sa_type=INTEGER)
    currency: str = Field(sa_type=TEXT)
    description: str = Field(default="", sa_type=TEXT)
    payer_id: str | None = Field(default=None, sa_type=TEXT)
    payer_masked: str | None = Field(default=None, sa_type=TEXT)
    mandate_id: str | None = Field(default=None, sa_type=TEXT)
    refunded_minor: int = Field(default=0, sa_type=INTEGER)
    refund_count: int = Field(default=0, sa_type=INTEGER)
    fee_minor: int = Field(default=0, sa_type=INTEGER)
    fee_returned_minor: int = Field(default=0, sa_type=INTEGER)
    fee_plan_version: int = Field(default=0, sa_type=INTEGER)
    pending_owner: str = Field(default="", sa_type=TEXT)
    """A hot merchant's sub-account that the money went to; empty: the merchant's own account."""
    verification: str = Field(default="none", sa_type=TEXT)
    error_code: str | None = Field(default=None, sa_type=TEXT)
    risk: str | None = Field(default=None, sa_type=TEXT)
    """The verdict as JSON; NULL when the payment ended before it was judged."""
    code_expires_at_ms: int | None = Field(default=None, sa_type=INTEGER)
    created_at_ms: int = Field(sa_type=INTEGER)
    paid_at_ms: int | None = Field(default=None, sa_type=INTEGER)
    updated_at_ms: int = Field(sa_type=INTEGER)
    business_date: str = Field(sa_type=TEXT)
    body_hash: bytes = Field(sa_type=BYTES)
    """What the create asked for; empty for a payment that was reversed before it arrived."""
    trace_id: str = Field(default="", sa_type=TEXT)
    event_count: int = Field(default=0, sa_type=INTEGER)
    funding: str = Field(default="balance", sa_type=TEXT)
    """Where the payer's money came from: ``balance``, ``card``, ``fund`` or ``advance``; or the
    wallet (``alipay``) of a payer whom we do not know."""
    instrument_id: str | None = Field(default=None, sa_type=TEXT)
    coupon_id: str | None = Field(default=None, sa_type=TEXT)
    coupon_stock_id: str | None = Field(default=None, sa_type=TEXT)
    """The merchant's stock that the coupon is of; NULL: it is ours."""
    coupon_minor: int = Field(default=0, sa_type=INTEGER)
    """The part of the amount that the coupon paid."""
    coupon_returned_minor: int = Field(default=0, sa_type=INTEGER)
    """What refunds have given back of it, to us."""
    refunding_minor: int = Field(default=0, sa_type=INTEGER)
    """What is on its way back through a channel that has not answered yet."""
    disputed_minor: int = Field(default=0, sa_type=INTEGER)
    """What is disputed now, or was lost in a dispute."""
    channel_id: str = Field(default="", sa_type=TEXT)
    """The channel that the money comes through; empty for the balance."""
    routing: str | None = Field(default=None, sa_type=TEXT)
    """The decisions that led there, as JSON, the latest last; NULL for the balance."""
    notify_url: str | None = Field(default=None, sa_type=TEXT)
    """Where news of this payment goes; NULL: to the merchant's own address."""
    notify_form: str = Field(default="", sa_type=TEXT)
    """In which form it goes there; empty: in ours."""
    is_decline_told: int = Field(default=0, sa_type=INTEGER)
    """Whether that is news, too, when it is declined: nobody stood there to see it."""
    explanation: str | None = Field(default=None, sa_type=TEXT)
    """What the thing that paid by itself said of the amount, as JSON; NULL: nothing."""
    code_url: str = Field(default="", sa_type=TEXT)
    """What its shown code says; empty: what our own wallet alone understands."""
    is_shared: int = Field(default=0, sa_type=INTEGER)
    """Whether what the merchant earns of it is frozen until it has been shared out or released."""


class PaymentGroup(BackendTable, table=True):
    """Payments that are confirmed together. Written once."""

    __tablename__ = "payment_group"
    __table_args__: Any = STORAGE
    lead_id: str = Field(primary_key=True, sa_type=TEXT)
    payment_ids: str = Field(sa_type=TEXT)
    """JSON, the lead first."""


class PaymentAttempt(BackendTable, table=True):
    """One try to move the money of a payment. The pay code is kept masked only."""

    __tablename__ = "payment_attempt"
    attempt_id: str = Field(primary_key=True, sa_type=TEXT)
    payment_id: str = Field(sa_type=TEXT)
    payer_id: str | None = Field(default=None, sa_type=TEXT)
    """Whose confirmation it was; NULL for a device's attempt."""
    method: str = Field(sa_type=TEXT)
    outcome: str = Field(sa_type=TEXT)
    error_code: str | None = Field(default=None, sa_type=TEXT)
    code_masked: str | None = Field(default=None, sa_type=TEXT)
    verification_kind: str = Field(default="none", sa_type=TEXT)
    verification_score: int = Field(default=0, sa_type=INTEGER)
    at_ms: int = Field(sa_type=INTEGER)


class PaymentEvent(BackendTable, table=True):
    """One step of a payment's life: the timeline. Written once, never changed."""

    __tablename__ = "payment_event"
    payment_id: str = Field(primary_key=True, sa_type=TEXT)
    number: int = Field(primary_key=True, sa_type=INTEGER)
    event: str = Field(sa_type=TEXT)
    state_before: str = Field(sa_type=TEXT)
    state_after: str = Field(sa_type=TEXT)
    actor: str = Field(sa_type=TEXT)
    """``device:<tid>``, ``payer:<id>``, ``operator`` or ``clock``."""
    at_ms: int = Field(sa_type=INTEGER)
    detail: str = Field(default="{}", sa_type=TEXT)


class Request(BackendTable, table=True):
    """The first answer to a request: given again to every repetition. The id, which rises with
    time, stands first: all devices' new rows are written to the same pages."""

    __tablename__ = "request"
    request_id: str = Field(primary_key=True, sa_type=TEXT)
    device: str = Field(primary_key=True, sa_type=TEXT)
    content_hash: bytes = Field(sa_type=BYTES)
    answer_type: str = Field(sa_type=TEXT)
    answer: bytes = Field(sa_type=BYTES)
    """The answer's body, CBOR."""
    at_ms: int = Field(sa_type=INTEGER)


PAYMENT = table_ref(Payment)
GROUP = table_ref(PaymentGroup, lock=False)
ATTEMPT = table_ref(PaymentAttempt, lock=False)
EVENT = table_ref(PaymentEvent, lock=False)
REQUEST = table_ref(Request, lock=False)
