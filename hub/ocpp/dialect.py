"""What the two versions of OCPP have in common at a charger's line.

Rule 1: a dialect translates and decides nothing about money: that is the book's.
Rule 2: a call that is not well formed is answered with the standard's error code; one that we do
        not serve with ``NotImplemented``.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Protocol, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from hub.ocpp.book import Beginning, ChargeBook
from hub.ocpp.keeper import Keeper
from hub.ocpp.limits import HEARTBEAT_S, WH_MAX
from hub.ocpp.model import Charge, ChargeState

VENDOR = "org.tillway"
ENERGY = "Energy.Active.Import.Register"
Json = dict[str, Any]
Send = Callable[[str, Json], None]
"""Queue a call to the charger: action and payload."""
Text20 = Annotated[str, Field(max_length=20)]
Text36 = Annotated[str, Field(max_length=36)]


class CallRefusedError(Exception):
    """A call that gets a CALLERROR: its code and what is wrong."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


class Form(BaseModel):
    """The fields of a call that we use; the others are let pass, as the standard asks."""

    model_config = ConfigDict(frozen=True, extra="ignore")


_Form = TypeVar("_Form", bound=Form)
Answer = Callable[[Json], Awaitable[Json]]


class Dialect(Protocol):
    """One version at one charger's line; a ``ChargerLine``, too."""

    subprotocol: str

    def greet(self) -> None:
        """Queue what a charger is told when it has connected: how often to read the meter, how long
        to say what we could not keep, and that we ask how the connectors are."""
        ...

    async def answer(self, action: str, payload: Json) -> Json:
        """The answer to a call; ``CallRefusedError`` where it has none."""
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
    """Whether a tag may charge, and how much it may cost (None: nobody could say)."""

    is_accepted: bool
    room_minor: int | None = None


class Desk:
    """What a charger of either version is asked and told, in no version's words."""

    def __init__(self, charger: str, book: ChargeBook, keeper: Keeper) -> None:
        self.charger = charger
        self.book = book
        self.keeper = keeper

    async def grant(self, tag: str) -> Grant:
        """Whether a tag may charge here now."""
        if await self.book.funded(self.charger, tag) is not None:
            return Grant(is_accepted=True)
        mandate_id = await self.book.run(
            lambda journal: journal.mandate_of(self.charger, tag) if tag else None
        )
        if mandate_id is None:
            return Grant(is_accepted=False)
        standing = await self.keeper.standing(self.charger, mandate_id)
        if standing is None:
            return Grant(is_accepted=False)
        return Grant(standing.is_active and standing.room_minor > 0, standing.room_minor)

    async def begin(self, said: Beginning) -> tuple[Charge, Grant]:
        """A transaction has begun; whether its tag may go on."""
        grant = await self.grant(said.tag)
        charge = await self.book.begin(self.charger, said, grant.room_minor)
        is_over = charge.ended_at_ms > 0 and charge.state is not ChargeState.REFUSED
        return charge, Grant(is_accepted=True) if charge.prepaid_minor or is_over else grant

    def now_text(self) -> str:
        """Our time, as an answer tells it."""
        seconds, ms = divmod(self.book.time.now_ms(), 1000)
        return datetime.fromtimestamp(seconds, UTC).strftime(f"%Y-%m-%dT%H:%M:%S.{ms:03}Z")

    def booted(self) -> Json:
        """The answer to every version's BootNotification."""
        return {"status": "Accepted", "currentTime": self.now_text(), "interval": HEARTBEAT_S}


async def answer_nothing(payload: Json) -> Json:
    """The answer to what we only take note of."""
    del payload
    return {}


async def answer_data_transfer(payload: Json) -> Json:
    """The answer to a maker's own message: we know none."""
    known = payload.get("vendorId") == VENDOR
    return {"status": "UnknownMessageId" if known else "UnknownVendorId"}


class Readings(Form):
    """A meter's values at a moment, of either version."""

    timestamp: AwareDatetime
    sampledValue: Annotated[tuple[Json, ...], Field(max_length=200)]  # noqa: N815  # the wire's name


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


def energy_wh(sampled: Mapping[str, Any], *, unit: str) -> int | None:
    """The meter's register in a sampled value, in whole Wh; None for any other measurand."""
    if sampled.get("measurand", ENERGY) != ENERGY or sampled.get("phase") is not None:
        return None
    try:
        value = Decimal(str(sampled.get("value", "")))
    except InvalidOperation:
        return None
    if not value.is_finite() or abs(value) > WH_MAX:
        return None
    wh = int(value * 1000 if unit == "kWh" else value)
    return wh if 0 <= wh <= WH_MAX else None
