"""Who there is, and what each may do: for owners, for oneself, and for the operator's token.

Rule 1: a merchant's owner manages that merchant's people; an owner of the operators manages the
        operators and every merchant's people. Anybody else's person is *unknown*.
Rule 2: a one-time setup secret is told once, to whoever invites, and kept as a hash.
Rule 3: each change is an act in the audit log, with what was before and after.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from backend.audit.model import Act, ActKind
from backend.audit.service import Audited, KeepAct, Watch
from backend.console.desk import PeopleDesk
from backend.console.fresh_code import matched
from backend.console.model import (
    SALT_BYTES,
    SETUP_BYTES,
    Person,
    Rank,
    Role,
    check_password,
    hash_setup,
    hash_token,
    setup_text,
)
from backend.console.repository import PeopleRepository
from backend.console.service import NoteSession
from backend.console.staff_service import (
    BeginSetup,
    ChangePassword,
    ChangeRank,
    CloseUser,
    CreateUser,
    FinishSetup,
    InviteFirst,
    OpenUser,
    SignOutEverywhere,
    is_setup_open,
)
from backend.console.tables import USER
from backend.console.totp import secret_text, secret_uri
from backend.db.command import Command
from backend.db.tables import Row
from backend.payments.services import Services
from backend.wallet.model import is_same_hash
from protocol.errors import CallerError

_TOLD = ("role", "rank", "merchant_id", "is_closed", "setup_until_ms", "epoch")


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who changes people. ``scope`` None: everybody's; else one merchant's. ``is_forced``: also the
    last owner, who can be let in again by the same token."""

    actor: str
    origin: str
    scope: str | None = None
    is_forced: bool = False

    @classmethod
    def of(cls, person: Person) -> "By":
        """An owner; ``rank_insufficient`` for everybody else."""
        if not person.is_owner:
            raise CallerError("rank_insufficient")
        return cls(actor=person.actor, origin=person.origin, scope=person.scope)


