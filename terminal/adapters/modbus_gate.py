"""A car park's exit: its barrier, loop and display, as a Modbus unit (``protocol/framing/gate``
has its registers).

Rule 1: the arm is raised for the tag that was paid for and no other: the tag is released first, and
the exit itself holds it against the car that stands there. Asked again, it gives nothing more.
Rule 2: *given* is the arm's own word that it is up. *Not given* is the exit's refusal; a silence
leaves it open.
"""

import time
from collections.abc import Callable
from functools import partial

from protocol.errors import OperatingError
from protocol.framing import gate, modbus
from terminal.adapters.limits import (
    GATE_JOB_LIMIT_S,
    GATE_POLL_S,
    GATE_RAISE_S,
)
from terminal.adapters.modbus_master import ModbusMaster
from terminal.adapters.port_names import modbus_of
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
        opener, framing = modbus_of(path, baud)
        self._exit = _Exit(unit, framing)
        self._worker = SerialWorker("gate", open_port or opener, self._exit.greet)

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


class _Exit(ModbusMaster):
    """Only the port's thread touches it."""

    def greet(self, dialogue: Dialogue) -> None:
        """See that the exit is there."""
        self.read(dialogue, modbus.READ_INPUTS, 0, gate.INPUTS)

    def look(self, dialogue: Dialogue) -> Car | None:
        """Who stands there; waits a moment before it answers that nobody does."""
        inputs = self.read(dialogue, modbus.READ_INPUTS, 0, gate.INPUTS)
        if not modbus.bit_of(inputs, gate.INPUT_CAR):
            dialogue.pause(GATE_POLL_S)
            return None
        found = self.registers(dialogue, modbus.READ_INPUT_REGISTERS, gate.REGISTERS)
        released = self.registers(dialogue, modbus.READ_HOLDING, gate.HOLDINGS)
        tag = gate.number(*found[gate.REGISTER_TAG : gate.REGISTER_TAG + 2])
        return Car(
            tag=tag,
            entered_s=gate.number(*found[gate.REGISTER_ENTERED : gate.REGISTER_ENTERED + 2]),
            now_s=gate.number(*found[gate.REGISTER_CLOCK : gate.REGISTER_CLOCK + 2]),
            is_released=gate.number(*released[gate.HOLDING_RELEASED : 2]) == tag,
        )

    def notice(self, words: int, dialogue: Dialogue) -> None:
        """Change the display."""
        self.ask(dialogue, modbus.write_registers(self.unit, gate.HOLDING_NOTICE, [words]))

    def raise_for(self, tag: int, dialogue: Dialogue) -> None:
        """Release the tag, raise the arm, and wait until it is up. A car that is gone may have
        left under it, if it was raised before."""
        car = self.look(dialogue)
        if car is None or car.tag != tag:
            raise OperatingError("device_no_reply", "gate: the car is gone")
        self._release(dialogue, tag)
        answer = self.ask(dialogue, modbus.write_coil(self.unit, gate.COIL_RAISE, is_on=True))
        if answer.refusal is not None:
            self._release(dialogue, 0)
            raise OperatingError("item_not_given", f"gate: exception {answer.refusal:02x}")
        until = time.monotonic() + GATE_RAISE_S
        while time.monotonic() < until:
            inputs = self.read(dialogue, modbus.READ_INPUTS, 0, gate.INPUTS)
            if modbus.bit_of(inputs, gate.INPUT_UP):
                return
            dialogue.pause(GATE_POLL_S)
        raise OperatingError("device_no_reply", "gate: the arm does not come up")

    def _release(self, dialogue: Dialogue, tag: int) -> None:
        words = gate.words(tag)
        self.ask(dialogue, modbus.write_registers(self.unit, gate.HOLDING_RELEASED, words))
