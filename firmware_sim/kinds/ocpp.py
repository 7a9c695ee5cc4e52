"""EV chargers on a board: a charge point of OCPP 1.6 J and one of OCPP 2.0.1.

A charger calls out: its transport is ``ws://HOST:PORT/path/NAME`` (or ``wss:``), the address of
the central system. On any other transport it speaks the same lines (``protocol.framing.ocppj``).
"""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from firmware_sim.devices.device import Output
from firmware_sim.devices.ocpp.charging import ChargingStation, Make
from firmware_sim.devices.ocpp.firmware import FirmwareFile
from firmware_sim.devices.ocpp.limits import (
    DOWNLOADS_MAX,
    OUTLETS_MAX,
    POWER_W_MAX,
    UPLOAD_ADDRESSES_MAX,
)
from firmware_sim.devices.ocpp.settings import Change
from firmware_sim.devices.ocpp.station import NamePlate
from firmware_sim.devices.ocpp.v16.station import DEFECTS, Ocpp16
from firmware_sim.devices.ocpp.v201.station import Ocpp201
from firmware_sim.devices.ocpp.wall_clock import WallClock
from firmware_sim.kinds.kind import Act, ActBody, DeviceEntry, Hand, JumpBody, Kind, State
from firmware_sim.kinds.ocpp_wire import OcppDecoder, masked_token
from protocol.errors import CallerError

Watts = Annotated[int, Field(ge=0, le=POWER_W_MAX)]
OutletNumber = Annotated[int, Field(ge=1, le=OUTLETS_MAX)]
CARD = "TAG-1"
"""The charging card that people have at hand."""
Short = Annotated[str, Field(min_length=1, max_length=20)]


class Download(BaseModel):
    """What lies at an address: a firmware, and what is wrong with it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    version: Short
    flaw: Literal["", "download", "signature", "install"] = ""


class ChargerEntry(DeviceEntry):
    """What every charger says. ``settings`` are keys as the maker delivers them."""

    outlets: OutletNumber = 1
    power_w: Watts = 22_000
    vendor: Short = "Tillway"
    model: Short = "AC22"
    serial: Short = "TW-0001"
    firmware: Short = "1.0.0"
    clock: AwareDatetime = datetime(2026, 1, 1, tzinfo=UTC)
    downloads: Annotated[dict[str, Download], Field(default_factory=dict, max_length=DOWNLOADS_MAX)]
    settings: Annotated[dict[str, str], Field(default_factory=dict)]
    uploads: Annotated[
        tuple[Annotated[str, Field(max_length=512)], ...], Field(max_length=UPLOAD_ADDRESSES_MAX)
    ] = ()
    """The addresses that take a log."""
    redial_s: Annotated[int, Field(ge=1, le=3600)] = 5
    """The wait before the first try to dial again; it doubles."""


class Ocpp16Entry(ChargerEntry):
    """A charge point of OCPP 1.6 J."""

    kind: Literal["ocpp16"]


class Ocpp201Entry(ChargerEntry):
    """A charge point of OCPP 2.0.1; its settings' keys are ``Component.Variable``."""

    kind: Literal["ocpp201"]


class PlugBody(ActBody):
    """A car's cable put in; the car would take ``power_w``."""

    outlet: OutletNumber = 1
    power_w: Watts = 11_000


class OutletBody(ActBody):
    """One outlet."""

    outlet: OutletNumber = 1


class TapBody(ActBody):
    """A card shown, for an outlet where one is named."""

    token: Annotated[str, Field(min_length=1, max_length=20)]
    outlet: OutletNumber | None = None


class DefectBody(ActBody):
    """A defect, in the words of OCPP 1.6's error codes."""

    outlet: OutletNumber = 1
    defect: Annotated[str, Field(pattern="^(" + "|".join(sorted(DEFECTS)) + ")$")]


def make_of(entry: ChargerEntry, seed: bytes) -> Make:
    """The charger that an entry describes."""
    files = {
        where: FirmwareFile(file.version, file.flaw) for where, file in entry.downloads.items()
    }
    plate = NamePlate(entry.vendor, entry.model, entry.serial, entry.firmware)
    clock = WallClock(entry.clock.astimezone(UTC))
    return Make(
        plate,
        clock,
        seed,
        entry.outlets,
        entry.power_w,
        files,
        entry.redial_s,
        frozenset(entry.uploads),
    )


