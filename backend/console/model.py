"""Who may use the console, pure: roles, passwords, session tokens.

Rule: a password and a token are kept as hashes only; the password's is slow (scrypt, RFC 7914), the
token carries 256 random bits, so a fast one is right.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from enum import StrEnum

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from backend.console.limits import (
    PASSWORD_CHARS_MAX,
    PASSWORD_CHARS_MIN,
    SCRYPT_LOG2_N,
    SCRYPT_P,
    SCRYPT_R,
)
from protocol.errors import CallerError

SALT_BYTES = 16
_HASH_BYTES = 32
_TOKEN_CONTEXT, _PAGE_CONTEXT = b"tillway-console-token-v1", b"tillway-console-page-v1"


class Role(StrEnum):
    """What a person of the console may see."""

    MERCHANT = "merchant"
    """One merchant's own."""
    OPERATOR = "operator"
    """Everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who is signed in, by which session."""

    name: str
    role: Role
    merchant_id: str
    """Empty for an operator."""
    token: str = field(repr=False)

    @property
    def is_operator(self) -> bool:
        """Whether every merchant's data is this person's to see."""
        return self.role is Role.OPERATOR

    @property
    def scope(self) -> str | None:
        """The one merchant whose data may be seen; None: every merchant's."""
        return None if self.is_operator else self.merchant_id

    @property
    def page_token(self) -> str:
        """What the forms of this session carry."""
        return hmac.new(self.token.encode(), _PAGE_CONTEXT, hashlib.sha256).hexdigest()

    @property
    def actor(self) -> str:
        """How a timeline names this person."""
        return f"console:{self.name}"


def check_password(password: str) -> None:
    """``password_weak`` for one that is short or all of one character."""
    is_long = PASSWORD_CHARS_MIN <= len(password) <= PASSWORD_CHARS_MAX
    if not is_long or len(set(password)) == 1:
        raise CallerError("password_weak")


def hash_password(password: str, salt: bytes) -> bytes:
    """The stored form. Slow on purpose: call it outside the event loop and the writer."""
    kdf = Scrypt(salt=salt, length=_HASH_BYTES, n=1 << SCRYPT_LOG2_N, r=SCRYPT_R, p=SCRYPT_P)
    return kdf.derive(password.encode("utf-8", "surrogatepass"))


def hash_token(token: str) -> bytes:
    """The stored form of a session's token."""
    return hashlib.sha256(_TOKEN_CONTEXT + token.encode("utf-8", "surrogatepass")).digest()
