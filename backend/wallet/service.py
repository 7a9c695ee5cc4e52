"""The payers' commands: opening an account, topping it up, tokens, PIN tries, pay codes."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.passkeys.service import held_reads, remove_all
from backend.passkeys.tables import HOLDER
from backend.wallet.limits import (
    CODE_KEPT_MS,
    NAME_CHARS_MAX,
    PIN_LOCK_MS,
    PIN_TRIES_MAX,
    ROUTE_TRIES_MAX,
)
from backend.wallet.model import route_of
from backend.wallet.tables import PAYER, ROUTE, TOKEN
from protocol.errors import CallerError
from protocol.ids import is_id
from protocol.paycode import COUNTERS_PER_STEP, STEP_MS, Position, expires_at_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePayer:
    """A new payer, made by an operator. The same content again changes nothing.

    ``token_hash`` admits the wallet; the token itself, the PIN and the private key stay outside.
    """

    payer_id: str
    name: str
    key_suite: str
    key_public: bytes
    pin_salt: bytes = field(repr=False)
    pin_hash: bytes = field(repr=False)
    token_hash: bytes = field(repr=False)

    def reads(self) -> Iterable[Read]:
        routes = [(ROUTE, route_of(self.payer_id, number)) for number in range(ROUTE_TRIES_MAX)]
        return [(PAYER, self.payer_id), (TOKEN, self.token_hash), *routes]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        if not is_id(self.payer_id, prefix="pyr") or not 0 < len(self.name) <= NAME_CHARS_MAX:
            raise CallerError("field_invalid", "payer")
        if ws.get(PAYER, self.payer_id) is not None or ws.get(TOKEN, self.token_hash) is not None:
            raise CallerError("idempotency_conflict", "payer_id")
        route = self._free_route(ws)
        row = {
            "payer_id": self.payer_id,
            "name": self.name,
            "status": "active",
            "route": route,
            "key_suite": self.key_suite,
            "key_public": self.key_public,
            "pin_salt": self.pin_salt,
            "pin_hash": self.pin_hash,
            "pin_tries": 0,
            "pin_locked_until_ms": 0,
            "created_at_ms": now_ms,
        }
        ws.insert(PAYER, row)
        ws.insert(ROUTE, {"route": route, "payer_id": self.payer_id})
        ws.insert(
            TOKEN,
            {"token_hash": self.token_hash, "payer_id": self.payer_id, "created_at_ms": now_ms},
        )
        return row

    def _free_route(self, ws: WorkingSet) -> int:
        for number in range(ROUTE_TRIES_MAX):
            route = route_of(self.payer_id, number)
            if ws.get(ROUTE, route) is None:
                return route
        raise CallerError("busy", "no free route")


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueToken:
    """Admit a wallet by a new token, as after the loss of a phone: the older ones named here stop
    working, and the payer's passkeys with them."""

    payer_id: str
    token_hash: bytes = field(repr=False)
    older: tuple[bytes, ...] = field(default=(), repr=False)

    def reads(self) -> Iterable[Read]:
        tokens = [(TOKEN, token) for token in (self.token_hash, *self.older)]
        return [(PAYER, self.payer_id), (HOLDER, self.payer_id), *tokens]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        return held_reads(ws, self.payer_id)

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        payer_row(ws, self.payer_id)
        remove_all(ws, self.payer_id, now_ms)
        for token in self.older:
            row = ws.get(TOKEN, token)
            if row is not None and row["payer_id"] == self.payer_id:
                ws.update(TOKEN, token, is_revoked=1)
        row = {"token_hash": self.token_hash, "payer_id": self.payer_id, "created_at_ms": now_ms}
        ws.insert(TOKEN, row)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPayerStatus:
    """Freeze a payer or lift the freeze."""

    payer_id: str
    is_frozen: bool

    def reads(self) -> Iterable[Read]:
        return [(PAYER, self.payer_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> str:  # noqa: ARG002  # no time is kept
        payer_row(ws, self.payer_id)
        status = "frozen" if self.is_frozen else "active"
        ws.update(PAYER, self.payer_id, status=status)
        return status


class PinRefusedError(CallerError):
    """A PIN was not taken; how the payer goes on."""

    def __init__(self, code: str, *, tries_left: int, locked_until_ms: int) -> None:
        super().__init__(code)
        self.tries_left = tries_left
        """Before it is locked; 0: it is."""
        self.locked_until_ms = locked_until_ms


@dataclass(frozen=True, slots=True)
class PinTry:
    """What a try is compared with, and what stands if it is wrong."""

    salt: bytes
    expected: bytes
    tries_left: int
    locked_until_ms: int

    def wrong(self) -> PinRefusedError:
        """The refusal of a PIN that is not the payer's."""
        return PinRefusedError(
            "pin_wrong", tries_left=self.tries_left, locked_until_ms=self.locked_until_ms
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginPinTry:
    """Count a PIN try before it is compared; or ``pin_locked``."""

    payer_id: str

    def reads(self) -> Iterable[Read]:
        return [(PAYER, self.payer_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> PinTry:
        payer = payer_row(ws, self.payer_id)
        until_ms = payer["pin_locked_until_ms"]
        if now_ms < until_ms:
            raise PinRefusedError("pin_locked", tries_left=0, locked_until_ms=until_ms)
        tries = payer["pin_tries"] + 1
        left = PIN_TRIES_MAX - tries
        until_ms = 0 if left else now_ms + PIN_LOCK_MS
        ws.update(
            PAYER, self.payer_id, pin_tries=tries if left else 0, pin_locked_until_ms=until_ms
        )
        return PinTry(payer["pin_salt"], payer["pin_hash"], left, until_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndPinTry:
    """The PIN was right: tries are forgotten, and so is the lock that the last try set."""

    payer_id: str

    def reads(self) -> Iterable[Read]:
        return [(PAYER, self.payer_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:  # noqa: ARG002  # no time is kept
        payer_row(ws, self.payer_id)
        ws.update(PAYER, self.payer_id, pin_tries=0, pin_locked_until_ms=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePin:
    """Another PIN, as salt and hash."""

    payer_id: str
    pin_salt: bytes
    pin_hash: bytes

    def reads(self) -> Iterable[Read]:
        return [(PAYER, self.payer_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:  # noqa: ARG002  # no time is kept
        payer_row(ws, self.payer_id)
        ws.update(PAYER, self.payer_id, pin_salt=self.pin_salt, pin_hash=self.pin_hash)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowPayCode:
    """The next position of a payer whose phone is an API: another code at every call, four in a
    step; ``busy`` when the step's four are shown. Answers (route, position)."""

    payer_id: str
    keeps: bool = False
    """The code that is shown already, while it lives and nobody has seen or used it."""

    def reads(self) -> Iterable[Read]:
        return [(PAYER, self.payer_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        payer = ws.get(PAYER, self.payer_id)
        return [(ROUTE, payer["route"])] if payer else []

    def decide(self, ws: WorkingSet, now_ms: int) -> tuple[int, Position]:
        payer = payer_row(ws, self.payer_id)
        if payer["status"] != "active":
            raise CallerError("payer_frozen")
        row = ws.get(ROUTE, payer["route"])
        assert row is not None
        shown = Position(*divmod(max(0, row["shown_position"]), COUNTERS_PER_STEP))
        is_free = shown.number > max(row["used_position"], row["told_position"])
        if self.keeps and is_free and expires_at_ms(shown) - now_ms > CODE_KEPT_MS:
            return payer["route"], shown
        first = Position(now_ms // STEP_MS, 0).number
        number = max(first, row["shown_position"] + 1, row["used_position"] + 1)
        if number >= first + COUNTERS_PER_STEP:
            raise CallerError("busy", "pay codes of this step are shown")
        ws.update(ROUTE, payer["route"], shown_position=number)
        return payer["route"], Position(*divmod(number, COUNTERS_PER_STEP))


def payer_row(ws: WorkingSet, payer_id: str) -> Row:
    """The payer; ``payer_unknown`` if there is none."""
    row = ws.get(PAYER, payer_id)
    if row is None:
        raise CallerError("payer_unknown", payer_id)
    return row
