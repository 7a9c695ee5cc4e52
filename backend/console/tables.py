"""The console's people and their sessions. No password, code or token is in them."""

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, STORAGE, TEXT, BackendTable, table_ref


class ConsoleUser(BackendTable, table=True):
    """A person with a password and a second factor."""

    __tablename__ = "console_user"
    name: str = Field(primary_key=True, sa_type=TEXT)
    role: str = Field(sa_type=TEXT)
    """``merchant`` or ``operator``."""
    rank: str = Field(default="owner", sa_type=TEXT)
    """``owner``, ``clerk`` or ``viewer``."""
    merchant_id: str = Field(default="", sa_type=TEXT)
    """Whose data a merchant's person sees; empty for an operator."""
    password_salt: bytes = Field(sa_type=BYTES)
    password_hash: bytes = Field(sa_type=BYTES)
    """Empty until the person has set a password up."""
    totp_sealed: bytes = Field(sa_type=BYTES)
    totp_step: int = Field(default=-1, sa_type=INTEGER)
    """The last step whose code was used; it only rises."""
    tries: int = Field(default=0, sa_type=INTEGER)
    locked_until_ms: int = Field(default=0, sa_type=INTEGER)
    is_closed: int = Field(default=0, sa_type=INTEGER)
    setup_hash: bytes = Field(default=b"", sa_type=BYTES)
    """Of the one-time secret that lets its person set up password and second factor; empty: none
    is out."""
    setup_until_ms: int = Field(default=0, sa_type=INTEGER)
    epoch: int = Field(default=0, sa_type=INTEGER)
    """Sessions of an earlier one are over: it rises when a person is signed out everywhere."""
    created_at_ms: int = Field(sa_type=INTEGER)


class ConsoleTeam(BackendTable, table=True):
    """The people of a merchant, or the operators (an empty name), counted as far as it matters."""

    __tablename__ = "console_team"
    merchant_id: str = Field(primary_key=True, sa_type=TEXT)
    owner_count: int = Field(sa_type=INTEGER)
    """Owners who can sign in: neither closed nor waiting to be set up."""


class ConsoleSession(BackendTable, table=True):
    """One sign-in; its token is hashed."""

    __tablename__ = "console_session"
    __table_args__: Any = (Index("ix_console_session_name", "name", "began_at_ms"), STORAGE)
    token_hash: bytes = Field(primary_key=True, sa_type=BYTES)
    name: str = Field(sa_type=TEXT)
    began_at_ms: int = Field(sa_type=INTEGER)
    seen_at_ms: int = Field(sa_type=INTEGER)
    epoch: int = Field(default=0, sa_type=INTEGER)
    origin: str = Field(default="", sa_type=TEXT)
    """The address it began from."""
    browser: str = Field(default="", sa_type=TEXT)
    """As the browser calls itself."""
    is_ended: int = Field(default=0, sa_type=INTEGER)


USER = table_ref(ConsoleUser)
SESSION = table_ref(ConsoleSession)
TEAM = table_ref(ConsoleTeam)
