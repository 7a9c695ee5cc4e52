"""The exit of a car park: it knows when each car drove in, and raises its arm when told.

Rule 1: the arm rises only for the car that stands there and whose tag is released; so a command
that comes late, or twice, lets nobody else out. Rule 2: it never falls on a car: it goes down when
the car has passed. Rule 3: who drove in when, and who is released, is in flash.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from firmware_sim.devices.device import Output
from firmware_sim.limits import GATE_ARM_MS, GATE_CARS_MAX, MODBUS_GAP_MS
from protocol.errors import CallerError
from protocol.framing import gate as at
from protocol.framing import modbus
from protocol.framing.modbus import Adu, Refusal

BAUD = 9_600


class Arm(Enum):
    """Where the arm is."""

    DOWN = "down"
    RISING = "rising"
    UP = "up"
    FALLING = "falling"


@dataclass(slots=True)
class Barrier:
    """One exit. ``epoch_s`` is what its clock shows when power comes first."""

    unit: int
    epoch_s: int
    cars: dict[int, int] = field(default_factory=dict)
    """Who is in the car park: tag, and since when by our clock (s)."""
    waiting: int = 0
    """The tag of the car before the arm."""
    released: int = 0
    notice: int = 0
    arm: Arm = Arm.DOWN
    is_blocked: bool = False
    passages: int = 0
    refusals: int = 0
    baud: int = BAUD
    _is_new: bool = True
    _moved_at_ms: int | None = None
    _heard_at_ms: int | None = None
    _parser: modbus.FrameParser = field(default_factory=lambda: modbus.FrameParser("request"))

    # People

    def arrive(self, tag: int, now_ms: int) -> None:
        """A car drives in."""
        if tag in self.cars or len(self.cars) >= GATE_CARS_MAX:
            raise CallerError("field_invalid", "the car is in already, or it is full")
        self.cars[tag] = self._now_s(now_ms)

    def drive_up(self, tag: int) -> None:
        """A car comes to the exit."""
        if tag not in self.cars or self.waiting or self.arm is not Arm.DOWN:
            raise CallerError("field_invalid", "no such car, or another one stands there")
        self.waiting, self.notice = tag, 0

    def turn_back(self) -> None:
        """The car at the exit drives back into the car park."""
        if self.arm is not Arm.DOWN:
            raise CallerError("field_invalid", "the arm is up")
        self.waiting, self.notice = 0, 0

    def drive_out(self, now_ms: int) -> None:
        """The car leaves under the arm."""
        self._settle(now_ms)
        if not self.waiting or self.arm is not Arm.UP:
            raise CallerError("field_invalid", "no car, or the arm is not up")
        del self.cars[self.waiting]
        self.waiting, self.released, self.notice = 0, 0, 0
        self.passages += 1
        self._start(Arm.FALLING, now_ms)

    def block(self) -> None:
        """Something holds the arm."""
        self.is_blocked = True

    def free(self) -> None:
        """It holds the arm no longer."""
        self.is_blocked = False

    # The device

    def boot(self, now_ms: int) -> Sequence[Output]:
        """As ``Device.boot``: the arm falls where no car is under it."""
        self._parser.clear()
        self._heard_at_ms = None
        if self._is_new:
            self._is_new = False
            self.epoch_s -= now_ms // 1000
        if self.arm is not Arm.DOWN:
            self._start(Arm.FALLING, now_ms)
        return []

    def feed(self, data: bytes, now_ms: int) -> Sequence[Output]:
        """As ``Device.feed``."""
        self._settle(now_ms)
        outputs = self._finish(now_ms)
        self._heard_at_ms = now_ms
        return [*outputs, *self._hear(self._parser.feed(data), now_ms)]

    def poll(self, now_ms: int) -> Sequence[Output]:
        """As ``Device.poll``."""
        self._settle(now_ms)
        return self._finish(now_ms)

    def next_deadline_ms(self) -> int | None:
        """As ``Device.next_deadline_ms``."""
        due = [] if self._moved_at_ms is None else [self._moved_at_ms + GATE_ARM_MS]
        if not self._parser.is_idle and self._heard_at_ms is not None:
            due.append(self._heard_at_ms + MODBUS_GAP_MS)
        return min(due, default=None)

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
        reads: dict[int, list[bool] | list[int]] = {
            modbus.READ_COILS: [self.arm in {Arm.RISING, Arm.UP}],
            modbus.READ_INPUTS: self._inputs(),
            modbus.READ_HOLDING: self._holdings(now_ms),
            modbus.READ_INPUT_REGISTERS: self._registers(now_ms),
        }
        if asked.function in reads:
            return self._read(asked, reads[asked.function])
        if asked.function == modbus.WRITE_COIL:
            return self._write_coil(asked, now_ms)
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
        return self._refuse(asked, Refusal.FUNCTION)

    def _read(self, asked: Adu, cells: list[bool] | list[int]) -> Adu:
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

    def _write_coil(self, asked: Adu, now_ms: int) -> Adu:
        address, value = asked.words()
        if address != at.COIL_RAISE:
            return self._refuse(asked, Refusal.ADDRESS)
        if value != modbus.COIL_ON or not self.waiting or self.released != self.waiting:
            return self._refuse(asked, Refusal.VALUE)
        if self.is_blocked:
            return self._refuse(asked, Refusal.DEVICE_FAILURE)
        if self.arm not in {Arm.RISING, Arm.UP}:
            self._start(Arm.RISING, now_ms)
        return asked

    def _write(self, asked: Adu, address: int, values: list[int], now_ms: int) -> Adu:
        cells = self._holdings(now_ms)
        if address + len(values) > len(cells):
            return self._refuse(asked, Refusal.ADDRESS)
        cells[address : address + len(values)] = values
        if cells[at.HOLDING_NOTICE] >= len(at.NOTICES):
            return self._refuse(asked, Refusal.VALUE)
        self.released = at.number(*cells[at.HOLDING_RELEASED : at.HOLDING_RELEASED + 2])
        self.notice = cells[at.HOLDING_NOTICE]
        if address <= at.HOLDING_CLOCK + 1 and address + len(values) > at.HOLDING_CLOCK:
            self.epoch_s = (
                at.number(*cells[at.HOLDING_CLOCK : at.HOLDING_CLOCK + 2]) - now_ms // 1000
            )
        kept = 4 if asked.function == modbus.WRITE_REGISTERS else len(asked.data)
        return Adu(asked.unit, asked.function, asked.data[:kept])

    def _refuse(self, asked: Adu, code: Refusal) -> Adu:
        self.refusals += 1
        return modbus.refuse(asked, code)

    def _inputs(self) -> list[bool]:
        return [bool(self.waiting), self.arm is Arm.UP, self.arm is Arm.DOWN, self.is_blocked]

    def _registers(self, now_ms: int) -> list[int]:
        entered_s = self.cars.get(self.waiting, 0)
        return [
            *at.words(self.waiting),
            *at.words(entered_s),
            *at.words(self._now_s(now_ms)),
            self.passages & 0xFFFF,
        ]

    def _holdings(self, now_ms: int) -> list[int]:
        return [*at.words(self.released), *at.words(self._now_s(now_ms)), self.notice]

    def _now_s(self, now_ms: int) -> int:
        return self.epoch_s + now_ms // 1000

    def _start(self, arm: Arm, now_ms: int) -> None:
        self.arm, self._moved_at_ms = arm, now_ms

    def _settle(self, now_ms: int) -> None:
        if self._moved_at_ms is None or now_ms - self._moved_at_ms < GATE_ARM_MS:
            return
        if self.is_blocked and self.arm is Arm.RISING:
            return
        self.arm = Arm.UP if self.arm in {Arm.RISING, Arm.UP} else Arm.DOWN
        self._moved_at_ms = None
