"""The console's commands: people, and their sessions.

Rule 1: a try is counted before anything is compared, so that tries in parallel are not free.
Rule 2: a code's step is used up in the transaction that begins the session: of two sign-ins with
        one code, one begins.
Rule 3: a sign-in that fails says nothing about why: not whether the name exists, nor whether it is
        locked.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.console.limits import SIGN_IN_LOCK_MS, SIGN_IN_TRIES_MAX
from backend.console.model import Role
from backend.console.tables import SESSION, USER
from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.merchants.tables import MERCHANT
from protocol.errors import CallerError
from protocol.topics import is_name


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateUser:
    """A new person; ``user_exists`` if the name is taken, also by one that was closed."""

    name: str
    role: Role
    merchant_id: str
    password_salt: bytes
    password_hash: bytes
    totp_sealed: bytes

    def reads(self) -> Iterable[Read]:
        return [(USER, self.name), (MERCHANT, self.merchant_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        if not is_name(self.name):
            raise CallerError("field_invalid", "name")
        is_merchant = self.role is Role.MERCHANT
        if bool(self.merchant_id) != is_merchant:
            raise CallerError("field_invalid", "merchant_id")
        if is_merchant and ws.get(MERCHANT, self.merchant_id) is None:
            raise CallerError("merchant_unknown", self.merchant_id)
        if ws.get(USER, self.name) is not None:
            raise CallerError("user_exists", self.name)
        ws.insert(
            USER,
            {
                "name": self.name,
                "role": self.role.value,
                "merchant_id": self.merchant_id,
                "password_salt": self.password_salt,
                "password_hash": self.password_hash,
                "totp_sealed": self.totp_sealed,
                "created_at_ms": now_ms,
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseUser:
    """A person who may no longer sign in; sessions that run end with it."""

    name: str

    def reads(self) -> Iterable[Read]:
        return [(USER, self.name)]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:  # noqa: ARG002  # no time is kept
        if ws.get(USER, self.name) is None:
            raise CallerError("user_unknown", self.name)
        ws.update(USER, self.name, is_closed=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginSignIn:
    """Count a try; answers the person's row, or None where there is nobody to compare with: no
    such name, closed, or locked after too many wrong tries."""

    name: str

    def reads(self) -> Iterable[Read]:
        return [(USER, self.name)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row | None:
        user = ws.get(USER, self.name)
        if user is None or user["is_closed"] or now_ms < user["locked_until_ms"]:
            return None
        tries = user["tries"] + 1
        is_last = tries >= SIGN_IN_TRIES_MAX
        ws.update(
            USER,
            self.name,
            tries=0 if is_last else tries,
            locked_until_ms=now_ms + SIGN_IN_LOCK_MS if is_last else 0,
        )
        return user


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSignIn:
    """Password and code were right: tries are forgotten, the code's step is used up, and a session
    begins. ``sign_in_wrong`` for a step that was used before."""

    name: str
    step: int
    token_hash: bytes

    def reads(self) -> Iterable[Read]:
        return [(USER, self.name), (SESSION, self.token_hash)]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        user = ws.get(USER, self.name)
        if user is None or user["is_closed"] or self.step <= user["totp_step"]:
            raise CallerError("sign_in_wrong")
        ws.update(USER, self.name, tries=0, locked_until_ms=0, totp_step=self.step)
        ws.insert(
            SESSION,
            {
                "token_hash": self.token_hash,
                "name": self.name,
                "began_at_ms": now_ms,
                "seen_at_ms": now_ms,
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSession:
    """A session was used, or is ended by its person."""

    token_hash: bytes
    is_ended: bool = False

    def reads(self) -> Iterable[Read]:
        return [(SESSION, self.token_hash)]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        session = ws.get(SESSION, self.token_hash)
        if session is None or session["is_ended"]:
            return
        ws.update(SESSION, self.token_hash, seen_at_ms=now_ms, is_ended=int(self.is_ended))
