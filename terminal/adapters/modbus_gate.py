"""A car park's exit: its barrier, loop and display, as a Modbus RTU unit (``protocol/framing/gate``
has its registers).

Rule 1: the arm is raised for the tag that was paid for and no other: the tag is released first, and
the exit itself holds it against the car that stands there. Asked again, it gives nothing more.
Rule 2: *given* is the arm's own word that it is up. *Not given* is the exit's refusal; a silence
leaves it open.
Rule 3: a frame has a CRC: one that is damaged, or answers something else, is asked for again. Only
what may be done twice is said twice.
"""

import time
from collections.abc import Callable
from functools import partial

from protocol.errors import OperatingError
from protocol.framing import gate, modbus
from protocol.framing.modbus import Adu
from terminal.adapters.limits import (
    GATE_ATTEMPTS_MAX,
    GATE_JOB_LIMIT_S,
    GATE_POLL_S,
    GATE_RAISE_S,
    GATE_REPLY_S,
)
from terminal.adapters.port_names import opener_of
from terminal.adapters.serial_worker import Dialogue, Port, SerialWorker
from terminal.ports import Car


class ModbusGate:
    """As ``terminal.ports.Gate``."""

    def __init__(
        self,
        path: str,
        *,
        unit: int = 1,
        baud: int = 9_600,
        open_port: Callable[[], Port] | None = None,
    ) -> None:
        self._exit = _Exit(unit)
        opener = open_port or opener_of(path, baud)
        self._worker = SerialWorker("gate", opener, self._exit.greet)

    async def car(self) -> Car | None:
        """As ``Gate.car``."""
        return await self._worker.run(self._exit.look, limit_s=GATE_JOB_LIMIT_S)

    async def notice(self, words: int) -> None:
        """As ``Gate.notice``."""
        await self._worker.run(partial(self._exit.notice, words), limit_s=GATE_JOB_LIMIT_S)

    async def raise_for(self, tag: int) -> None:
        """As ``Gate.raise_for``."""
        await self._worker.run(partial(self._exit.raise_for, tag), limit_s=GATE_JOB_LIMIT_S)

    async def aclose(self) -> None:
        """Let go of the port."""
        await self._worker.aclose()


class _Exit:
    """Only the port's thread touches it."""

    def __init__(self, unit: int) -> None:
        self._unit = unit
        self._parser = modbus.FrameParser("response")

    def greet(self, dialogue: Dialogue) -> None:
        """See that the exit is there."""
        self._read(dialogue, modbus.READ_INPUTS, 0, gate.INPUTS)

    def look(self, dialogue: Dialogue) -> Car | None:
        """Who stands there; a while's pause where nobody does."""
        inputs = self._read(dialogue, modbus.READ_INPUTS, 0, gate.INPUTS)
        if not modbus.bit_of(inputs, gate.INPUT_CAR):
            dialogue.pause(GATE_POLL_S)
            return None
        found = self._registers(dialogue, modbus.READ_INPUT_REGISTERS, gate.REGISTERS)
        released = self._registers(dialogue, modbus.READ_HOLDING, gate.HOLDINGS)
        tag = gate.number(*found[gate.REGISTER_TAG : gate.REGISTER_TAG + 2])
        return Car(
            tag=tag,
            entered_s=gate.number(*found[gate.REGISTER_ENTERED : gate.REGISTER_ENTERED + 2]),
            now_s=gate.number(*found[gate.REGISTER_CLOCK : gate.REGISTER_CLOCK + 2]),
            is_released=gate.number(*released[gate.HOLDING_RELEASED : 2]) == tag,
        )

    def notice(self, words: int, dialogue: Dialogue) -> None:
        """Change the display."""
        self._ask(dialogue, modbus.write_registers(self._unit, gate.HOLDING_NOTICE, [words]))

    def raise_for(self, tag: int, dialogue: Dialogue) -> None:
        """Release the tag, raise the arm, and wait until it is up. A car that is gone may have
        left under it, if it was raised before."""
        car = self.look(dialogue)
        if car is None or car.tag != tag:
            raise OperatingError("device_no_reply", "gate: the car is gone")
        self._release(dialogue, tag)
        answer = self._ask(dialogue, modbus.write_coil(self._unit, gate.COIL_RAISE, is_on=True))
        if answer.refusal is not None:
            self._release(dialogue, 0)
            raise OperatingError("item_not_given", f"gate: exception {answer.refusal:02x}")
        until = time.monotonic() + GATE_RAISE_S
        while time.monotonic() < until:
            inputs = self._read(dialogue, modbus.READ_INPUTS, 0, gate.INPUTS)
            if modbus.bit_of(inputs, gate.INPUT_UP):
                return
            dialogue.pause(GATE_POLL_S)
        raise OperatingError("device_no_reply", "gate: the arm does not come up")

    def _release(self, dialogue: Dialogue, tag: int) -> None:
        words = gate.words(tag)
        self._ask(dialogue, modbus.write_registers(self._unit, gate.HOLDING_RELEASED, words))

    def _registers(self, dialogue: Dialogue, function: int, count: int) -> tuple[int, ...]:
        found = modbus.registers_of(self._read(dialogue, function, 0, count))
        if len(found) != count:
            raise OperatingError("device_bad_frame", "gate: fewer registers than asked for")
        return found

    def _read(self, dialogue: Dialogue, function: int, address: int, count: int) -> Adu:
        answer = self._ask(dialogue, modbus.read(self._unit, function, address, count))
        if answer.refusal is not None:
            raise OperatingError("device_bad_frame", f"gate: exception {answer.refusal:02x}")
        return answer

    def _ask(self, dialogue: Dialogue, asked: Adu) -> Adu:
        heard = False
        for _ in range(GATE_ATTEMPTS_MAX):
            self._parser.clear()
            dialogue.discard_input()
            dialogue.send(modbus.encode(asked))
            until = time.monotonic() + GATE_REPLY_S
            while data := dialogue.receive(until):
                heard = True
                for item in self._parser.feed(data):
                    if isinstance(item, Adu) and _answers(item, asked):
                        return item
        code = "device_bad_frame" if heard else "device_no_reply"
        raise OperatingError(code, f"gate: function {asked.function:02x}")


def _answers(answer: Adu, asked: Adu) -> bool:
    """Whether an answer is to this request: its unit and function, and what it echoes."""
    if answer.unit != asked.unit or answer.function & 0x7F != asked.function:
        return False
    if answer.refusal is not None or asked.function not in {
        modbus.WRITE_COIL,
        modbus.WRITE_REGISTERS,
    }:
        return True
    return answer.data == asked.data[:4]
