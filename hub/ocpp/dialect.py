"""What the two versions of OCPP have in common at a charger's line.

Rule 1: a dialect translates and decides nothing about money: that is the book's.
Rule 2: a call that is not well formed is answered with the error code of its version's standard;
        one that we do not serve with ``NotImplemented``.
Rule 3: what we do not need is not asked for: a field that may be left out may be null, and a time
        without its zone is UTC, as the standard wants every time.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Protocol, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from hub.ocpp.beginning import Beginning
from hub.ocpp.book import ChargeBook
from hub.ocpp.early import EarlyEnd, Read
from hub.ocpp.journal import EARLY, ChargeJournal, Unread
from hub.ocpp.keeper import Keeper
from hub.ocpp.limits import HEARTBEAT_S, METER_VALUES_MAX, WH_MAX
from hub.ocpp.model import Charge, believed_ms

VENDOR = "org.tillway"
ENERGY = "Energy.Active.Import.Register"
_PLACES = ("Outlet", "Cable", "Body", "Inlet")
"""Where a meter may be, the nearest to the car first; what says nothing is at the outlet (both
versions' default). What the car itself says is no meter of ours."""
Json = dict[str, Any]
Text20 = Annotated[str, Field(max_length=20)]
Text36 = Annotated[str, Field(max_length=36)]


class Send(Protocol):
    """Queues a call to the charger. ``shows``: it is for the display of this connector."""

    def __call__(self, action: str, payload: Json, /, *, shows: int | None = None) -> None:
        """Queue it."""
        ...


class CallRefusedError(Exception):
    """A call that gets a CALLERROR: its code and what is wrong."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


class Form(BaseModel):
    """The fields of a call that we use; the others are let pass, as the standard asks."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _leave_nulls_out(cls, said: Any) -> Any:  # noqa: ANN401  # whatever a charger says
        if not isinstance(said, dict):
            return said
        may_miss = {name for name, one in cls.model_fields.items() if not one.is_required()}
        return {
            key: value for key, value in said.items() if value is not None or key not in may_miss
        }


_Form = TypeVar("_Form", bound=Form)
Answer = Callable[[Json], Awaitable[Json]]


class Dialect(Protocol):
    """One version at one charger's line; a ``ChargerLine``, too."""

    subprotocol: str
    malformed: str
    """The error code of what is no message of the version."""
    ordered: frozenset[str]
    """What a charger says of its transactions: in their order, each until it is acknowledged."""

    def greet(self) -> None:
        """Queue what a charger is told when it has connected: how often to read the meter, how long
        to say what we could not keep, and that we ask how the connectors are."""
        ...

    async def answer(self, action: str, payload: Json) -> Json:
        """The answer to a call; ``CallRefusedError`` where it has none."""
        ...

    async def lay_aside(self, action: str, payload: Json) -> Json:
        """The acknowledgement of an ``ordered`` message that cannot be read. What can be known of
        it is done: where it is an end, the transaction is over by its latest reading."""
        ...

    def start(self, charge: Charge) -> None:
        """As ``ChargerLine.start``."""
        ...

    def stop(self, charge: Charge) -> None:
        """As ``ChargerLine.stop``."""
        ...

    def show(self, charge: Charge) -> None:
        """As ``ChargerLine.show``."""
        ...


@dataclass(frozen=True, slots=True)
class Grant:
    """Whether a tag may charge, and how much one payment of its mandate may take (None: nobody
    could say)."""

    is_accepted: bool
    room_minor: int | None = None
    mandate_id: str | None = None


class Desk:
    """What a charger of either version is asked and told, in no version's words."""

    def __init__(self, charger: str, book: ChargeBook, keeper: Keeper) -> None:
        self.charger = charger
        self.book = book
        self.keeper = keeper

    async def grant(self, tag: str) -> Grant:
        """Whether a tag may charge here now."""
        return await self._beside(await self._allowed(tag))

    async def _allowed(self, tag: str) -> Grant:
        """What the tag's mandate allows, were nothing else under it."""
        if await self.book.funded(self.charger, tag) is not None:
            return Grant(is_accepted=True)
        mandate_id = await self.book.run(
            lambda journal: journal.mandate_of(self.charger, tag) if tag else None
        )
        if mandate_id is None:
            return Grant(is_accepted=False)
        await self.keeper.hear_of_debits(mandate_id)
        standing = await self.keeper.standing(self.charger, mandate_id)
        if standing is None:
            return Grant(is_accepted=False)
        if not standing.is_active:
            return Grant(is_accepted=False)
        return Grant(standing.room_minor > 0, standing.room_minor, mandate_id)

    async def _beside(self, grant: Grant, *, but: str = "") -> Grant:
        """The grant beside what goes on under its mandate already, but for this payment."""
        if grant.mandate_id is None or grant.room_minor is None:
            return grant
        beside_minor = await self.book.beside_minor(grant.mandate_id, but=but)
        is_accepted = grant.is_accepted and grant.room_minor > beside_minor
        return replace(grant, is_accepted=is_accepted)

    async def begin(self, said: Beginning) -> tuple[Charge, Grant]:
        """A transaction has begun; whether its tag may go on."""
        grant = await self._allowed(said.tag)
        charge = await self.book.begin(self.charger, said, grant.room_minor)
        is_over = charge.ended_at_ms > 0 and charge.mandate_id is not None
        if charge.prepaid_minor or is_over:
            return charge, Grant(is_accepted=True)
        return charge, await self._beside(grant, but=charge.payment_id)

    async def begin_late(self, said: Beginning, words: str) -> Charge | None:
        """The beginning of a transaction comes after something later of it. Where that was its end,
        a person is told of what had flowed before: it is in no debit."""
        charge = await self.book.begin_late(self.charger, said)
        if charge is None or not charge.ended_at_ms or said.wh is None:
            return charge
        counted_from_wh = charge.last_wh if charge.start_wh is None else charge.start_wh
        if charge.tag == said.tag and said.wh < counted_from_wh:
            await self.keep_unread("TransactionEvent", "a beginning after its end", words)
        return charge

    async def end_unread(self, find: Callable[[ChargeJournal], Charge | None]) -> None:
        """The end of a transaction cannot be read: end it with its latest meter reading."""
        charge = await self.book.run(find)
        if charge is not None:
            await self.book.end(find, None, at_ms=charge.last_at_ms, reason="end_unreadable")

    async def note_tokenless(self, key: str, read: Read) -> None:
        """The meter was read in a transaction that has no token yet."""
        wh, at_ms = read
        at_ms = believed_ms(at_ms, self.book.time.now_ms())
        await self.book.run(lambda journal: journal.note_tokenless(self.charger, key, (wh, at_ms)))

    async def hold_end(self, early: EarlyEnd) -> Charge | None:
        """Keep the end of a transaction that has not begun; the charge where it has, meanwhile.
        With what the meter showed before the token it may say all: then it is settled by that."""
        now_ms = self.book.time.now_ms()
        held = replace(early, at_ms=believed_ms(early.at_ms, now_ms))

        def hold(journal: ChargeJournal) -> Charge | None:
            begun = journal.by_key(self.charger, early.key)
            if begun is not None:
                return begun
            before = journal.take_tokenless(self.charger, early.key)
            whole = held if held.start is not None else replace(held, first=before or held.first)
            journal.hold_end(whole)
            if whole.is_complete:
                journal.settle_end(replace(whole, is_settled=True))
            elif held.said:
                journal.keep_unread(Unread(self.charger, now_ms, *EARLY, held.said))
            return None

        return await self.book.run(hold)

    async def keep_unread(self, action: str, why: str, said: str) -> None:
        """Keep for a person what the charger said of a transaction and nobody can use."""
        unread = Unread(self.charger, self.book.time.now_ms(), action, why, said)
        await self.book.run(lambda journal: journal.keep_unread(unread))

    def now_text(self) -> str:
        """Our time, as an answer tells it."""
        seconds, ms = divmod(self.book.time.now_ms(), 1000)
        return datetime.fromtimestamp(seconds, UTC).strftime(f"%Y-%m-%dT%H:%M:%S.{ms:03}Z")

    def booted(self) -> Json:
        """The answer to every version's BootNotification."""
        return {"status": "Accepted", "currentTime": self.now_text(), "interval": HEARTBEAT_S}


async def answer_nothing(payload: Json) -> Json:
    """The answer to a message that needs nothing but an acknowledgement."""
    del payload
    return {}


async def answer_data_transfer(payload: Json) -> Json:
    """The answer to a maker's own message: we know none."""
    known = payload.get("vendorId") == VENDOR
    return {"status": "UnknownMessageId" if known else "UnknownVendorId"}


def _zoned(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


Moment = Annotated[datetime, AfterValidator(_zoned)]


class Readings(Form):
    """A meter's values at a moment, of either version."""

    timestamp: Moment
    sampledValue: Annotated[tuple[Json, ...], Field(max_length=200)]  # noqa: N815  # the wire's name


MeterValues = Annotated[tuple[Readings, ...], Field(max_length=METER_VALUES_MAX)]


def parse(form: type[_Form], payload: Mapping[str, Any]) -> _Form:
    """The fields of a call; ``CallRefusedError`` names the first that is wrong."""
    try:
        return form.model_validate(payload)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        is_missing = first["type"] == "missing"
        code = "OccurrenceConstraintViolation" if is_missing else "TypeConstraintViolation"
        raise CallRefusedError(code, where) from None


def at_ms(moment: datetime) -> int:
    """A moment in milliseconds since the epoch."""
    return max(round(moment.timestamp() * 1000), 0)


def meter_readings(
    said: Iterable[Readings], unit_of: Callable[[Json], str]
) -> list[tuple[int, int]]:
    """What the meter's register showed, in Wh, and when, oldest first. Of several meters it is the
    one nearest to the car: they count from different numbers."""
    found: dict[int, list[tuple[int, int]]] = {}
    for readings in said:
        for one in readings.sampledValue:
            wh, place = energy_wh(one, unit=unit_of(one)), one.get("location") or _PLACES[0]
            if wh is not None and place in _PLACES:
                pair = wh, at_ms(readings.timestamp)
                found.setdefault(_PLACES.index(place), []).append(pair)
    nearest = found[min(found)] if found else []
    return sorted(nearest, key=lambda pair: pair[1])


def energy_wh(sampled: Mapping[str, Any], *, unit: str) -> int | None:
    """The meter's register in a sampled value, in whole Wh; None for any other measurand, for one
    phase of several, and for what is signed, which is no number."""
    if (sampled.get("measurand") or ENERGY) != ENERGY or sampled.get("phase") is not None:
        return None
    if sampled.get("format") == "SignedData":
        return None
    try:
        value = Decimal(str(sampled.get("value", "")))
    except InvalidOperation:
        return None
    if not value.is_finite() or abs(value) > WH_MAX:
        return None
    wh = int(value * 1000 if unit == "kWh" else value)
    return wh if 0 <= wh <= WH_MAX else None