def with_settings(station: ChargingStation, entry: ChargerEntry) -> ChargingStation:
    """The charger with its delivered settings; raises ``CallerError`` for one it does not take."""
    for key, value in entry.settings.items():
        change = station.settings.change(key, value)
        if change not in {Change.ACCEPTED, Change.REBOOT}:
            raise CallerError("config_invalid", f"setting {key}={value!r}: {change.value}")
    return station


def _build_16(entry: Ocpp16Entry, seed: bytes) -> ChargingStation:
    return with_settings(Ocpp16(make_of(entry, seed)), entry)


def _build_201(entry: Ocpp201Entry, seed: bytes) -> ChargingStation:
    return with_settings(Ocpp201(make_of(entry, seed)), entry)


def state_of(station: ChargingStation) -> State:
    """What can be seen of a charger."""
    return {
        "online": station.uplink.is_up,
        "registration": station.registration,
        "card": station.card_shown,
        "queued": len(station.outbox.letters),
        "lost": station.outbox.lost,
        "transactions": station.transactions,
        "firmware_version": station.firmware_version,
        "firmware": station.firmware.stage.value,
        "outlets": [
            {
                "outlet": outlet.number,
                "state": outlet.state.value,
                "is_plugged": outlet.is_plugged,
                "power_w": outlet.meter.power_w,
                "limit_w": outlet.limit_w,
                "energy_wh": outlet.meter.register_wh,
                "token": masked_token(outlet.transaction.token.text)
                if outlet.transaction and outlet.transaction.token
                else "",
                "cost": outlet.transaction.cost if outlet.transaction else "",
            }
            for outlet in station.outlets.values()
        ],
    }


def _plug(station: ChargingStation, body: PlugBody, now_ms: int) -> list[Output]:
    return station.plug(body.outlet, body.power_w, now_ms)


def _want(station: ChargingStation, body: PlugBody, now_ms: int) -> list[Output]:
    return station.want(body.outlet, body.power_w, now_ms)


def _tap(station: ChargingStation, body: TapBody, now_ms: int) -> list[Output]:
    return station.tap(body.token, body.outlet, now_ms)


def _unplug(station: ChargingStation, body: OutletBody, now_ms: int) -> list[Output]:
    return station.unplug(body.outlet, now_ms)


def _break(station: ChargingStation, body: DefectBody, now_ms: int) -> list[Output]:
    return station.break_down(body.outlet, body.defect, now_ms)


def _repair(station: ChargingStation, body: OutletBody, now_ms: int) -> list[Output]:
    return station.break_down(body.outlet, "", now_ms)


def _jump(station: ChargingStation, body: JumpBody, _: int) -> list[Output]:
    station.clock.jump(body.seconds)
    return []


def _hands(entry: ChargerEntry, _: ChargingStation) -> tuple[Hand, ...]:
    cables = (Hand(f"{one}", "plug", {"outlet": one}) for one in range(1, entry.outlets + 1))
    return (Hand(CARD, "tap", {"token": CARD}), *cables)


ACTS = (
    Act("plug", "put a car's cable in", _plug, PlugBody),
    Act("unplug", "pull the cable out", _unplug, OutletBody),
    Act("want", "the car takes another power; 0 pauses", _want, PlugBody),
    Act("tap", "show a card", _tap, TapBody, secret=frozenset({"token"})),
    Act("break", "an outlet becomes defective", _break, DefectBody),
    Act("repair", "the defect is gone", _repair, OutletBody),
    Act("jump_clock", "its clock jumps by so many seconds", _jump, JumpBody),
    Act("emergency_stop", "press the red button", lambda one, _, at: one.press_emergency_stop(at)),
    Act("pull_network", "pull the network's cable",
        lambda one, _, at: one.pull_network(at, is_there=False)),
    Act("put_network", "put the network's cable back",
        lambda one, _, at: one.pull_network(at, is_there=True)),
)  # fmt: skip
OCPP16 = Kind(
    name="ocpp16",
    hands=_hands,
    summary="EV charger, an OCPP 1.6 J charge point",
    entry=Ocpp16Entry,
    build=_build_16,
    state=state_of,
    decoder=OcppDecoder,
    counters=("transactions", "lost"),
    acts=ACTS,
)
OCPP201 = Kind(
    name="ocpp201",
    hands=_hands,
    summary="EV charger, an OCPP 2.0.1 charge point",
    entry=Ocpp201Entry,
    build=_build_201,
    state=state_of,
    decoder=OcppDecoder,
    counters=("transactions", "lost"),
    acts=ACTS,
)
