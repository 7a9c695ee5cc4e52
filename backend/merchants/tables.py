"""Merchants and their fee plans. Stores are the devices' room's."""

from typing import Any

from sqlalchemy import CheckConstraint
from sqlmodel import Field

from backend.db.tables import INTEGER, STORAGE, TEXT, BackendTable, table_ref


class Merchant(BackendTable, table=True):
    """Who is paid, and by which rules."""

    __tablename__ = "merchant"
    merchant_id: str = Field(primary_key=True, sa_type=TEXT)
    name: str = Field(sa_type=TEXT)
    status: str = Field(sa_type=TEXT)
    currency: str = Field(sa_type=TEXT)
    category_code: str = Field(default="", sa_type=TEXT)
    """What it sells, by its ISO 18245 code; empty: nobody has said."""
    notify_url: str | None = Field(default=None, sa_type=TEXT)
    settlement_cycle: str = Field(sa_type=TEXT)
    """The latest chosen; the one in force on a business date is in the history."""
    cycle_version: int = Field(default=1, sa_type=INTEGER)
    pending_shards: int = Field(default=1, sa_type=INTEGER)
    """Among how many sub-accounts new payments are spread; 1: none."""
    pending_shards_max: int = Field(default=1, sa_type=INTEGER)
    """The most there ever were: all of them are settled."""
    biometric_above_minor: int = Field(sa_type=INTEGER)
    payout_bank: str = Field(sa_type=TEXT)
    payout_account_name: str = Field(sa_type=TEXT)
    payout_account_no: str = Field(sa_type=TEXT)
    """Only clearing reads it whole; every answer and log shows ``****1234``."""
    fee_plan_version: int = Field(sa_type=INTEGER)
    """The latest version; the one in force is the latest whose time has come and not passed."""
    fee_plan_first: int = Field(default=1, sa_type=INTEGER)
    """The oldest version that can still come into force."""
    created_at_ms: int = Field(sa_type=INTEGER)
    updated_at_ms: int = Field(sa_type=INTEGER)


class FeePlanRow(BackendTable, table=True):
    """One version of a merchant's fee plan. Written once, never changed."""

    __tablename__ = "fee_plan"
    __table_args__: Any = (
        CheckConstraint("rate_bps >= 0 AND min_minor >= 0 AND cap_minor >= 0", name="signs"),
        STORAGE,
    )
    merchant_id: str = Field(primary_key=True, sa_type=TEXT)
    version: int = Field(primary_key=True, sa_type=INTEGER)
    rate_bps: int = Field(sa_type=INTEGER)
    min_minor: int = Field(sa_type=INTEGER)
    cap_minor: int = Field(sa_type=INTEGER)
    valid_from_ms: int = Field(sa_type=INTEGER)
    valid_until_ms: int | None = Field(default=None, sa_type=INTEGER)
    created_at_ms: int = Field(sa_type=INTEGER)


class SettlementCycle(BackendTable, table=True):
    """One choice of a merchant's settlement cycle and the business date it begins with. Written
    once, never changed; of two that have begun, the later version counts."""

    __tablename__ = "settlement_cycle"
    merchant_id: str = Field(primary_key=True, sa_type=TEXT)
    version: int = Field(primary_key=True, sa_type=INTEGER)
    cycle: str = Field(sa_type=TEXT)
    first_date: str = Field(sa_type=TEXT)
    """Empty: from the beginning."""
    created_at_ms: int = Field(sa_type=INTEGER)


MERCHANT = table_ref(Merchant, kept=True)
FEE_PLAN = table_ref(FeePlanRow, lock=False, kept=True)
CYCLE = table_ref(SettlementCycle, lock=False)
