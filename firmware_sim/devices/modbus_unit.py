"""A Modbus RTU unit as devices have it: what is common to those on one line.

Rule 1: a request for another unit, or one that is damaged, is not answered. Rule 2: a device says
what its cells hold and takes what is written; the protocol's refusals are made here.
"""

from abc import abstractmethod
from collections.abc import Sequence

from firmware_sim.devices.device import Output
from firmware_sim.limits import MODBUS_GAP_MS
from protocol.framing import modbus
from protocol.framing.modbus import Adu, Refusal

BAUD = 9_600
Cells = list[bool] | list[int]


class ModbusUnit:
    """One unit. ``unit`` is its address; ``refusals`` counts the exceptions it has answered."""

    def __init__(self, unit: int) -> None:
        self.unit = unit
        self.baud = BAUD
        self.refusals = 0
        self._heard_at_ms: int | None = None
        self._parser = modbus.FrameParser("request")

    @abstractmethod
    def cells(self, function: int, now_ms: int) -> Cells | None:
        """What a reading function reads; None where the unit has no such function."""

    @abstractmethod
    def write(self, cells: list[int], address: int, count: int, now_ms: int) -> Refusal | None:
        """Take the holding registers, of which ``count`` from ``address`` were written; or why
        not."""

    def raise_coil(self, address: int, value: int, now_ms: int) -> Refusal | None:
        """Take a coil; or why not. A unit without coils has no such function."""
        del address, value, now_ms
        return Refusal.FUNCTION

    def settle(self, now_ms: int) -> None:
        """Do what time alone has made due."""

    def boot(self, now_ms: int) -> Sequence[Output]:
        """As ``Device.boot``."""
        del now_ms
        self._parser.clear()
        self._heard_at_ms = None
        return []

    def feed(self, data: bytes, now_ms: int) -> Sequence[Output]:
        """As ``Device.feed``."""
        self.settle(now_ms)
        outputs = self._finish(now_ms)
        self._heard_at_ms = now_ms
        return [*outputs, *self._hear(self._parser.feed(data), now_ms)]

    def poll(self, now_ms: int) -> Sequence[Output]:
        """As ``Device.poll``."""
        self.settle(now_ms)
        return self._finish(now_ms)

    def next_deadline_ms(self) -> int | None:
        """As ``Device.next_deadline_ms``: the silence that ends a frame."""
        if self._parser.is_idle or self._heard_at_ms is None:
            return None
        return self._heard_at_ms + MODBUS_GAP_MS

    def _finish(self, now_ms: int) -> list[Output]:
        is_silent = self._heard_at_ms is not None and now_ms - self._heard_at_ms >= MODBUS_GAP_MS
        return self._hear(self._parser.finish(), now_ms) if is_silent else []

    def _hear(self, items: list[Adu | bytes], now_ms: int) -> list[Output]:
        answers = [
            self._answer(item, now_ms)
            for item in items
            if isinstance(item, Adu) and item.unit == self.unit
        ]
        return [Output(now_ms, modbus.encode(answer), self.baud) for answer in answers]

    def _answer(self, asked: Adu, now_ms: int) -> Adu:
        if asked.function == modbus.WRITE_COIL:
            address, value = asked.words()
            return self._taken(asked, self.raise_coil(address, value, now_ms))
        if asked.function == modbus.WRITE_REGISTER:
            address, value = asked.words()
            return self._write(asked, address, [value], now_ms)
        if asked.function == modbus.WRITE_REGISTERS:
            address, count, *_ = asked.words()
            values = Adu(0, 0, asked.data[5:]).words()
            is_sound = len(values) == count == asked.data[4] // 2 and count > 0
            if not is_sound:
                return self._refuse(asked, Refusal.VALUE)
            return self._write(asked, address, list(values), now_ms)
        cells = self.cells(asked.function, now_ms)
        if cells is None:
            return self._refuse(asked, Refusal.FUNCTION)
        return self._read(asked, cells)

    def _read(self, asked: Adu, cells: Cells) -> Adu:
        address, count = asked.words()
        are_bits = asked.function in {modbus.READ_COILS, modbus.READ_INPUTS}
        if not 0 < count <= (modbus.BITS_MAX if are_bits else modbus.REGISTERS_MAX):
            return self._refuse(asked, Refusal.VALUE)
        if address + count > len(cells):
            return self._refuse(asked, Refusal.ADDRESS)
        wanted = cells[address : address + count]
        if are_bits:
            data = modbus.bits([bool(one) for one in wanted])
        else:
            data = b"".join(int(one).to_bytes(2, "big") for one in wanted)
        return Adu(asked.unit, asked.function, modbus.counted(data))

    def _write(self, asked: Adu, address: int, values: list[int], now_ms: int) -> Adu:
        held = self.cells(modbus.READ_HOLDING, now_ms) or []
        cells = [int(one) for one in held]
        if address + len(values) > len(cells):
            return self._refuse(asked, Refusal.ADDRESS)
        cells[address : address + len(values)] = values
        return self._taken(asked, self.write(cells, address, len(values), now_ms))

    def _taken(self, asked: Adu, refusal: Refusal | None) -> Adu:
        if refusal is not None:
            return self._refuse(asked, refusal)
        return Adu(asked.unit, asked.function, asked.data[:4])

    def _refuse(self, asked: Adu, code: Refusal) -> Adu:
        self.refusals += 1
        return modbus.refuse(asked, code)
