"""The exit of a car park: it knows when each car drove in, and raises its arm when told.

Rule 1: the arm rises only for the car that stands there and whose tag is released; so a command
that comes late, or twice, lets nobody else out. Rule 2: it never falls on a car: it goes down when
the car has passed. Rule 3: who drove in when, and who is released, is in flash.
"""

from collections.abc import Sequence
from enum import Enum

from firmware_sim.devices.device import Output
from firmware_sim.devices.modbus_unit import Cells, ModbusUnit
from firmware_sim.limits import GATE_ARM_MS, GATE_CARS_MAX
from protocol.errors import CallerError
from protocol.framing import gate as at
from protocol.framing import modbus
from protocol.framing.modbus import Refusal


class Arm(Enum):
    """Where the arm is."""

    DOWN = "down"
    RISING = "rising"
    UP = "up"
    FALLING = "falling"


class Barrier(ModbusUnit):
    """One exit."""

    def __init__(self, unit: int, epoch_s: int, cars: dict[int, int] | None = None) -> None:
        """``epoch_s`` is what its clock shows when power comes first; ``cars`` are in since then,
        by tag and by that clock (s)."""
        super().__init__(unit)
        self.epoch_s = epoch_s
        self.cars = dict(cars or {})
        self.waiting = 0
        """The tag of the car before the arm."""
        self.released = 0
        self.notice = 0
        self.arm = Arm.DOWN
        self.is_blocked = False
        self.passages = 0
        self._is_new = True
        self._moved_at_ms: int | None = None

    # People

    def arrive(self, tag: int, now_ms: int, *, ago_s: int = 0) -> None:
        """A car drives in, or has done so a while ago by the exit's clock."""
        if tag in self.cars or len(self.cars) >= GATE_CARS_MAX:
            raise CallerError(
                "field_invalid",
                "the car is in already, or it is full",
                detail_zh="车已在场内，或车场已满",
            )
        self.cars[tag] = max(self._now_s(now_ms) - ago_s, 1)

    def drive_up(self, tag: int) -> None:
        """A car comes to the exit."""
        if tag not in self.cars or self.waiting or self.arm is not Arm.DOWN:
            raise CallerError(
                "field_invalid",
                "no such car, or another one stands there",
                detail_zh="没有这辆车，或出口已有别的车",
            )
        self.waiting, self.notice = tag, 0

    def turn_back(self) -> None:
        """The car at the exit drives back into the car park."""
        if self.arm is not Arm.DOWN:
            raise CallerError("field_invalid", "the arm is up", detail_zh="杆是抬起的")
        self.waiting, self.notice = 0, 0

    def drive_out(self, now_ms: int) -> None:
        """The car leaves under the arm."""
        self.settle(now_ms)
        if not self.waiting or self.arm is not Arm.UP:
            raise CallerError(
                "field_invalid", "no car, or the arm is not up", detail_zh="没有车，或杆没有抬起"
            )
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
        super().boot(now_ms)
        if self._is_new:
            self._is_new = False
            self.epoch_s -= now_ms // 1000
        if self.arm is not Arm.DOWN:
            self._start(Arm.FALLING, now_ms)
        return []

    def next_deadline_ms(self) -> int | None:
        """As ``Device.next_deadline_ms``."""
        moved = None if self._moved_at_ms is None else self._moved_at_ms + GATE_ARM_MS
        due = [one for one in (moved, super().next_deadline_ms()) if one is not None]
        return min(due, default=None)

    def cells(self, function: int, now_ms: int) -> Cells | None:
        """As ``ModbusUnit.cells``."""
        if function == modbus.READ_COILS:
            return [self.arm in {Arm.RISING, Arm.UP}]
        if function == modbus.READ_INPUTS:
            return [bool(self.waiting), self.arm is Arm.UP, self.arm is Arm.DOWN, self.is_blocked]
        if function == modbus.READ_HOLDING:
            return [*at.words(self.released), *at.words(self._now_s(now_ms)), self.notice]
        if function == modbus.READ_INPUT_REGISTERS:
            entered_s = self.cars.get(self.waiting, 0)
            clocks = (*at.words(entered_s), *at.words(self._now_s(now_ms)))
            return [*at.words(self.waiting), *clocks, self.passages & 0xFFFF]
        return None

    def raise_coil(self, address: int, value: int, now_ms: int) -> Refusal | None:
        """As ``ModbusUnit.raise_coil``: the arm."""
        if address != at.COIL_RAISE:
            return Refusal.ADDRESS
        if value != modbus.COIL_ON or not self.waiting or self.released != self.waiting:
            return Refusal.VALUE
        if self.is_blocked:
            return Refusal.DEVICE_FAILURE
        if self.arm not in {Arm.RISING, Arm.UP}:
            self._start(Arm.RISING, now_ms)
        return None

    def write(self, cells: list[int], address: int, count: int, now_ms: int) -> Refusal | None:
        """As ``ModbusUnit.write``."""
        if cells[at.HOLDING_NOTICE] >= len(at.NOTICES):
            return Refusal.VALUE
        self.released = at.number(*cells[at.HOLDING_RELEASED : at.HOLDING_RELEASED + 2])
        self.notice = cells[at.HOLDING_NOTICE]
        if address <= at.HOLDING_CLOCK + 1 and address + count > at.HOLDING_CLOCK:
            told_s = at.number(*cells[at.HOLDING_CLOCK : at.HOLDING_CLOCK + 2])
            self.epoch_s = told_s - now_ms // 1000
        return None

    def settle(self, now_ms: int) -> None:
        """As ``ModbusUnit.settle``: the arm has moved."""
        if self._moved_at_ms is None or now_ms - self._moved_at_ms < GATE_ARM_MS:
            return
        if self.is_blocked and self.arm is Arm.RISING:
            return
        self.arm = Arm.UP if self.arm in {Arm.RISING, Arm.UP} else Arm.DOWN
        self._moved_at_ms = None

    def jump(self, seconds: int, now_ms: int) -> None:
        """The clock goes wrong by so much, until it is set; ``field_invalid`` below its zero."""
        if not 0 <= self._now_s(now_ms) + seconds < 2**32:
            raise CallerError("field_invalid", "seconds", detail_zh="秒数不在允许范围内")
        self.epoch_s += seconds

    def _now_s(self, now_ms: int) -> int:
        return self.epoch_s + now_ms // 1000

    def _start(self, arm: Arm, now_ms: int) -> None:
        self.arm, self._moved_at_ms = arm, now_ms
