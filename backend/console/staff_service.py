"""Commands about the console's people: who there is, what each may do, how one comes in.

Rule 1: every change of a person goes through ``_changed``, which counts the owners of the team who
        can sign in. The last one is not taken away (``last_owner``), but by the bearer of the
        operator's token (``is_forced``), who can let another in.
Rule 2: what changes a right takes effect at once: each request reads the person's row.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.console.limits import SETUP_LIFE_MS
from backend.console.model import Rank, Role
from backend.console.tables import SESSION, TEAM, USER
from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.merchants.tables import MERCHANT
from backend.wallet.model import is_same_hash
from protocol.errors import CallerError
from protocol.topics import is_name


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateUser:
    """A new person; ``user_exists`` if the name is taken, also by one that was closed. Without a
    password's hash the person is invited, and sets up password and second factor by the secret
    whose hash is given."""

    name: str
    role: Role
    rank: Rank
    merchant_id: str
    password_salt: bytes
    password_hash: bytes
    totp_sealed: bytes
    setup_hash: bytes = b""

    def reads(self) -> Iterable[Read]:
        return [(USER, self.name), (MERCHANT, self.merchant_id), (TEAM, self.merchant_id)]

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
                "rank": self.rank.value,
                "merchant_id": self.merchant_id,
                "password_salt": self.password_salt,
                "password_hash": self.password_hash,
                "totp_sealed": self.totp_sealed,
                "setup_hash": self.setup_hash,
                "setup_until_ms": now_ms + SETUP_LIFE_MS if self.setup_hash else 0,
                "created_at_ms": now_ms,
            },
        )
        _count(ws, self.merchant_id, int(_is_able_owner(_user(ws, self.name))))


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfTeam:
    """What is done to a person reads the others of the team: one owner stays."""

    name: str

    def reads(self) -> Iterable[Read]:
        return [(USER, self.name)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        return _team_reads(ws, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseUser(_OfTeam):
    """A person who may no longer sign in; sessions that run end with it."""

    is_forced: bool = False

    def decide(self, ws: WorkingSet, now_ms: int) -> None:  # noqa: ARG002  # no time is kept
        user = _user(ws, self.name)
        _changed(ws, user, is_forced=self.is_forced, is_closed=1, epoch=user["epoch"] + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenUser(_OfTeam):
    """A closed person may sign in again, with what was set up before."""

    def decide(self, ws: WorkingSet, now_ms: int) -> None:  # noqa: ARG002  # no time is kept
        _changed(ws, _user(ws, self.name), is_closed=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRank(_OfTeam):
    """What a person may do from now on."""

    rank: Rank
    is_forced: bool = False

    def decide(self, ws: WorkingSet, now_ms: int) -> None:  # noqa: ARG002  # no time is kept
        _changed(ws, _user(ws, self.name), is_forced=self.is_forced, rank=self.rank.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginSetup(_OfTeam):
    """A person sets up password and second factor anew: the old ones and all sessions are over."""

    totp_sealed: bytes
    setup_hash: bytes
    is_forced: bool = False

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        user = _user(ws, self.name)
        _changed(
            ws,
            user,
            is_forced=self.is_forced,
            password_hash=b"",
            totp_sealed=self.totp_sealed,
            totp_step=-1,
            tries=0,
            locked_until_ms=0,
            setup_hash=self.setup_hash,
            setup_until_ms=now_ms + SETUP_LIFE_MS,
            epoch=user["epoch"] + 1,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteFirst:
    """The first owner of a team that has none who can sign in: invited, or invited anew until it is
    set up. ``user_exists`` where there is one, or where the name is somebody else's."""

    name: str
    role: Role
    merchant_id: str
    password_salt: bytes
    totp_sealed: bytes
    setup_hash: bytes

    def reads(self) -> Iterable[Read]:
        return [(USER, self.name), (MERCHANT, self.merchant_id), (TEAM, self.merchant_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        team, user = ws.get(TEAM, self.merchant_id), ws.get(USER, self.name)
        if team is not None and team["owner_count"] > 0:
            raise CallerError("user_exists", self.name)
        if user is None:
            self._invited().decide(ws, now_ms)
            return
        is_ours = user["role"] == self.role and user["merchant_id"] == self.merchant_id
        if user["password_hash"] or user["is_closed"] or not is_ours or user["rank"] != Rank.OWNER:
            raise CallerError("user_exists", self.name)
        again = BeginSetup(name=self.name, totp_sealed=self.totp_sealed, setup_hash=self.setup_hash)
        again.decide(ws, now_ms)

    def _invited(self) -> CreateUser:
        return CreateUser(
            name=self.name,
            role=self.role,
            rank=Rank.OWNER,
            merchant_id=self.merchant_id,
            password_salt=self.password_salt,
            password_hash=b"",
            totp_sealed=self.totp_sealed,
            setup_hash=self.setup_hash,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishSetup(_OfTeam):
    """The person has a password, and a phone that shows the right code. The secret is used up;
    ``setup_wrong`` for one that is not this person's, is over, or was used."""

    setup_hash: bytes
    password_salt: bytes
    password_hash: bytes
    step: int

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        user = ws.get(USER, self.name)
        if user is None or not is_setup_open(user, self.setup_hash, now_ms):
            raise CallerError("setup_wrong")
        _changed(
            ws,
            user,
            password_salt=self.password_salt,
            password_hash=self.password_hash,
            totp_step=self.step,
            setup_hash=b"",
            setup_until_ms=0,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePassword:
    """Another password, by its person; every session but the one that asks, if one does, is over.
    ``not_authorized`` where that one is over, too: a reset meanwhile is not undone. The code's step
    is used up; ``console_code_wrong`` where it was before."""

    name: str
    step: int
    token_hash: bytes | None
    password_salt: bytes
    password_hash: bytes

    def reads(self) -> Iterable[Read]:
        asking = [] if self.token_hash is None else [(SESSION, self.token_hash)]
        return [(USER, self.name), *asking]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:  # noqa: ARG002  # no time is kept
        user = _user(ws, self.name)
        session = None if self.token_hash is None else ws.get(SESSION, self.token_hash)
        if self.token_hash is not None and not _is_open(session, user):
            raise CallerError("not_authorized")
        if self.step <= user["totp_step"]:
            raise CallerError("console_code_wrong")
        epoch = user["epoch"] + 1
        ws.update(
            USER,
            self.name,
            password_salt=self.password_salt,
            password_hash=self.password_hash,
            totp_step=self.step,
            tries=0,
            locked_until_ms=0,
            epoch=epoch,
        )
        if self.token_hash is not None:
            ws.update(SESSION, self.token_hash, epoch=epoch)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOutEverywhere:
    """All sessions of a person are over."""

    name: str

    def reads(self) -> Iterable[Read]:
        return [(USER, self.name)]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:  # noqa: ARG002  # no time is kept
        ws.update(USER, self.name, epoch=_user(ws, self.name)["epoch"] + 1)


def is_setup_open(user: Row, setup_hash: bytes, now_ms: int) -> bool:
    """Whether this is the person's secret, and still good."""
    is_right = bool(user["setup_hash"]) and is_same_hash(setup_hash, user["setup_hash"])
    return is_right and not user["is_closed"] and now_ms < user["setup_until_ms"]


def _is_open(session: Row | None, user: Row) -> bool:
    return bool(session and not session["is_ended"] and session["epoch"] == user["epoch"])


def _user(ws: WorkingSet, name: str) -> Row:
    user = ws.get(USER, name)
    if user is None:
        raise CallerError("user_unknown", name)
    return user


def _team_reads(ws: WorkingSet, name: str) -> Iterable[Read]:
    user = ws.get(USER, name)
    return [] if user is None else [(TEAM, user["merchant_id"])]


def _changed(ws: WorkingSet, user: Row, *, is_forced: bool = False, **changes: object) -> None:
    gone = int(_is_able_owner({**user, **changes})) - int(_is_able_owner(user))
    ws.update(USER, user["name"], **changes)
    left = _count(ws, user["merchant_id"], gone)
    if gone < 0 and left == 0 and not is_forced:
        raise CallerError("last_owner", user["name"])


def _is_able_owner(user: Row) -> bool:
    return bool(user["rank"] == Rank.OWNER and not user["is_closed"] and user["password_hash"])


def _count(ws: WorkingSet, merchant_id: str, more: int) -> int:
    """How many owners the team has, after so many more."""
    team = ws.get(TEAM, merchant_id)
    if team is None:
        ws.insert(TEAM, {"merchant_id": merchant_id, "owner_count": more})
        return more
    count: int = team["owner_count"] + more
    if more:
        ws.update(TEAM, merchant_id, owner_count=count)
    return count
