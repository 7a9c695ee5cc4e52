"""The console's people and their sessions. No password, code or token is in them."""

from sqlmodel import Field

from backend.db.tables import BYTES, INTEGER, TEXT, BackendTable, table_ref


class ConsoleUser(BackendTable, table=True):
    """A person with a password and a second factor."""

    __tablename__ = "console_user"
    name: str = Field(primary_key=True, sa_type=TEXT)
    role: str = Field(sa_type=TEXT)
    """``merchant`` or ``operator``."""
    merchant_id: str = Field(default="", sa_type=TEXT)
    """Whose data a merchant's person sees; empty for an operator."""
    password_salt: bytes = Field(sa_type=BYTES)
    password_hash: bytes = Field(sa_type=BYTES)
    totp_sealed: bytes = Field(sa_type=BYTES)
    totp_step: int = Field(default=-1, sa_type=INTEGER)
    """The last step whose code was used; it only rises."""
    tries: int = Field(default=0, sa_type=INTEGER)
    locked_until_ms: int = Field(default=0, sa_type=INTEGER)
    is_closed: int = Field(default=0, sa_type=INTEGER)
    created_at_ms: int = Field(sa_type=INTEGER)


class ConsoleSession(BackendTable, table=True):
    """One sign-in; its token is hashed."""

    __tablename__ = "console_session"
    token_hash: bytes = Field(primary_key=True, sa_type=BYTES)
    name: str = Field(sa_type=TEXT)
    began_at_ms: int = Field(sa_type=INTEGER)
    seen_at_ms: int = Field(sa_type=INTEGER)
    is_ended: int = Field(default=0, sa_type=INTEGER)


USER = table_ref(ConsoleUser)
SESSION = table_ref(ConsoleSession)
