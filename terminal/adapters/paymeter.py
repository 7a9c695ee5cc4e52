"""A prepaid meter as a Modbus unit (``protocol/framing/paymeter`` has its registers).

Rule: *given* is the meter's word that it took the token, now or before; *not given* is its word
that the token is wrong, or that it does not take one at all. Anything else, a meter that is locked
or failed in the middle too, leaves it open.
"""

from collections.abc import Callable
from functools import partial

from protocol.errors import OperatingError
from protocol.framing import modbus
from protocol.framing import paymeter as at
from protocol.framing.gate import number, words
from terminal.adapters.limits import METER_JOB_LIMIT_S, METER_POLL_S
from terminal.adapters.modbus_master import ModbusMaster
from terminal.adapters.port_names import modbus_of
from terminal.adapters.serial_worker import Dialogue, Port, SerialWorker
from terminal.ports import Credit


class ModbusPayMeter:
    """As ``terminal.ports.PayMeter``."""

    def __init__(
        self,
        path: str,
        *,
        unit: int = 1,
        baud: int = 9_600,
        open_port: Callable[[], Port] | None = None,
    ) -> None:
        opener, framing = modbus_of(path, baud)
        self._meter = _Meter(unit, framing)
        self._worker = SerialWorker("paymeter", open_port or opener, self._meter.greet)

    async def credit(self) -> Credit:
        """As ``PayMeter.credit``."""
        return await self._worker.run(self._meter.credit, limit_s=METER_JOB_LIMIT_S)

    async def enter(self, digits: str) -> None:
        """As ``PayMeter.enter``."""
        await self._worker.run(partial(self._meter.enter, digits), limit_s=METER_JOB_LIMIT_S)

    async def aclose(self) -> None:
        """Let go of the port."""
        await self._worker.aclose()


class _Meter(ModbusMaster):
    """Only the port's thread touches it."""

    def greet(self, dialogue: Dialogue) -> None:
        """See that the meter is there."""
        self.registers(dialogue, modbus.READ_INPUT_REGISTERS, at.REGISTERS)

    def credit(self, dialogue: Dialogue) -> Credit:
        """What is left; after a while, since whoever asks asks again."""
        found = self.registers(dialogue, modbus.READ_INPUT_REGISTERS, at.REGISTERS)
        dialogue.pause(METER_POLL_S)
        return Credit(minutes=number(*found[:2]), count=found[at.REGISTER_COUNT])

    def enter(self, digits: str, dialogue: Dialogue) -> None:
        """Enter a token, and read what the meter says of it."""
        entering = modbus.write_registers(self.unit, at.HOLDING_TOKEN, words(int(digits)))
        answer = self.ask(dialogue, entering)
        if answer.refusal is not None:
            is_open = answer.refusal == modbus.Refusal.DEVICE_FAILURE
            code = "device_no_reply" if is_open else "item_not_given"
            raise OperatingError(code, f"meter: exception {answer.refusal:02x}")
        found = self.registers(dialogue, modbus.READ_INPUT_REGISTERS, at.REGISTERS)
        result = found[at.REGISTER_RESULT]
        if result == at.WRONG:
            raise OperatingError("item_not_given", "meter: it does not take the token")
        if result not in {at.TAKEN, at.USED_BEFORE}:
            raise OperatingError("device_no_reply", "meter: locked, or it says nothing")
