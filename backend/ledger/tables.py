"""The ledger's tables. Transfers and groups are append-only; triggers refuse anything else."""

from typing import Any

from sqlalchemy import CheckConstraint
from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, STORAGE, TEXT, BackendTable, table_ref
from backend.ledger.model import BALANCES

_AVAILABLE = (
    "CASE side WHEN 'debit' THEN debits_posted - credits_posted - credits_pending"
    " ELSE credits_posted - debits_posted - debits_pending END"
)


class LedgerAccount(BackendTable, table=True):
    """An account and its four sums. The floor is kept by the database, too."""

    __tablename__ = "ledger_account"
    __table_args__: Any = (
        CheckConstraint(f"floor_minor IS NULL OR {_AVAILABLE} >= floor_minor", name="floor"),
        CheckConstraint("debits_pending >= 0 AND credits_pending >= 0", name="pending"),
        CheckConstraint("side IN ('debit', 'credit')", name="side"),
        STORAGE,
    )
    id: str = Field(primary_key=True, sa_type=TEXT)
    book: str = Field(sa_type=TEXT)
    code: str = Field(sa_type=TEXT)
    owner: str = Field(sa_type=TEXT)
    currency: str = Field(sa_type=TEXT)
    side: str = Field(sa_type=TEXT)
    floor_minor: int | None = Field(default=None, sa_type=INTEGER)
    debits_posted: int = Field(default=0, sa_type=INTEGER)
    credits_posted: int = Field(default=0, sa_type=INTEGER)
    debits_pending: int = Field(default=0, sa_type=INTEGER)
    credits_pending: int = Field(default=0, sa_type=INTEGER)
    opened_at_ms: int = Field(sa_type=INTEGER)


class LedgerTransfer(BackendTable, table=True):
    """One transfer: ``model.Transfer``, then when and in which group it was sealed."""

    __tablename__ = "ledger_transfer"
    __table_args__: Any = (
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("debit <> credit", name="accounts"),
        STORAGE,
    )
    id: str = Field(primary_key=True, sa_type=TEXT)
    link: int = Field(sa_type=INTEGER)
    debit: str = Field(sa_type=TEXT)
    credit: str = Field(sa_type=TEXT)
    amount_minor: int = Field(sa_type=INTEGER)
    currency: str = Field(sa_type=TEXT)
    rule: str = Field(sa_type=TEXT)
    kind: str = Field(sa_type=TEXT)
    refers_to: str | None = Field(default=None, sa_type=TEXT)
    expires_at_ms: int | None = Field(default=None, sa_type=INTEGER)
    business_date: str = Field(sa_type=TEXT)
    at_ms: int = Field(sa_type=INTEGER)
    chain: str = Field(sa_type=TEXT)
    group_seq: int = Field(sa_type=INTEGER)


class LedgerHold(BackendTable, table=True):
    """Where a pending transfer stands: ``pending``, ``posted``, ``voided`` or ``expired``."""

    __tablename__ = "ledger_hold"
    id: str = Field(primary_key=True, sa_type=TEXT)
    state: str = Field(sa_type=TEXT)
    posted_minor: int = Field(default=0, sa_type=INTEGER)
    ended_by: str | None = Field(default=None, sa_type=TEXT)


class LedgerGroup(BackendTable, table=True):
    """One sealed group: hash = H(seq, previous hash, Merkle root, count, time)."""

    __tablename__ = "ledger_group"
    chain: str = Field(primary_key=True, sa_type=TEXT)
    seq: int = Field(primary_key=True, sa_type=INTEGER)
    previous_hash: bytes = Field(sa_type=BYTES)
    root: bytes = Field(sa_type=BYTES)
    hash: bytes = Field(sa_type=BYTES)
    count: int = Field(sa_type=INTEGER)
    at_ms: int = Field(sa_type=INTEGER)
    transfer_ids: str = Field(sa_type=TEXT)
    leaves: bytes = Field(sa_type=BYTES)


class LedgerChain(BackendTable, table=True):
    """The end of a chain: what the next group builds on."""

    __tablename__ = "ledger_chain"
    chain: str = Field(primary_key=True, sa_type=TEXT)
    seq: int = Field(sa_type=INTEGER)
    hash: bytes = Field(sa_type=BYTES)


ACCOUNT = table_ref(LedgerAccount, additive=BALANCES, kept=True)
TRANSFER = table_ref(LedgerTransfer, append_only=True)
HOLD = table_ref(LedgerHold)
GROUP = table_ref(LedgerGroup, lock=False)
CHAIN = table_ref(LedgerChain, kept=True)
