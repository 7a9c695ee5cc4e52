"""How the line of a Modbus RTU unit is read, frame by frame."""

from firmware_sim.frames import JUNK, Frame, Side, broken_off
from protocol.framing import modbus
from protocol.framing.modbus import Adu

_NAMES = {
    modbus.READ_COILS: "read_coils",
    modbus.READ_INPUTS: "read_inputs",
    modbus.READ_HOLDING: "read_holding",
    modbus.READ_INPUT_REGISTERS: "read_registers",
    modbus.WRITE_COIL: "write_coil",
    modbus.WRITE_REGISTER: "write_register",
    modbus.WRITE_REGISTERS: "write_registers",
}
_REFUSED = "refused"


class ModbusDecoder:
    """Requests and answers of one line."""

    def __init__(self) -> None:
        self._parsers = {
            Side.HOST: modbus.FrameParser("request"),
            Side.DEVICE: modbus.FrameParser("response"),
        }

    def feed(self, side: Side, data: bytes) -> list[Frame]:
        """As ``FrameDecoder.feed``. The end of a frame whose function nobody knows is told by the
        other side, who answers it."""
        other = Side.DEVICE if side is Side.HOST else Side.HOST
        before = [_frame(other, item) for item in self._parsers[other].turn_over()]
        return [*before, *(_frame(side, item) for item in self._parsers[side].feed(data))]

    def rest(self, side: Side) -> list[Frame]:
        """As ``FrameDecoder.rest``."""
        sound = [_frame(side, item) for item in self._parsers[side].turn_over()]
        return sound or broken_off(side, self._parsers[side])


def _frame(side: Side, item: Adu | bytes) -> Frame:
    if isinstance(item, bytes):
        return Frame(side, item, JUNK, {"why": "no frame"}, is_valid=False)
    raw = modbus.encode(item)
    end = len(raw) - 2
    fields: dict[str, str | int] = {"unit": item.unit, "function": item.function}
    places = {"unit": (0, 1), "function": (1, 2), "data": (2, end)}
    if item.refusal is not None:
        return Frame(side, raw, _REFUSED, fields | {"data": item.data.hex()}, places=places)
    name = _NAMES.get(item.function, "unknown")
    return Frame(side, raw, name, fields | {"data": item.data.hex()}, places=places)
