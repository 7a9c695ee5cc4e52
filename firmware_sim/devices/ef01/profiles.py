"""What tells one EF01 sensor from another: its glass, its library, its instructions.

Sources: ZFM-20 and R307 manuals (512-byte templates, 256 by 288 points), R503 manual 1.2.2
(192 by 192 points, 55h when ready, rates 1, 2, 4, 6 and 12, sections on 0x28 and 0x30 to 0x3D).
"""

from dataclasses import dataclass

from protocol.framing.ef01 import Confirmation, Instruction

_LIGHT = frozenset({Instruction.LIGHT_ON, Instruction.LIGHT_OFF})
_R503 = frozenset(
    {
        Instruction.GET_IMAGE_EX, Instruction.CANCEL, Instruction.AUTO_ENROL,
        Instruction.AUTO_IDENTIFY, Instruction.AURA_LED, Instruction.CHECK_SENSOR,
        Instruction.ALGORITHM_VERSION, Instruction.FIRMWARE_VERSION, Instruction.PRODUCT_INFO,
        Instruction.SOFT_RESET,
    }
)  # fmt: skip
NOT_EVERYWHERE = _LIGHT | _R503


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of EF01 sensor; ``extra`` are its instructions beyond those all have."""

    name: str
    width_px: int
    height_px: int
    template_bytes: int
    buffers: int
    capacity: int
    system_id: int
    rate_codes: tuple[int, ...]
    boot_ms: int
    says_ready: bool
    capture_ms: int
    extract_ms: int
    search_ms: int
    unknown: Confirmation
    extra: frozenset[Instruction]

    @property
    def image_bytes(self) -> int:
        """The bytes of a picture: 4 bits a point, two points a byte."""
        return self.width_px * self.height_px // 2


_EVERY_RATE = tuple(range(1, 13))
ZFM20 = Profile(
    "zfm20", 256, 288, 512, buffers=2, capacity=1000, system_id=0x0009, rate_codes=_EVERY_RATE,
    boot_ms=500, says_ready=False, capture_ms=200, extract_ms=120, search_ms=60,
    unknown=Confirmation.UNDEFINED, extra=frozenset(),
)  # fmt: skip
R307 = Profile(
    "r307", 256, 288, 512, buffers=2, capacity=1000, system_id=0x0000, rate_codes=_EVERY_RATE,
    boot_ms=500, says_ready=False, capture_ms=300, extract_ms=150, search_ms=80,
    unknown=Confirmation.UNDEFINED, extra=_LIGHT,
)  # fmt: skip
R503 = Profile(
    "r503", 192, 192, 1536, buffers=6, capacity=200, system_id=0x0000, rate_codes=(1, 2, 4, 6, 12),
    boot_ms=50, says_ready=True, capture_ms=200, extract_ms=80, search_ms=10,
    unknown=Confirmation.UNSUPPORTED, extra=_R503,
)  # fmt: skip
PROFILES = {profile.name: profile for profile in (ZFM20, R307, R503)}
