"""What a scanner's eye finds. The finding itself is given from outside: no image code here."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from firmware_sim.limits import CAMERA_QUEUE_PICTURES_MAX
from protocol.errors import CallerError


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


class Lens(deque[Picture]):
    """The pictures before a lens, in the order shown. Each stays until it is read, or for good."""

    def hold(self, png: bytes, *, keep: bool) -> None:
        """One more; ``CallerError("busy")`` beyond ``CAMERA_QUEUE_PICTURES_MAX``."""
        if len(self) >= CAMERA_QUEUE_PICTURES_MAX:
            raise CallerError(
                "busy",
                f"at most {CAMERA_QUEUE_PICTURES_MAX} pictures wait",
                detail_zh=f"最多 {CAMERA_QUEUE_PICTURES_MAX} 张图片等待读取",
            )
        self.append(Picture(png, keep))

    def done(self) -> None:
        """The first picture has been read: it goes, unless it is kept there."""
        if self and not self[0].keep:
            self.popleft()