class StaffDesk:
    """One per process."""

    def __init__(self, services: Services, people: PeopleDesk) -> None:
        self._services = services
        self._people = people
        self._repository = PeopleRepository(services.reader)

    async def listed(self, by: By) -> list[Row]:
        """The people that are this one's to manage, without secrets."""
        rows: list[Row] = await self._services.run_read(lambda: self._repository.people(by.scope))
        return rows

    async def add(
        self, by: By, *, name: str, role: Role, rank: Rank, merchant_id: str, password: str
    ) -> dict[str, Any]:
        """A new person with a password; the second factor's secret is told here alone."""
        check_password(password)
        salt = self._services.entropy.token_bytes(SALT_BYTES)
        secret, sealed = self._people.sealed(name)
        command = CreateUser(
            name=name,
            role=role,
            rank=rank,
            merchant_id=merchant_id,
            password_salt=salt,
            password_hash=await self._people.hashed(password, salt),
            totp_sealed=sealed,
        )
        await self._kept(by, command, name, "add", merchant_id)
        return {
            "name": name,
            "role": role.value,
            "rank": rank.value,
            "merchant_id": merchant_id,
            "totp_secret": secret_text(secret),
            "totp_uri": secret_uri(secret, name),
        }

    async def invite(
        self, by: By, *, name: str, role: Role, rank: Rank, merchant_id: str
    ) -> dict[str, Any]:
        """A new person who sets password and second factor up by the secret that is told here."""
        if by.scope not in (None, merchant_id):
            raise CallerError("merchant_unknown", merchant_id)
        secret, sealed = self._people.sealed(name)
        del secret
        setup = self._new_setup()
        command = CreateUser(
            name=name,
            role=role,
            rank=rank,
            merchant_id=merchant_id,
            password_salt=self._services.entropy.token_bytes(SALT_BYTES),
            password_hash=b"",
            totp_sealed=sealed,
            setup_hash=hash_setup(setup),
        )
        await self._kept(by, command, name, "invite", merchant_id)
        return {"name": name, "setup_secret": setup}

    async def invite_first(self, merchant_id: str, *, origin: str) -> dict[str, str] | None:
        """The first owner of a team, by the team's name, with the setup secret; the same one anew,
        until it is set up. None where an owner can sign in, or where the name is somebody's who is
        not to be invited."""
        role = Role.MERCHANT if merchant_id else Role.OPERATOR
        name, setup = f"{merchant_id or role.value}-owner", self._new_setup()
        _, sealed = self._people.sealed(name)
        command = InviteFirst(
            name=name,
            role=role,
            merchant_id=merchant_id,
            password_salt=self._services.entropy.token_bytes(SALT_BYTES),
            totp_sealed=sealed,
            setup_hash=hash_setup(setup),
        )
        by = By(actor="opening link", origin=origin)
        try:
            await self._kept(by, command, name, "invite", merchant_id)
        except CallerError as refusal:
            if refusal.code != "user_exists":
                raise
            return None
        return {"name": name, "setup": setup}

    async def reset(self, by: By, name: str) -> dict[str, Any]:
        """A person sets up anew, by the secret that is told here; nothing of before is good."""
        user = await self._theirs(by, name)
        _, sealed = self._people.sealed(name)
        setup = self._new_setup()
        command = BeginSetup(
            name=name, totp_sealed=sealed, setup_hash=hash_setup(setup), is_forced=by.is_forced
        )
        await self._kept(by, command, name, "reset", user["merchant_id"])
        return {"name": name, "setup_secret": setup}

    async def close(self, by: By, name: str) -> None:
        """End a person's rights, at once."""
        user = await self._theirs(by, name)
        command = CloseUser(name=name, is_forced=by.is_forced)
        await self._kept(by, command, name, "close", user["merchant_id"])

    async def open(self, by: By, name: str) -> None:
        """Give a closed person's rights back."""
        user = await self._theirs(by, name)
        await self._kept(by, OpenUser(name=name), name, "open", user["merchant_id"])

    async def change_rank(self, by: By, name: str, rank: Rank) -> None:
        """What a person may do from now on."""
        user = await self._theirs(by, name)
        command = ChangeRank(name=name, rank=rank, is_forced=by.is_forced)
        await self._kept(by, command, name, "rank", user["merchant_id"])

    async def sign_out(self, by: By, name: str) -> None:
        """End all sessions of a person."""
        user = await self._theirs(by, name)
        await self._kept(by, SignOutEverywhere(name=name), name, "sign out", user["merchant_id"])

    async def sessions(self, name: str) -> list[Row]:
        """A person's sessions, the last used first; each with the ``id`` that ends it."""
        now_ms = self._services.clock.now_ms()
        rows = await self._services.run_read(lambda: self._repository.sessions(name, now_ms=now_ms))
        return [{**row, "id": row["token_hash"].hex()} for row in rows]

    async def end_session(self, person: Person, session_id: str) -> None:
        """End one of one's own sessions; ``session_unknown`` for any other."""
        command = await self._ending(person.name, session_id)
        act = person.act(ActKind.SIGN_OUT, "end session", f"person {person.name}")
        await self._services.submit(Audited(command=command, act=act))

    async def end_session_of(self, by: By, name: str, session_id: str) -> None:
        """End one of a person's sessions; ``session_unknown`` for any other."""
        user = await self._theirs(by, name)
        command = await self._ending(name, session_id)
        await self._kept(by, command, name, "end session", user["merchant_id"])

    async def end_own_sessions(self, person: Person) -> None:
        """End all of one's own sessions, with this one."""
        command = SignOutEverywhere(name=person.name)
        act = person.act(ActKind.SIGN_OUT, "sign out everywhere", f"person {person.name}")
        await self._services.submit(Audited(command=command, act=act))

    async def change_password(self, person: Person, *, old: str, new: str, code: str) -> None:
        """Another password of one's own; every other session is over. ``console_code_wrong`` and
        ``password_wrong`` for a wrong code and a wrong present password: tries that count as those
        of signing in do."""

        def act(kind: ActKind) -> Act:
            return person.act(kind, "password", f"person {person.name}")

        kept = hash_token(person.token)
        await self._change_password(person.name, act, kept, old=old, new=new, code=code)

    async def change_password_of(self, by: By, name: str, *, old: str, new: str, code: str) -> None:
        """The same by a program, for a person who proves as much; every session is over."""
        user = await self._theirs(by, name)

        def act(kind: ActKind) -> Act:
            return _act(by, kind, name, "password", user["merchant_id"])

        await self._change_password(name, act, None, old=old, new=new, code=code)

    async def setup(self, *, name: str, setup: str) -> dict[str, str]:
        """The second factor's secret, for who has the setup secret; ``setup_wrong`` for others."""
        secret = self._people.secret(await self._invited(name, setup))
        return {"totp_secret": secret_text(secret), "totp_uri": secret_uri(secret, name)}

    async def finish_setup(
        self, *, name: str, setup: str, password: str, code: str, origin: str
    ) -> None:
        """Password and second factor stand; the setup secret is used up. ``code_wrong`` for a code
        that the phone cannot have shown."""
        user = await self._invited(name, setup)
        check_password(password)
        step = self._people.step(user, code)
        if step is None:
            raise CallerError("code_wrong")
        salt = self._services.entropy.token_bytes(SALT_BYTES)
        command = FinishSetup(
            name=name,
            setup_hash=hash_setup(setup),
            password_salt=salt,
            password_hash=await self._people.hashed(password, salt),
            step=step,
        )
        by = By(actor=f"console:{name}", origin=origin)
        await self._kept(by, command, name, "set up", user["merchant_id"])

    async def _change_password(
        self,
        name: str,
        act: Callable[[ActKind], Act],
        kept: bytes | None,
        *,
        old: str,
        new: str,
        code: str,
    ) -> None:
        check_password(new)
        try:
            step = await self._matched(name, old, code)
        except CallerError:
            await self._services.submit(KeepAct(act(ActKind.SIGN_IN_FAILED)))
            raise
        salt = self._services.entropy.token_bytes(SALT_BYTES)
        command = ChangePassword(
            name=name,
            step=step,
            token_hash=kept,
            password_salt=salt,
            password_hash=await self._people.hashed(new, salt),
        )
        await self._services.submit(Audited(command=command, act=act(ActKind.STAFF)))

    async def _matched(self, name: str, password: str, code: str) -> int:
        user, step = await matched(self._services, self._people, name, code)
        digest = await self._people.hashed(password, user["password_salt"])
        if not is_same_hash(digest, user["password_hash"]):
            raise CallerError("password_wrong")
        return step

    async def _invited(self, name: str, setup: str) -> Row:
        user: Row | None = await self._services.run_read(lambda: self._repository.person(name))
        now_ms = self._services.clock.now_ms()
        if user is None or not is_setup_open(user, hash_setup(setup), now_ms):
            raise CallerError("setup_wrong")
        return user

    async def _user(self, name: str) -> Row:
        user: Row | None = await self._services.run_read(lambda: self._repository.person(name))
        if user is None:
            raise CallerError("user_unknown", name)
        return user

    async def _ending(self, name: str, session_id: str) -> NoteSession:
        sessions = await self.sessions(name)
        found = next((one for one in sessions if one["id"] == session_id), None)
        if found is None:
            raise CallerError("session_unknown")
        return NoteSession(token_hash=found["token_hash"], is_ended=True)

    async def _theirs(self, by: By, name: str) -> Row:
        user = await self._user(name)
        if by.scope not in (None, user["merchant_id"]):
            raise CallerError("user_unknown", name)
        return user

    async def _kept(self, by: By, command: Command, name: str, what: str, merchant_id: str) -> None:
        act = _act(by, ActKind.STAFF, name, what, merchant_id)
        await self._services.submit(
            Audited(command=command, act=act, watch=Watch(USER, name, _TOLD))
        )

    def _new_setup(self) -> str:
        return setup_text(self._services.entropy.token_bytes(SETUP_BYTES))


def _act(by: By, kind: ActKind, name: str, what: str, merchant_id: str) -> Act:
    return Act(
        kind=kind,
        what=what,
        actor=by.actor,
        origin=by.origin,
        subject=f"person {name}",
        merchant_id=merchant_id,
    )
