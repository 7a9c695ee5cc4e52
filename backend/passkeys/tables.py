"""The passkeys' tables. A passkey's private key never leaves the payer's device."""

from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, STORAGE, TEXT, BackendTable, table_ref


class Passkey(BackendTable, table=True):
    """A passkey of a payer. It stays after its removal: what it has signed can be shown."""

    __tablename__ = "passkey"
    __table_args__: Any = (
        CheckConstraint("sign_count >= 0", name="sign_count"),
        Index("ix_passkey_payer", "payer_id", "created_at_ms"),
        STORAGE,
    )
    credential_id: bytes = Field(primary_key=True, sa_type=BYTES)
    payer_id: str = Field(sa_type=TEXT)
    name: str = Field(sa_type=TEXT)
    rp_id: str = Field(sa_type=TEXT)
    """The host that it was made for."""
    public_key: bytes = Field(sa_type=BYTES)
    """COSE_Key."""
    sign_count: int = Field(sa_type=INTEGER)
    created_at_ms: int = Field(sa_type=INTEGER)
    used_at_ms: int | None = Field(default=None, sa_type=INTEGER)
    removed_at_ms: int | None = Field(default=None, sa_type=INTEGER)


class PasskeyHolder(BackendTable, table=True):
    """A payer's passkeys, and the one challenge that may be answered now."""

    __tablename__ = "passkey_holder"
    payer_id: str = Field(primary_key=True, sa_type=TEXT)
    credential_ids: str = Field(default="[]", sa_type=TEXT)
    """JSON: those that are not removed, in hex, so that a command finds them by key."""
    challenge: bytes = Field(default=b"", sa_type=BYTES)
    """Empty: none, or it was answered."""
    nonce: bytes = Field(default=b"", sa_type=BYTES)
    expires_at_ms: int = Field(default=0, sa_type=INTEGER)


PASSKEY = table_ref(Passkey)
HOLDER = table_ref(PasskeyHolder)
