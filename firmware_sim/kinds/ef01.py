"""The EF01 fingerprint sensor on a board."""

from collections.abc import Callable, Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from firmware_sim.devices.device import Output
from firmware_sim.devices.ef01 import Ef01
from firmware_sim.devices.ef01.profiles import PROFILES
from firmware_sim.devices.ef01.sensor import PACKET_BYTES
from firmware_sim.kinds.ef01_wire import PacketDecoder
from firmware_sim.kinds.kind import Act, ActBody, DeviceEntry, Hand, Kind, State
from firmware_sim.limits import FINGER_NAME_CHARS_MAX, FINGER_SLOTS_MAX
from firmware_sim.rendering.finger_png import draw_finger
from protocol.framing import ef01

Finger = Annotated[str, Field(min_length=1, max_length=FINGER_NAME_CHARS_MAX)]
Slot = Annotated[int, Field(ge=0, lt=FINGER_SLOTS_MAX)]
STRANGER = "stranger"
"""A finger that nobody has enrolled."""
Word = Annotated[int, Field(ge=0, le=0xFFFFFFFF)]


class FingerprintEntry(DeviceEntry):
    """A fingerprint sensor; ``enrolled`` maps a finger's name to its slot. ``capacity`` is the
    profile's own where nothing is said."""

    kind: Literal["ef01"]
    profile: Literal["zfm20", "r307", "r503"] = "zfm20"
    capacity: Annotated[int, Field(ge=1, le=FINGER_SLOTS_MAX)] | None = None
    enrolled: Annotated[dict[Finger, Slot], Field(default_factory=dict)]
    password: Word = 0
    address: Word = ef01.ADDRESS_DEFAULT

    @model_validator(mode="after")
    def _fits(self) -> Self:
        capacity = self.capacity or PROFILES[self.profile].capacity
        if max(self.enrolled.values(), default=0) >= capacity:
            raise ValueError(f"the library ends at slot {capacity - 1}")
        return self


class PlaceBody(ActBody):
    """A finger laid on the glass: how much of it shows, in percent, and whether the glass is
    dirty."""

    finger: Finger
    quality: Annotated[int, Field(ge=0, le=100)] = 100
    smudged: bool = False


class EnrollBody(ActBody):
    """A finger put into the library."""

    finger: Finger
    slot: Slot


class DamageBody(ActBody):
    """What is broken from now on."""

    glass: bool = False
    flash: bool = False


def _build(entry: FingerprintEntry, seed: bytes) -> Ef01:
    sensor = Ef01(
        PROFILES[entry.profile], password=entry.password, address=entry.address,
        capacity=entry.capacity, seed=seed,
    )  # fmt: skip
    for finger, slot in entry.enrolled.items():
        sensor.enrol(finger, slot)
    return sensor


def _state(sensor: Ef01) -> State:
    state, light = sensor.state, sensor.state.now.light
    return {
        "profile": sensor.profile.name, "finger": sensor.finger, "slots": list(sensor.slots),
        "searches": sensor.searches, "touches": state.touches, "light": light.mode,
        "colour": light.colour, "is_waiting": sensor.is_waiting,
        "is_unlocked": state.now.is_unlocked, "security": state.flash.security,
        "packet_bytes": PACKET_BYTES[state.flash.packet_code], "baud": sensor.baud,
    }  # fmt: skip


def _pictures(sensor: Ef01) -> Mapping[str, Callable[[], bytes]]:
    picture, profile = sensor.state.now.picture, sensor.profile
    if picture is None:
        return {}
    size = profile.width_px, profile.height_px
    return {"finger": lambda: draw_finger(picture, size)}


def _place(sensor: Ef01, body: PlaceBody, now_ms: int) -> list[Output]:
    sensor.place(body.finger, quality=body.quality, is_smudged=body.smudged)
    return sensor.poll(now_ms)


def _lift(sensor: Ef01, _: ActBody, now_ms: int) -> list[Output]:
    sensor.lift()
    return sensor.poll(now_ms)


def _enroll(sensor: Ef01, body: EnrollBody, _: int) -> None:
    sensor.enrol(body.finger, body.slot)


def _damage(sensor: Ef01, body: DamageBody, _: int) -> None:
    sensor.damage(glass=body.glass, flash=body.flash)


def _hands(entry: FingerprintEntry, _: Ef01) -> tuple[Hand, ...]:
    return tuple(Hand(name, "place", {"finger": name}) for name in (*entry.enrolled, STRANGER))


KIND = Kind(
    name="ef01",
    summary="fingerprint sensor with the EF01 protocol (ZFM-20, R307, R503)",
    entry=FingerprintEntry,
    build=_build,
    state=_state,
    decoder=PacketDecoder,
    counters=("searches", "touches"),
    pictures=_pictures,
    hands=_hands,
    acts=(
        Act("place", "lay a finger on the glass", _place, PlaceBody),
        Act("remove", "take the finger away", _lift),
        Act("enroll", "put a finger into the library", _enroll, EnrollBody),
        Act("damage", "break the glass or the flash memory, or mend them", _damage, DamageBody),
    ),
)
