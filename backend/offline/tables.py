"""The tables of offline payments."""

from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from backend.db.tables import INTEGER, STORAGE, TEXT, BackendTable, table_ref


class OfflineVoucher(BackendTable, table=True):
    """A voucher: its terms, which its signed text says again, and what came back of it."""

    __tablename__ = "offline_voucher"
    __table_args__: Any = (
        CheckConstraint("spent_minor BETWEEN 0 AND amount_minor", name="spent"),
        CheckConstraint("covered_minor BETWEEN 0 AND guarantee_minor", name="covered"),
        Index("ix_offline_voucher_payer", "payer_id", "valid_from_ms"),
        Index("ix_offline_voucher_due", "state", "return_until_ms"),
        STORAGE,
    )
    voucher_id: str = Field(primary_key=True, sa_type=TEXT)
    payer_id: str = Field(sa_type=TEXT)
    payer_class: str = Field(sa_type=TEXT)
    state: str = Field(sa_type=TEXT)
    currency: str = Field(sa_type=TEXT)
    amount_minor: int = Field(sa_type=INTEGER)
    payment_minor_max: int = Field(sa_type=INTEGER)
    tokens_max: int = Field(sa_type=INTEGER)
    guarantee_minor: int = Field(sa_type=INTEGER)
    valid_from_ms: int = Field(sa_type=INTEGER)
    valid_until_ms: int = Field(sa_type=INTEGER)
    return_until_ms: int = Field(sa_type=INTEGER)
    spent_minor: int = Field(default=0, sa_type=INTEGER)
    """Of what was set aside."""
    covered_minor: int = Field(default=0, sa_type=INTEGER)
    """What the house has borne."""
    used_numbers: int = Field(default=0, sa_type=INTEGER)
    """One bit for each token that was paid, whoever bore it."""


class OfflineWallet(BackendTable, table=True):
    """What a payer has of vouchers: at most one that lives."""

    __tablename__ = "offline_wallet"
    payer_id: str = Field(primary_key=True, sa_type=TEXT)
    voucher_id: str = Field(default="", sa_type=TEXT)
    """The one that lives; empty: none."""
    has_overspent: int = Field(default=0, sa_type=INTEGER)


class OfflineReturn(BackendTable, table=True):
    """A token that came back, and who bears it. Written once, never changed."""

    __tablename__ = "offline_return"
    __table_args__: Any = (
        Index("ix_offline_return_voucher", "voucher_id", "returned_at_ms"),
        Index("ix_offline_return_bearer", "bearer", "returned_at_ms"),
        STORAGE,
    )
    payment_id: str = Field(primary_key=True, sa_type=TEXT)
    voucher_id: str = Field(sa_type=TEXT)
    number: int = Field(sa_type=INTEGER)
    amount_minor: int = Field(sa_type=INTEGER)
    bearer: str = Field(sa_type=TEXT)
    is_overspent: int = Field(sa_type=INTEGER)
    code: str | None = Field(default=None, sa_type=TEXT)
    """Why the merchant bears it."""
    accepted_at_ms: int = Field(sa_type=INTEGER)
    returned_at_ms: int = Field(sa_type=INTEGER)


VOUCHER = table_ref(OfflineVoucher)
OFFLINE_WALLET = table_ref(OfflineWallet)
RETURN = table_ref(OfflineReturn, lock=False)
