"""The console's commands about sessions. Those about people are in ``staff_service``.

Rule 1: a try is counted before anything is compared, so that tries in parallel are not free.
Rule 2: a code's step is used up in the transaction that begins the session: of two sign-ins with
        one code, one begins.
Rule 3: a sign-in that fails says nothing about why: not whether the name exists, nor whether it is
        locked.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.console.limits import SIGN_IN_LOCK_MS, SIGN_IN_TRIES_MAX
from backend.console.tables import SESSION, USER
from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from protocol.errors import CallerError


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
        if not user["password_hash"]:
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
    begins. ``sign_in_wrong`` for a step that was used before, or where the person's sessions were
    ended (another ``epoch``) since the password was compared."""

    name: str
    epoch: int
    step: int
    token_hash: bytes
    origin: str
    browser: str

    def reads(self) -> Iterable[Read]:
        return [(USER, self.name), (SESSION, self.token_hash)]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        user = ws.get(USER, self.name)
        if user is None or user["is_closed"] or self.step <= user["totp_step"]:
            raise CallerError("sign_in_wrong")
        if user["epoch"] != self.epoch:
            raise CallerError("sign_in_wrong")
        ws.update(USER, self.name, tries=0, locked_until_ms=0, totp_step=self.step)
        ws.insert(
            SESSION,
            {
                "token_hash": self.token_hash,
                "name": self.name,
                "began_at_ms": now_ms,
                "seen_at_ms": now_ms,
                "epoch": user["epoch"],
                "origin": self.origin,
                "browser": self.browser,
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
