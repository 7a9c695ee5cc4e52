"""Payments that are shared, the rounds in which they are, who got what, and what came back."""

from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, STORAGE, TEXT, BackendTable, table_ref


class SharedPayment(BackendTable, table=True):
    """A payment whose earnings were frozen. How much is left is its SHARE account's balance."""

    __tablename__ = "shared_payment"
    __table_args__: Any = (
        CheckConstraint("shared_minor >= 0", name="shared"),
        Index("ix_shared_payment_due", "due_at_ms"),
        STORAGE,
    )
    payment_id: str = Field(primary_key=True, sa_type=TEXT)
    merchant_id: str = Field(sa_type=TEXT)
    currency: str = Field(sa_type=TEXT)
    state: str = Field(sa_type=TEXT)
    """``frozen`` or ``released``."""
    frozen_minor: int = Field(sa_type=INTEGER)
    """At first: the amount less the fee."""
    shared_minor: int = Field(default=0, sa_type=INTEGER)
    """What others get or got of it, less what they gave back."""
    round_count: int = Field(default=0, sa_type=INTEGER)
    release_at_ms: int = Field(sa_type=INTEGER)
    due_at_ms: int | None = Field(default=None, sa_type=INTEGER)
    """When the clock looks at it next; NULL: never."""


class ShareRound(BackendTable, table=True):
    """A merchant's order to share or to release. Written once, by the merchant's number."""

    __tablename__ = "share_round"
    __table_args__: Any = (
        Index("ix_share_round_number", "round_id"),
        Index("ix_share_round_payment", "payment_id"),
        STORAGE,
    )
    owner: str = Field(primary_key=True, sa_type=TEXT)
    """Whose number it is: ``mchid``, or ``clock``."""
    out_order_no: str = Field(primary_key=True, sa_type=TEXT)
    round_id: str = Field(sa_type=TEXT)
    """The platform's number."""
    payment_id: str = Field(sa_type=TEXT)
    news_form: str = Field(sa_type=TEXT)
    """How merchants that receive are told."""
    content_hash: bytes = Field(sa_type=BYTES)
    share_count: int = Field(sa_type=INTEGER)
    created_at_ms: int = Field(sa_type=INTEGER)


class Share(BackendTable, table=True):
    """What one receiver gets in a round."""

    __tablename__ = "share"
    __table_args__: Any = (
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("returned_minor BETWEEN 0 AND amount_minor", name="returned"),
        Index("ix_share_payment", "payment_id", "state"),
        STORAGE,
    )
    round_id: str = Field(primary_key=True, sa_type=TEXT)
    number: int = Field(primary_key=True, sa_type=INTEGER)
    payment_id: str = Field(sa_type=TEXT)
    kind: str = Field(sa_type=TEXT)
    """``MERCHANT_ID`` or ``PERSONAL_OPENID``."""
    account: str = Field(sa_type=TEXT)
    """The receiver's name on the wire."""
    receiver_id: str = Field(sa_type=TEXT)
    """The merchant or the payer."""
    amount_minor: int = Field(sa_type=INTEGER)
    returned_minor: int = Field(default=0, sa_type=INTEGER)
    return_count: int = Field(default=0, sa_type=INTEGER)
    description: str = Field(sa_type=TEXT)
    state: str = Field(sa_type=TEXT)
    """``pending`` or ``succeeded``."""
    is_release: int = Field(default=0, sa_type=INTEGER)
    """Whether it is the merchant's own rest."""
    created_at_ms: int = Field(sa_type=INTEGER)
    done_at_ms: int | None = Field(default=None, sa_type=INTEGER)


class ShareReturn(BackendTable, table=True):
    """A share, or a part of one, that its merchant gave back. Written once."""

    __tablename__ = "share_return"
    __table_args__: Any = STORAGE
    owner: str = Field(primary_key=True, sa_type=TEXT)
    out_return_no: str = Field(primary_key=True, sa_type=TEXT)
    return_id: str = Field(sa_type=TEXT)
    """The platform's number."""
    round_id: str = Field(sa_type=TEXT)
    out_order_no: str = Field(sa_type=TEXT)
    number: int = Field(sa_type=INTEGER)
    """Which share of the round."""
    account: str = Field(sa_type=TEXT)
    amount_minor: int = Field(sa_type=INTEGER)
    description: str = Field(sa_type=TEXT)
    content_hash: bytes = Field(sa_type=BYTES)
    created_at_ms: int = Field(sa_type=INTEGER)


class ShareReceiver(BackendTable, table=True):
    """Whom a merchant may share with."""

    __tablename__ = "share_receiver"
    __table_args__: Any = STORAGE
    owner: str = Field(primary_key=True, sa_type=TEXT)
    kind: str = Field(primary_key=True, sa_type=TEXT)
    account: str = Field(primary_key=True, sa_type=TEXT)
    receiver_id: str = Field(sa_type=TEXT)
    relation_type: str = Field(sa_type=TEXT)
    custom_relation: str = Field(sa_type=TEXT)
    is_active: int = Field(sa_type=INTEGER)
    updated_at_ms: int = Field(sa_type=INTEGER)


SHARE_RECEIVER = table_ref(ShareReceiver)
SHARED_PAYMENT = table_ref(SharedPayment)
SHARE_ROUND = table_ref(ShareRound, lock=False)
SHARE = table_ref(Share)
SHARE_RETURN = table_ref(ShareReturn, lock=False)
