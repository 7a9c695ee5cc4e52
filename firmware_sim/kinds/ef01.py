"""The EF01 fingerprint sensor on a board."""

from typing import Annotated, Literal

from pydantic import Field

from firmware_sim.devices.ef01 import Ef01
from firmware_sim.devices.ef01.profiles import ZFM20
from firmware_sim.frames import JUNK, Frame, Side
from firmware_sim.kinds.kind import Act, ActBody, DeviceEntry, Kind, State
from firmware_sim.limits import FINGER_NAME_CHARS_MAX
from protocol.framing import ef01
from protocol.framing.ef01 import Confirmation, Instruction, Pid

Finger = Annotated[str, Field(min_length=1, max_length=FINGER_NAME_CHARS_MAX)]
Slot = Annotated[int, Field(ge=0, lt=ZFM20.capacity)]


_WITH_PASSWORD = (Instruction.SET_PASSWORD, Instruction.VERIFY_PASSWORD)


class FingerprintEntry(DeviceEntry):
    """A fingerprint sensor; ``enrolled`` maps a finger's name to its slot."""

    kind: Literal["ef01"]
    enrolled: Annotated[dict[Finger, Slot], Field(default_factory=dict)]
    password: Annotated[int, Field(ge=0, le=0xFFFFFFFF)] = 0


class PlaceBody(ActBody):
    """A finger laid on the glass."""

    finger: Finger


class EnrollBody(ActBody):
    """A finger put into the library."""

    finger: Finger
    slot: Slot


class PacketDecoder:
    """Packets of both sides; a password is kept secret."""

    def __init__(self) -> None:
        self._parsers = {side: ef01.PacketParser() for side in Side}

    def feed(self, side: Side, data: bytes) -> list[Frame]:
        """As ``FrameDecoder.feed``."""
        return [_frame(side, packet) for packet in self._parsers[side].feed(data)]


def _frame(side: Side, packet: ef01.Packet | ef01.BadPacket) -> Frame:
    if isinstance(packet, ef01.BadPacket):
        return Frame(side, b"", JUNK, {"why": "checksum"}, is_valid=False)
    raw, code = ef01.encode(packet), packet.payload[0] if packet.payload else -1
    if packet.pid == Pid.COMMAND and code in _WITH_PASSWORD:
        return Frame(side, raw, Instruction(code).name.lower(), {}, secrets=((10, 14),))
    fields: dict[str, str | int] = {"bytes": len(packet.payload)}
    name = Pid(packet.pid).name.lower()
    if packet.pid == Pid.COMMAND and code in set(Instruction):
        name, fields = Instruction(code).name.lower(), {"arguments": packet.payload[1:].hex()}
    elif packet.pid == Pid.ACK and code in set(Confirmation):
        fields = {"code": Confirmation(code).name.lower(), "data": packet.payload[1:].hex()}
    return Frame(side, raw, name, fields)


def _build(entry: FingerprintEntry, seed: bytes) -> Ef01:
    sensor = Ef01(password=entry.password, seed=seed)
    for finger, slot in entry.enrolled.items():
        sensor.enrol(finger, slot)
    return sensor


def _state(sensor: Ef01) -> State:
    return {"finger": sensor.finger, "slots": list(sensor.slots), "searches": sensor.searches}


def _place(sensor: Ef01, body: PlaceBody, _: int) -> None:
    sensor.place(body.finger)


def _lift(sensor: Ef01, _: ActBody, __: int) -> None:
    sensor.lift()


def _enroll(sensor: Ef01, body: EnrollBody, _: int) -> None:
    sensor.enrol(body.finger, body.slot)


KIND = Kind(
    name="ef01",
    summary="fingerprint sensor with the EF01 protocol (ZFM-20, R307, R503)",
    entry=FingerprintEntry,
    build=_build,
    state=_state,
    decoder=PacketDecoder,
    counters=("searches",),
    acts=(
        Act("place", "lay a finger on the glass", _place, PlaceBody),
        Act("remove", "take the finger away", _lift),
        Act("enroll", "put a finger into the library", _enroll, EnrollBody),
    ),
)
