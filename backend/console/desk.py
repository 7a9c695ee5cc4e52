"""Who comes in: password and second factor, and whose session a token is.

The password's slow hash runs on threads, a few at a time; an unknown name costs the same time.
"""

import asyncio
from typing import Any

from backend.console.limits import (
    HASHES_AT_ONCE_MAX,
    SESSION_IDLE_MS,
    SESSION_LIFE_MS,
    SESSION_TOUCH_GAP_MS,
    TOKEN_BYTES,
)
from backend.console.model import (
    SALT_BYTES,
    Person,
    Role,
    check_password,
    hash_password,
    hash_token,
)
from backend.console.repository import PeopleRepository
from backend.console.service import BeginSignIn, CloseUser, CreateUser, EndSignIn, NoteSession
from backend.console.totp import SECRET_BYTES, secret_text, secret_uri, step_of
from backend.db.tables import Row
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

    async def add(
        self, *, name: str, role: Role, merchant_id: str, password: str
    ) -> dict[str, Any]:
        """A new person; the second factor's secret is told here and nowhere else."""
        check_password(password)
        entropy = self._services.entropy
        salt, secret = entropy.token_bytes(SALT_BYTES), entropy.token_bytes(SECRET_BYTES)
        command = CreateUser(
            name=name,
            role=role,
            merchant_id=merchant_id,
            password_salt=salt,
            password_hash=await self._hash(password, salt),
            totp_sealed=self._vault.seal(secret, place=_place(name), entropy=entropy),
        )
        await self._services.submit(command)
        return {
            "name": name,
            "role": role.value,
            "merchant_id": merchant_id,
            "totp_secret": secret_text(secret),
            "totp_uri": secret_uri(secret, name),
        }

    async def close(self, name: str) -> dict[str, Any]:
        """End a person's rights, at once."""
        await self._services.submit(CloseUser(name=name))
        return {"name": name, "is_closed": True}

    async def listed(self) -> list[Row]:
        """Everybody, without secrets."""
        rows: list[Row] = await self._services.run_read(self._people.everybody)
        return rows

    async def sign_in(self, *, name: str, password: str, code: str) -> str:
        """The new session's token; ``sign_in_wrong`` without a reason for whatever does not fit."""
        is_possible = is_name(name)
        user: Row | None = (
            await self._services.submit(BeginSignIn(name=name)) if is_possible else None
        )
        known = user or _NOBODY
        digest = await self._hash(password, known["password_salt"])
        is_right = is_same_hash(digest, known["password_hash"])
        if user is None or not is_right:
            raise CallerError("sign_in_wrong")
        step = self.step(user, code)
        if step is None:
            raise CallerError("sign_in_wrong")
        token = self._services.entropy.token_bytes(TOKEN_BYTES).hex()
        await self._services.submit(EndSignIn(name=name, step=step, token_hash=hash_token(token)))
        return token

    async def person(self, token: str) -> Person:
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
        return Person(
            name=row["name"], role=Role(row["role"]), merchant_id=row["merchant_id"], token=token
        )

    async def sign_out(self, person: Person) -> None:
        """The session ends here, whoever else has its token."""
        await self._services.submit(NoteSession(token_hash=hash_token(person.token), is_ended=True))

    def step(self, user: Row, code: str) -> int | None:
        """The step that a code of this person's phone is of; None for a wrong code."""
        secret = self._vault.open(user["totp_sealed"], place=_place(user["name"]))
        return step_of(secret, code, now_ms=self._services.clock.now_ms())

    async def _hash(self, password: str, salt: bytes) -> bytes:
        async with self._slots:
            return await asyncio.to_thread(hash_password, password, salt)


def _place(name: str) -> str:
    return f"console/{name}/totp"
