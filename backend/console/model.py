"""Who may use the console, pure: roles, passwords, session tokens.

Rule: a password and a token are kept as hashes only; the password's is slow (scrypt, RFC 7914), the
token carries 256 random bits, so a fast one is right.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from backend.audit.model import Act, ActKind
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
_SETUP_CONTEXT, SETUP_BYTES = b"tillway-console-setup-v1", 15


class Role(StrEnum):
    """What a person of the console may see."""

    MERCHANT = "merchant"
    """One merchant's own."""
    OPERATOR = "operator"
    """Everything."""


class Rank(StrEnum):
    """What a person may do with it."""

    OWNER = "owner"
    """Everything, and say who the others are."""
    CLERK = "clerk"
    """Everything but that."""
    VIEWER = "viewer"
    """Look."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """A merchant takes no payments: since when, and what it is told of the reason."""

    at_ms: int
    category: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who is signed in, by which session."""

    name: str
    role: Role
    rank: Rank
    merchant_id: str
    """Empty for an operator, but for one who looks at a merchant's own pages."""
    merchant_name: str = ""
    """What that merchant is called."""
    token: str = field(repr=False)
    origin: str = ""
    """The address that the request comes from."""
    stopped: Stopped | None = None
    """Whether an operator has stopped the person's merchant."""

    @property
    def is_operator(self) -> bool:
        """Whether every merchant's data is this person's to see."""
        return self.role is Role.OPERATOR

    @property
    def is_owner(self) -> bool:
        """Whether the others of the team are this person's to manage."""
        return self.rank is Rank.OWNER

    @property
    def may_act(self) -> bool:
        """Whether this person may do more than look."""
        return self.rank is not Rank.VIEWER

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

    def act(
        self, kind: ActKind, what: str, subject: str, *, reason: str = "", merchant_id: str = ""
    ) -> Act:
        """An act of this person's, for the audit log. ``merchant_id``: whose log shows what an
        operator does."""
        return Act(
            kind=kind,
            what=what,
            actor=self.actor,
            origin=self.origin,
            subject=subject,
            merchant_id=self.merchant_id or merchant_id,
            reason=reason,
        )


def check_signatory(row: Mapping[str, Any] | None, name: str) -> None:
    """Whether somebody's word counts as one of two persons' by a program: ``signatory_unknown`` for
    who is no operator that can sign in, ``rank_insufficient`` for one who may only look."""
    is_known = row is not None and not row["is_closed"] and row["password_hash"]
    if row is None or not is_known or Role(row["role"]) is not Role.OPERATOR:
        raise CallerError("signatory_unknown", name)
    if Rank(row["rank"]) is Rank.VIEWER:
        raise CallerError("rank_insufficient", name)


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


def setup_text(secret: bytes) -> str:
    """A one-time setup secret as a person types it: 24 letters and digits in groups of four."""
    text = base64.b32encode(secret).decode("ascii")
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def hash_setup(text: str) -> bytes:
    """The stored form of a setup secret, however it was typed: it carries 120 random bits, so a
    fast hash is right."""
    plain = "".join(one for one in text.upper() if one.isalnum())
    return hashlib.sha256(_SETUP_CONTEXT + plain.encode("utf-8", "surrogatepass")).digest()
