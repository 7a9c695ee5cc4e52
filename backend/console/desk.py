"""Who comes in: password and second factor, and whose session a token is.

The password's slow hash runs on threads, a few at a time; an unknown name costs the same time.
"""

import asyncio

from backend.audit.model import Act, ActKind
from backend.audit.service import Audited, KeepAct
from backend.clock import ahead_ms
from backend.console.limits import (
    BROWSER_CHARS_MAX,
    HASHES_AT_ONCE_MAX,
    SESSION_IDLE_MS,
    SESSION_LIFE_MS,
    SESSION_TOUCH_GAP_MS,
    TOKEN_BYTES,
)
from backend.console.model import (
    SALT_BYTES,
    Person,
    Rank,
    Role,
    Stopped,
    hash_password,
    hash_token,
)
from backend.console.repository import PeopleRepository
from backend.console.service import BeginSignIn, EndSignIn, NoteSession
from backend.console.totp import SECRET_BYTES, step_of
from backend.db.tables import Row
from backend.detail import printable
from backend.merchant_api.keys.sealing import Vault
from backend.payments.services import Services
from backend.wallet.model import is_same_hash
from protocol.errors import CallerError
from protocol.topics import is_name

_NOBODY: Row = {"password_salt": bytes(SALT_BYTES), "password_hash": b""}


class PeopleDesk:
    """One per process."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._vault = Vault.of(services.rules.code_master_key)
        self._people = PeopleRepository(services.reader)
        self._slots = asyncio.Semaphore(HASHES_AT_ONCE_MAX)

    async def sign_in(
        self, *, name: str, password: str, code: str, origin: str = "", browser: str = ""
    ) -> str:
        """The new session's token; ``sign_in_wrong`` without a reason for whatever does not fit.
        Both are acts, kept in the audit log."""
        try:
            return await self._sign_in(name, password, code, origin, browser)
        except CallerError:
            await self._keep_failed(name, origin)
            raise

    async def _sign_in(self, name: str, password: str, code: str, origin: str, browser: str) -> str:
        is_possible = is_name(name)
        user: Row | None = (
            await self._services.submit(BeginSignIn(name=name)) if is_possible else None
        )
        known = user or _NOBODY
        digest = await self.hashed(password, known["password_salt"])
        is_right = is_same_hash(digest, known["password_hash"])
        if user is None or not is_right:
            raise CallerError("sign_in_wrong")
        step = self.step(user, code)
        if step is None:
            raise CallerError("sign_in_wrong")
        token = self._services.entropy.token_bytes(TOKEN_BYTES).hex()
        end = EndSignIn(
            name=name,
            epoch=user["epoch"],
            step=step,
            token_hash=hash_token(token),
            origin=origin,
            browser=printable(browser, chars_max=BROWSER_CHARS_MAX),
        )
        person = _person(user, token, origin)
        act = person.act(ActKind.SIGN_IN, "sign in", f"person {name}")
        await self._services.submit(Audited(command=end, act=act))
        return token

    async def _keep_failed(self, name: str, origin: str) -> None:
        """The owner of whose name it is sees it, too."""
        known: Row | None = None
        if is_name(name):
            known = await self._services.run_read(lambda: self._people.person(name))
        tried = Act(
            kind=ActKind.SIGN_IN_FAILED,
            what="sign in",
            actor=f"console:{name}",
            origin=origin,
            merchant_id=known["merchant_id"] if known else "",
        )
        await self._services.submit(KeepAct(tried))

    async def person(self, token: str, origin: str = "") -> Person:
        """Whose session this is; ``not_authorized`` for one that is unknown, ended, idle for too
        long, or too old."""
        token_hash, now_ms = hash_token(token), self._services.clock.now_ms()
        row: Row | None = await self._services.run_read(lambda: self._people.session(token_hash))
        if row is None:
            raise CallerError("not_authorized")
        idle_ms = now_ms - row["seen_at_ms"]
        if idle_ms > SESSION_IDLE_MS or now_ms - row["began_at_ms"] > SESSION_LIFE_MS:
            raise CallerError("not_authorized")
        if idle_ms > SESSION_TOUCH_GAP_MS:
            await self._services.submit(NoteSession(token_hash=token_hash))
        return _person(row, token, origin)

    async def sign_out(self, person: Person) -> None:
        """The session ends here, whoever else has its token."""
        end = NoteSession(token_hash=hash_token(person.token), is_ended=True)
        act = person.act(ActKind.SIGN_OUT, "sign out", f"person {person.name}")
        await self._services.submit(Audited(command=end, act=act))

    def sealed(self, name: str) -> tuple[bytes, bytes]:
        """A new secret of a person's second factor, and the same as it is stored."""
        entropy = self._services.entropy
        secret = entropy.token_bytes(SECRET_BYTES)
        return secret, self._vault.seal(secret, place=_place(name), entropy=entropy)

    def secret(self, user: Row) -> bytes:
        """The secret of a person's second factor."""
        return self._vault.open(user["totp_sealed"], place=_place(user["name"]))

    def step(self, user: Row, code: str) -> int | None:
        """The step that a code of this person's phone is of; None for a wrong code."""
        clock = self._services.clock
        now_ms = clock.now_ms() - ahead_ms(clock)  # nobody puts a phone's clock forward
        return step_of(self.secret(user), code, now_ms=now_ms)

    async def hashed(self, password: str, salt: bytes) -> bytes:
        """The slow hash, a few at a time."""
        async with self._slots:
            return await asyncio.to_thread(hash_password, password, salt)


def _person(row: Row, token: str, origin: str) -> Person:
    stopped_at_ms = row.get("stopped_at_ms")
    return Person(
        name=row["name"],
        role=Role(row["role"]),
        rank=Rank(row["rank"]),
        merchant_id=row["merchant_id"],
        merchant_name=row.get("merchant_name") or "",
        token=token,
        origin=origin,
        stopped=None if stopped_at_ms is None else Stopped(stopped_at_ms, row["stop_category"]),
    )


def _place(name: str) -> str:
    return f"console/{name}/totp"
