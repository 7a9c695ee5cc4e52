"""A prepaid meter: days come in by tokens, go by with time, and at the end it switches off.

Rule 1: a token is taken once; one that was taken before says so and adds nothing. Rule 2: so many
wrong ones lock the keypad for a while. Rule 3: credit and count are in flash; without power no time
passes for it.
"""

from collections.abc import Sequence

from firmware_sim.devices.device import Output
from firmware_sim.devices.modbus_unit import Cells, ModbusUnit
from firmware_sim.limits import METER_LOCK_MS, METER_WRONG_MAX
from protocol.framing import modbus, openpaygo
from protocol.framing import paymeter as at
from protocol.framing.gate import number, words
from protocol.framing.modbus import Refusal

MS_PER_MINUTE = 60_000
MINUTES_PER_DAY = 1_440


class PayMeter(ModbusUnit):
    """One meter. ``key`` is its own; ``credit_minutes`` are left when power comes first."""

    def __init__(self, unit: int, key: bytes, credit_minutes: int) -> None:
        super().__init__(unit)
        self._key = key
        self.count = 0
        self.result = at.NOTHING
        self.taken = 0
        self._left_ms = credit_minutes * MS_PER_MINUTE
        self._counted_at_ms = 0
        self._entered = 0
        self._wrong = 0
        self._locked_until_ms = 0

    @property
    def credit_minutes(self) -> int:
        """The whole minutes that are left, as of the latest look."""
        return self._left_ms // MS_PER_MINUTE

    @property
    def is_on(self) -> bool:
        """Whether what hangs on it has power."""
        return self._left_ms > 0

    def enter(self, digits: str, now_ms: int) -> None:
        """A token is keyed in, by a person or over the line."""
        self.settle(now_ms)
        if now_ms < self._locked_until_ms:
            self.result = at.LOCKED
            return
        token = openpaygo.read_token(self._key, digits, last_count=self.count)
        if token is None:
            self._refuse_token(now_ms)
        elif token.count <= self.count:
            self.result = at.USED_BEFORE
        else:
            self._take(token)

    # The device

    def boot(self, now_ms: int) -> Sequence[Output]:
        """As ``Device.boot``."""
        self._counted_at_ms = now_ms
        self._locked_until_ms = 0
        return super().boot(now_ms)

    def next_deadline_ms(self) -> int | None:
        """As ``Device.next_deadline_ms``: when it switches off, too."""
        ends = self._counted_at_ms + self._left_ms if self.is_on else None
        due = [one for one in (ends, super().next_deadline_ms()) if one is not None]
        return min(due, default=None)

    def cells(self, function: int, now_ms: int) -> Cells | None:
        """As ``ModbusUnit.cells``."""
        del now_ms
        if function == modbus.READ_INPUT_REGISTERS:
            credit = words(self.credit_minutes)
            return [*credit, self.count, self.result, int(self.is_on)]
        if function == modbus.READ_HOLDING:
            return [*words(self._entered)]
        return None

    def write(self, cells: list[int], address: int, count: int, now_ms: int) -> Refusal | None:
        """As ``ModbusUnit.write``."""
        if (address, count) != (at.HOLDING_TOKEN, at.HOLDINGS):
            return Refusal.VALUE
        self._entered = number(*cells)
        self.enter(f"{self._entered:0{openpaygo.TOKEN_DIGITS}d}", now_ms)
        return None

    def settle(self, now_ms: int) -> None:
        """As ``ModbusUnit.settle``: time has gone by."""
        self._left_ms = max(self._left_ms - max(now_ms - self._counted_at_ms, 0), 0)
        self._counted_at_ms = now_ms

    def _take(self, token: openpaygo.Token) -> None:
        added_ms = token.days * MINUTES_PER_DAY * MS_PER_MINUTE
        self._left_ms = self._left_ms + added_ms if token.is_adding else added_ms
        self.count, self.result, self._wrong = token.count, at.TAKEN, 0
        self.taken += 1

    def _refuse_token(self, now_ms: int) -> None:
        self.result = at.WRONG
        self._wrong += 1
        if self._wrong >= METER_WRONG_MAX:
            self._wrong, self._locked_until_ms = 0, now_ms + METER_LOCK_MS
