"""What the scanner's eye finds. The finding itself is given from outside: no image code here."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sighting:
    """A code in a picture: the name of its symbology and what it says."""

    symbology: str
    text: str


Decoder = Callable[[bytes], Sighting | None]


@dataclass(slots=True)
class Picture:
    """A picture before the lens. It is looked at once, however often it is read."""

    png: bytes
    keep: bool
    _sighting: Sighting | None = None
    _is_seen: bool = False

    def sighting(self, decode: Decoder) -> Sighting | None:
        """What it says, or ``None``."""
        if not self._is_seen:
            self._sighting, self._is_seen = decode(self.png), True
        return self._sighting
