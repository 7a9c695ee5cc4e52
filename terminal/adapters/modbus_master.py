"""Asks one Modbus unit through a port (``protocol/framing/modbus``, ``modbus_tcp``).

Rule 1: a frame that is damaged, or answers something else, is asked for again. So only what may be
        done twice is asked.
Rule 2: a refusal is the unit's own no. That a unit is busy or still at it, or that a gateway does
        not hear it, says nothing of what was asked, and the same is asked again.
"""

import time
from typing import Protocol

from protocol.errors import OperatingError
from protocol.framing import modbus
from protocol.framing.modbus import Adu
from terminal.adapters.limits import MODBUS_ATTEMPTS_MAX, MODBUS_REPLY_S
from terminal.adapters.serial_worker import Dialogue

_NOES = frozenset(modbus.Refusal)


class Framing(Protocol):
    """How frames travel: over a serial line, or over TCP."""

    def encode(self, adu: Adu, /) -> bytes:
        """A request as it travels."""
        ...

    def clear(self) -> None:
        """Forget what has begun."""
        ...

    def feed(self, data: bytes, /) -> list[Adu | bytes]:
        """The frames that ``data`` completes, and the bytes that are none."""
        ...


class ModbusMaster:
    """Speaks to one unit; only the port's thread touches it. Silence is ``device_no_reply``, noise
    ``device_bad_frame``."""

    def __init__(self, unit: int, framing: Framing) -> None:
        self.unit = unit
        self._framing = framing

    def registers(self, dialogue: Dialogue, function: int, count: int) -> tuple[int, ...]:
        """The first registers of a table."""
        found = modbus.registers_of(self.read(dialogue, function, 0, count))
        if len(found) != count:
            raise OperatingError("device_bad_frame", "modbus: fewer registers than asked for")
        return found

    def read(self, dialogue: Dialogue, function: int, address: int, count: int) -> Adu:
        """The answer to a read; a refusal is ``device_bad_frame``."""
        answer = self.ask(dialogue, modbus.read(self.unit, function, address, count))
        if answer.refusal is not None:
            raise OperatingError("device_bad_frame", f"modbus: exception {answer.refusal:02x}")
        return answer

    def ask(self, dialogue: Dialogue, asked: Adu) -> Adu:
        """The answer to a request, also one that refuses it."""
        heard = False
        for _ in range(MODBUS_ATTEMPTS_MAX):
            self._framing.clear()
            dialogue.discard_input()
            dialogue.send(self._framing.encode(asked))
            until = time.monotonic() + MODBUS_REPLY_S
            while data := dialogue.receive(until):
                heard = True
                for item in self._framing.feed(data):
                    if isinstance(item, Adu) and _answers(item, asked):
                        return item
        code = "device_bad_frame" if heard else "device_no_reply"
        raise OperatingError(code, f"modbus: function {asked.function:02x}")


def _answers(answer: Adu, asked: Adu) -> bool:
    """Whether an answer is to this request (rule 2): its unit and function, and what it echoes."""
    if answer.refusal is not None and answer.refusal not in _NOES:
        return False
    if answer.unit != asked.unit or answer.function & 0x7F != asked.function:
        return False
    if answer.refusal is not None or asked.function not in {
        modbus.WRITE_COIL,
        modbus.WRITE_REGISTERS,
    }:
        return True
    return answer.data == asked.data[:4]
