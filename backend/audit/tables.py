"""The audit log. Its rows are written once; the database refuses to change or to drop one."""

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, STORAGE, TEXT, BackendTable, table_ref

THE_LOG = "acts"


class AuditHead(BackendTable, table=True):
    """The end of the log: one row, there from the beginning."""

    __tablename__ = "audit_head"
    name: str = Field(primary_key=True, sa_type=TEXT)
    count: int = Field(sa_type=INTEGER)
    link: bytes = Field(sa_type=BYTES)


class AuditAct(BackendTable, table=True):
    """One act."""

    __tablename__ = "audit_act"
    __table_args__: Any = (Index("ix_audit_act_merchant", "merchant_id", "number"), STORAGE)
    number: int = Field(primary_key=True, sa_type=INTEGER)
    at_ms: int = Field(sa_type=INTEGER)
    kind: str = Field(sa_type=TEXT)
    what: str = Field(sa_type=TEXT)
    actor: str = Field(sa_type=TEXT)
    origin: str = Field(sa_type=TEXT)
    subject: str = Field(sa_type=TEXT)
    merchant_id: str = Field(sa_type=TEXT)
    reason: str = Field(sa_type=TEXT)
    before: str = Field(sa_type=TEXT)
    """JSON; empty where nothing was there."""
    after: str = Field(sa_type=TEXT)
    link: bytes = Field(sa_type=BYTES)


HEAD = table_ref(AuditHead)
ACT = table_ref(AuditAct, lock=False)
