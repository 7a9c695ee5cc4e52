"""Which service provider may act for which merchant number."""

from typing import Any

from sqlmodel import Field

from backend.db.tables import INTEGER, STORAGE, TEXT, BackendTable, table_ref


class Binding(BackendTable, table=True):
    """An appointment, made and ended by an operator."""

    __tablename__ = "merchant_api_binding"
    __table_args__: Any = STORAGE
    sp_mchid: str = Field(primary_key=True, sa_type=TEXT)
    sub_mchid: str = Field(primary_key=True, sa_type=TEXT)
    is_on: int = Field(sa_type=INTEGER)
    changed_at_ms: int = Field(sa_type=INTEGER)


BINDING = table_ref(Binding)
