"""Which nonces of merchants' programs are used up."""

from typing import Any

from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, STORAGE, TEXT, BackendTable, table_ref


class Nonces(BackendTable, table=True):
    """The nonces of a merchant number whose digests fall into this slot."""

    __tablename__ = "merchant_api_nonces"
    __table_args__: Any = STORAGE
    mchid: str = Field(primary_key=True, sa_type=TEXT)
    place: int = Field(primary_key=True, sa_type=INTEGER)
    seen: bytes = Field(sa_type=BYTES)
    """Entries of 24 bytes: half a SHA-256, and when, in ms."""


NONCES = table_ref(Nonces)
