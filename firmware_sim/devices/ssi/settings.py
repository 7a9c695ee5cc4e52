"""The engine's parameters: those that work now and those that flash keeps."""

from firmware_sim.devices.ssi.profile import SsiProfile
from protocol.framing import ssi
from protocol.framing.ssi import Parameter, Reason

TICK_MS = 100


class Settings:
    """All parameters of one engine."""

    def __init__(self, profile: SsiProfile) -> None:
        self._profile = profile
        self._flash = dict(profile.first_values)
        self._now = dict(self._flash)

    def __getitem__(self, number: int) -> int:
        return self._now[number]

    def ticks_ms(self, number: int) -> int:
        """A parameter that counts tenths of a second, in milliseconds."""
        return self._now[number] * TICK_MS

    @property
    def baud(self) -> int:
        """The rate that parameter 9C names."""
        return self._profile.baud_codes[self._now[Parameter.BAUD]]

    def told(self, numbers: list[int]) -> dict[int, int]:
        """Those asked for, as far as they are known; number FE asks for all."""
        if ssi.ALL_PARAMETERS in numbers:
            return dict(self._now)
        return {number: self._now[number] for number in numbers if number in self._now}

    def take(self, packet: ssi.Packet) -> Reason | None:
        """Set all that a ``PARAM_SEND`` says, or none of it; why not, if not."""
        values = ssi.read_parameters(packet.data)
        if not values:
            return Reason.BAD_CONTEXT
        if not all(self._may_hold(number, value) for number, value in values.items()):
            return Reason.DENIED
        self._now.update(values)
        if packet.status & ssi.STATUS_PERMANENT:
            self._flash.update(values)
        return None

    def keep_or_restore(self, *, is_kept: bool) -> None:
        """Make all permanent, or go back to what is."""
        if is_kept:
            self._flash = dict(self._now)
        else:
            self._now = dict(self._flash)

    def restore_first_values(self) -> None:
        """As the engine left the factory, for good."""
        self._flash = dict(self._profile.first_values)
        self._now = dict(self._flash)

    def _may_hold(self, number: int, value: int) -> bool:
        if number == Parameter.TRIGGER_MODE:
            return value in self._profile.trigger_modes
        if number == Parameter.BAUD:
            return value in self._profile.baud_codes
        return number in self._now
