"""The scanner's registers ("zone bits"): what works now, what flash keeps, what a reset brings.

Rule 1: only ``Registers`` writes them. Rule 2: flash changes by a save and by nothing else.
"""

from firmware_sim.devices.gm65.profile import REGISTERS, ScannerProfile
from protocol.framing import gm65

BAUD_CLOCK = 3_000_000
TICK_MS = 100
FIRMWARE_087 = 87
_BAUD_9600 = b"\x39\x01"


class Registers:
    """The 256 registers of one scanner, three times."""

    def __init__(self, profile: ScannerProfile, *, version: int = 100) -> None:
        self._profile = profile
        self._factory = bytearray(REGISTERS)
        for address, value in profile.factory.items():
            self._factory[address] = value
        self._factory[gm65.REG_VERSION] = version
        self._is_forgetful = version == FIRMWARE_087
        self._now = bytearray(self._factory)
        self._flash = bytearray(self._factory)
        self._defaults = bytearray(self._factory)

    def __getitem__(self, address: int) -> int:
        return self._now[address]

    def span(self, address: int, count: int) -> bytes:
        """``count`` registers from ``address``; fewer at the end of the map."""
        return bytes(self._now[address : address + count])

    def ticks_ms(self, address: int) -> int:
        """A register that counts tenths of a second, in milliseconds."""
        return self._now[address] * TICK_MS

    @property
    def mode(self) -> int:
        """Bits 1-0 of 0000."""
        return self._now[gm65.REG_MODE] & 3

    @property
    def baud(self) -> int:
        """The rate of 002A and 002B; a divisor of 0 leaves the factory's 9600."""
        divisor = self._now[gm65.REG_BAUD] | self._now[gm65.REG_BAUD + 1] << 8
        return BAUD_CLOCK // divisor if divisor else 9600

    @property
    def idle_ms(self) -> int | None:
        """After which idle time the scanner sleeps by itself, or ``None``."""
        high, low = self._now[gm65.REG_IDLE], self._now[gm65.REG_IDLE + 1]
        idle = ((high & 0x7F) << 8 | low) * TICK_MS
        return idle if high & 0x80 and idle else None

    def put(self, address: int, value: int) -> bool:
        """Write one register; whether it holds the value now.

        E0 and above are read only, and firmware 0.87 acknowledges a write to 002C and forgets it.
        """
        is_fixed = address >= gm65.REG_MODEL and address not in self._profile.writable_above_e0
        is_forgotten = self._is_forgetful and address == gm65.REG_SYMBOLOGIES
        if is_fixed or is_forgotten:
            return False
        self._now[address] = value
        return True

    def clear_trigger(self) -> None:
        """Bit 0 of 0002 falls back by itself."""
        self._now[gm65.REG_TRIGGER] &= 0xFE

    def save(self) -> None:
        """Into flash, without a trigger that happens to be on."""
        self._flash = bytearray(self._now)
        self._flash[gm65.REG_TRIGGER] &= 0xFE

    def reload(self) -> None:
        """Out of flash, as after power came."""
        self._now = bytearray(self._flash)

    def restore_factory(self) -> None:
        """As the scanner left the factory."""
        self._now = bytearray(self._factory)

    def restore_defaults(self) -> None:
        """As the user's defaults say; the factory's while there are none."""
        self._now = bytearray(self._defaults)

    def keep_defaults(self) -> None:
        """What works now becomes the user's defaults."""
        self._defaults = bytearray(self._now)

    def reset_baud(self) -> None:
        """Back to 9600."""
        self._now[gm65.REG_BAUD : gm65.REG_BAUD + 2] = _BAUD_9600
