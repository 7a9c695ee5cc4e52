"""The payers' tables. No token, PIN or pay code is in them, only hashes and positions."""

from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, STORAGE, TEXT, BackendTable, table_ref


class Payer(BackendTable, table=True):
    """A person with a balance."""

    __tablename__ = "payer"
    payer_id: str = Field(primary_key=True, sa_type=TEXT)
    name: str = Field(sa_type=TEXT)
    status: str = Field(sa_type=TEXT)
    """``active`` or ``frozen``."""
    route: int = Field(sa_type=INTEGER)
    """Which pay-code key the payer's wallet holds."""
    key_suite: str = Field(sa_type=TEXT)
    key_public: bytes = Field(sa_type=BYTES)
    pin_salt: bytes = Field(sa_type=BYTES)
    pin_hash: bytes = Field(sa_type=BYTES)
    pin_tries: int = Field(default=0, sa_type=INTEGER)
    pin_locked_until_ms: int = Field(default=0, sa_type=INTEGER)
    created_at_ms: int = Field(sa_type=INTEGER)
    default_instrument_id: str | None = Field(default=None, sa_type=TEXT)
    """What a pay code is paid with; NULL: the balance."""
    instrument_count: int = Field(default=0, sa_type=INTEGER)
    chosen_coupon_id: str | None = Field(default=None, sa_type=TEXT)
    """The coupon that the next pay code uses, if it fits."""


class PayerToken(BackendTable, table=True):
    """A wallet's bearer token, hashed."""

    __tablename__ = "payer_token"
    __table_args__: Any = (Index("ix_payer_token_payer", "payer_id"), STORAGE)
    token_hash: bytes = Field(primary_key=True, sa_type=BYTES)
    payer_id: str = Field(sa_type=TEXT)
    is_revoked: int = Field(default=0, sa_type=INTEGER)
    created_at_ms: int = Field(sa_type=INTEGER)


class PinFree(BackendTable, table=True):
    """What a payer has confirmed without a PIN in one currency on the latest business date."""

    __tablename__ = "pin_free"
    __table_args__: Any = (
        CheckConstraint("chosen_minor IS NULL OR chosen_minor >= 0", name="chosen"),
        CheckConstraint("spent_minor >= 0 AND count >= 0", name="spent"),
        STORAGE,
    )
    payer_id: str = Field(primary_key=True, sa_type=TEXT)
    currency: str = Field(primary_key=True, sa_type=TEXT)
    chosen_minor: int | None = Field(default=None, sa_type=INTEGER)
    """The payer's own limit of one payment; NULL: the rules' alone."""
    day: str = Field(default="", sa_type=TEXT)
    spent_minor: int = Field(default=0, sa_type=INTEGER)
    count: int = Field(default=0, sa_type=INTEGER)


class PayCodeRoute(BackendTable, table=True):
    """Whose code key a route is, and how far its codes are used up and shown."""

    __tablename__ = "pay_code_route"
    route: int = Field(primary_key=True, sa_type=INTEGER)
    payer_id: str = Field(sa_type=TEXT)
    used_position: int = Field(default=-1, sa_type=INTEGER)
    """Codes up to this position are used; it only rises."""
    shown_position: int = Field(default=-1, sa_type=INTEGER)
    """The last code this server drew for the payer; the next one is another."""
    told_position: int = Field(default=-1, sa_type=INTEGER)
    """The code by which a merchant was told whose it is: nobody else's payment may use it."""
    told_to: str = Field(default="", sa_type=TEXT)
    """That merchant."""
    declined_payment_id: str | None = Field(default=None, sa_type=TEXT)
    """The last payment that was declined when a code of these was used; no payer stands in it."""


class PayCodeGuard(BackendTable, table=True):
    """How many wrong codes a device has sent in the running window."""

    __tablename__ = "pay_code_guard"
    device: str = Field(primary_key=True, sa_type=TEXT)
    window_from_ms: int = Field(sa_type=INTEGER)
    wrong_count: int = Field(sa_type=INTEGER)


class PayerSwitches(BackendTable, table=True):
    """What a tester makes go wrong with a payer's payments (``backend.wallet.switches``)."""

    __tablename__ = "payer_switches"
    payer_id: str = Field(primary_key=True, sa_type=TEXT)
    switched_on: str = Field(sa_type=TEXT)
    """Names of switches, sorted, with commas between."""
    kept_pin_free_minor: int | None = Field(default=None, sa_type=INTEGER)
    """The payer's own limit before the PIN was always asked."""
    updated_at_ms: int = Field(sa_type=INTEGER)


PAYER = table_ref(Payer)
TOKEN = table_ref(PayerToken)
PIN_FREE = table_ref(PinFree)
ROUTE = table_ref(PayCodeRoute)
GUARD = table_ref(PayCodeGuard, kept=True)
SWITCHES = table_ref(PayerSwitches)
