"""A scan engine that speaks SSI, on a board."""

from typing import Literal

from firmware_sim.devices.ssi import PROFILES, SsiScanner
from firmware_sim.frames import JUNK, Frame, Side, broken_off, masked_numbers
from firmware_sim.kinds.kind import Act, DeviceEntry, Kind, State
from firmware_sim.kinds.lens import LENS_ACTS, LENS_HANDS
from firmware_sim.rendering import camera
from protocol.framing import ssi
from protocol.framing.ssi import Opcode, Reason


class SsiEntry(DeviceEntry):
    """A scan engine: ``zebra`` begins at 9600 baud, ``gm67`` at 115200."""

    kind: Literal["ssi"]
    profile: Literal["zebra", "gm67"] = "zebra"


_HEAD_BYTES = 4


class SsiDecoder:
    """Packets of both sides. What the engine says without packets is not told apart from noise."""

    def __init__(self) -> None:
        self._parsers = {
            Side.HOST: ssi.PacketParser(ssi.HOST), Side.DEVICE: ssi.PacketParser(ssi.DECODER),
        }  # fmt: skip

    def feed(self, side: Side, data: bytes) -> list[Frame]:
        """As ``FrameDecoder.feed``."""
        return [_frame(side, item) for item in self._parsers[side].feed(data)]

    def rest(self, side: Side) -> list[Frame]:
        """As ``FrameDecoder.rest``."""
        return broken_off(side, self._parsers[side], _HEAD_BYTES)


def _frame(side: Side, item: ssi.Item) -> Frame:
    if isinstance(item, ssi.Damaged):
        secrets = ((_HEAD_BYTES, len(item.raw)),) if side is Side.DEVICE else ()
        return Frame(side, item.raw, JUNK, {"why": "checksum"}, False, secrets)
    fields: dict[str, str | int] = {}
    if item.status:
        fields["status"] = f"{item.status:02x}"
    return Frame(side, ssi.encode(item), Opcode(item.opcode).name.lower(), fields | _told(item))


def _told(packet: ssi.Packet) -> dict[str, str | int]:
    data = packet.data
    match packet.opcode:
        case Opcode.DECODE_DATA | Opcode.LONG_DECODE_DATA if data:
            text = data[1:].decode("ascii", errors="backslashreplace")
            return {"type": f"{data[0]:02x}", "text": masked_numbers(text)}
        case Opcode.PARAM_SEND:
            values = ssi.read_parameters(data) or {}
            return {f"{number:02x}": value for number, value in values.items()}
        case Opcode.NAK if data and data[0] in set(Reason):
            return {"reason": Reason(data[0]).name.lower()}
        case Opcode.REPLY_REVISION:
            return {"revision": data.decode("ascii", errors="backslashreplace")}
    return {"data": data.hex()} if data else {}


def _build(entry: SsiEntry, seed: bytes) -> SsiScanner:
    del seed
    return SsiScanner(camera.decode, PROFILES[entry.profile])


def _state(engine: SsiScanner) -> State:
    return {
        "profile": engine.profile.name, "mode": engine.mode, "power": engine.power.value,
        "is_enabled": engine.is_enabled, "is_reading": engine.is_reading,
        "pictures_waiting": engine.pictures_waiting, "codes_read": engine.codes_read,
        "codes_failed": engine.codes_failed, "packets_resent": engine.transfer.resent,
        "transfers_lost": engine.transfer.lost, "beeps": engine.show.beeps,
        "leds": engine.show.leds, "is_aiming": engine.show.is_aiming,
        "is_lit": engine.show.is_lit, "baud": engine.baud,
    }  # fmt: skip


KIND = Kind(
    name="ssi",
    summary="scan engine with the Simple Serial Interface (Zebra, GM67)",
    entry=SsiEntry,
    build=_build,
    state=_state,
    decoder=SsiDecoder,
    counters=("codes_read", "codes_failed", "packets_resent", "transfers_lost", "beeps"),
    hands=lambda _entry, _scanner: LENS_HANDS,
    acts=(
        *LENS_ACTS,
        Act("pull", "pull the trigger", lambda engine, _, now_ms: engine.pull_trigger(now_ms)),
        Act("release", "let it go", lambda engine, _, now_ms: engine.release_trigger(now_ms)),
    ),
)
