"""What a sensor knows: what its flash keeps, and what is gone with the power."""

from dataclasses import dataclass, field

from firmware_sim.devices.ef01.finger import Touch
from firmware_sim.devices.ef01.profiles import Profile
from protocol.framing import ef01
from protocol.framing.ef01 import Confirmation

NOTEPAD_PAGES, NOTEPAD_PAGE_BYTES = 16, 32
Answer = tuple[Confirmation, bytes]


@dataclass(slots=True)
class Flash:
    """What stays without power."""

    password: int = 0
    address: int = ef01.ADDRESS_DEFAULT
    rate_code: int = 6
    security: int = 3
    packet_code: int = 2
    library: dict[int, bytes] = field(default_factory=dict)
    notepad: dict[int, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class Download:
    """Data on its way in: into a character buffer, or with ``buffer`` 0 into the picture."""

    buffer: int
    wanted_bytes: int
    data: bytearray = field(default_factory=bytearray)

    def take(self, piece: bytes) -> None:
        """Keep what fits."""
        self.data += piece[: self.wanted_bytes - len(self.data)]


@dataclass(frozen=True, slots=True)
class Light:
    """The ring or the backlight: what it does and in which colour."""

    mode: str = "off"
    colour: str = ""


@dataclass(slots=True)
class Volatile:
    """What goes with the power. ``fresh`` are the buffers filled by touches since a merge."""

    picture: bytes | None = None
    buffers: dict[int, bytes] = field(default_factory=dict)
    fresh: set[int] = field(default_factory=set)
    is_unlocked: bool = False
    has_passed: bool = False
    download: Download | None = None
    upload: bytes | None = None
    light: Light = field(default_factory=Light)


@dataclass(slots=True)
class State:
    """One sensor's knowledge, its glass included."""

    profile: Profile
    serial: bytes
    flash: Flash = field(default_factory=Flash)
    now: Volatile = field(default_factory=Volatile)
    touch: Touch | None = None
    touches: int = 0
    draws: int = 0
    searches: int = 0
    is_glass_broken: bool = False
    is_flash_broken: bool = False
