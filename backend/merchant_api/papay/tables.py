"""What a contract says beyond its mandate; the mandate says what may be taken, and whether."""

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, STORAGE, TEXT, BackendTable, table_ref


class ContractPlan(BackendTable, table=True):
    """The terms on which a merchant number may ask for contracts. Written once, by an operator."""

    __tablename__ = "merchant_api_plan"
    __table_args__: Any = STORAGE
    plan_id: int = Field(primary_key=True, sa_type=INTEGER)
    mchid: str = Field(sa_type=TEXT)
    name: str = Field(sa_type=TEXT)
    """What it is for, in the payer's words."""
    currency: str = Field(sa_type=TEXT)
    limit_payment_minor: int = Field(sa_type=INTEGER)
    limit_day_minor: int = Field(sa_type=INTEGER)
    limit_month_minor: int | None = Field(default=None, sa_type=INTEGER)
    notice_hours: int | None = Field(default=None, sa_type=INTEGER)
    notice_above_minor: int = Field(default=0, sa_type=INTEGER)
    valid_days: int = Field(sa_type=INTEGER)
    created_at_ms: int = Field(sa_type=INTEGER)


class ApiContract(BackendTable, table=True):
    """A contract that a merchant's program has proposed, and its payer perhaps signed. Its id is
    its mandate's, which there is once it is signed."""

    __tablename__ = "merchant_api_contract"
    __table_args__: Any = (Index("ix_merchant_api_contract_payer", "payer_id"), STORAGE)
    contract_id: str = Field(primary_key=True, sa_type=TEXT)
    mchid: str = Field(sa_type=TEXT)
    appid: str = Field(sa_type=TEXT)
    plan_id: int = Field(sa_type=INTEGER)
    out_contract_code: str = Field(sa_type=TEXT)
    display_account: str = Field(sa_type=TEXT)
    out_user_code: str = Field(sa_type=TEXT)
    notify_url: str = Field(sa_type=TEXT)
    notify_form: str = Field(sa_type=TEXT)
    wanted_payer_id: str | None = Field(default=None, sa_type=TEXT)
    """Who alone may sign it; NULL: anybody."""
    payer_id: str | None = Field(default=None, sa_type=TEXT)
    """Who has signed it."""
    content_hash: bytes = Field(sa_type=BYTES)
    """What the first call asked for."""
    expires_at_ms: int = Field(sa_type=INTEGER)
    """Until when it can be signed."""
    valid_from_ms: int = Field(sa_type=INTEGER)
    valid_until_ms: int = Field(sa_type=INTEGER)
    termination_remark: str = Field(default="", sa_type=TEXT)
    created_at_ms: int = Field(sa_type=INTEGER)


class OutContractCode(BackendTable, table=True):
    """Which contract a merchant's code means. Written once."""

    __tablename__ = "merchant_api_contract_code"
    __table_args__: Any = STORAGE
    mchid: str = Field(primary_key=True, sa_type=TEXT)
    out_contract_code: str = Field(primary_key=True, sa_type=TEXT)
    contract_id: str = Field(sa_type=TEXT)


PLAN = table_ref(ContractPlan, lock=False)
CONTRACT = table_ref(ApiContract)
OUT_CONTRACT_CODE = table_ref(OutContractCode, lock=False)
