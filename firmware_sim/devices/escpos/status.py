"""What the printer says of itself: pure functions from its condition to status bytes (Epson DLE
EOT, GS a, GS r, GS I)."""

from dataclasses import dataclass
from typing import Literal

from firmware_sim.devices.escpos.numbers import number_of

Paper = Literal["adequate", "near_end", "end"]
DRAWER, OFFLINE, WAITING, FEEDING = 0x04, 0x08, 0x20, 0x40
_CUTTER, _BROKEN, _HOT = 0x08, 0x20, 0x40
MASK_DRAWER, MASK_ONLINE, MASK_ERROR, MASK_PAPER = 0x01, 0x02, 0x04, 0x08
"""GS a n: which changes are told without being asked."""


@dataclass(frozen=True, slots=True)
class Condition:
    """All that status bytes speak of."""

    paper: Paper
    is_cover_open: bool
    is_drawer_pin_high: bool
    is_feeding: bool
    is_cutter_stopped: bool
    is_hot: bool
    is_broken: bool

    @property
    def is_error(self) -> bool:
        """Whether something is wrong that paper and cover do not explain."""
        return self.is_cutter_stopped or self.is_hot or self.is_broken

    @property
    def is_online(self) -> bool:
        """Whether it would print now."""
        is_stopped = self.is_cover_open or self.is_feeding or self.is_error
        return self.paper != "end" and not is_stopped

    @property
    def errors(self) -> list[str]:
        """Their names."""
        named = {"cutter": self.is_cutter_stopped, "hot": self.is_hot, "broken": self.is_broken}
        return [name for name, is_so in named.items() if is_so]


def realtime_status(page: int, condition: Condition) -> bytes:
    """DLE EOT n: one byte, or nothing for a page that is not there."""
    c = condition
    bits = {
        1: DRAWER * c.is_drawer_pin_high | OFFLINE * (not c.is_online)
        | WAITING * c.is_cutter_stopped | FEEDING * c.is_feeding,
        2: 0x04 * c.is_cover_open | 0x08 * c.is_feeding | 0x20 * (c.paper == "end")
        | 0x40 * c.is_error,
        3: _CUTTER * c.is_cutter_stopped | _BROKEN * c.is_broken | _HOT * c.is_hot,
        4: {"adequate": 0, "near_end": 0x0C, "end": 0x6C}[c.paper],
    }.get(page)  # fmt: skip
    return b"" if bits is None else bytes([0x12 | bits])


def auto_status(condition: Condition) -> bytes:
    """GS a: four bytes."""
    c = condition
    first = (
        0x10 | DRAWER * c.is_drawer_pin_high | OFFLINE * (not c.is_online)
        | 0x20 * c.is_cover_open | FEEDING * c.is_feeding
    )  # fmt: skip
    second = _CUTTER * c.is_cutter_stopped | _BROKEN * c.is_broken | _HOT * c.is_hot
    return bytes([first, second, _paper_bits(c), 0])


def watched(status: bytes, mask: int) -> bytes:
    """The bits of a four-byte status whose change the mask of GS a wants to hear of."""
    first = DRAWER * bool(mask & MASK_DRAWER)
    first |= (OFFLINE | 0x20 | FEEDING) * bool(mask & MASK_ONLINE)
    second = 0xFF * bool(mask & MASK_ERROR)
    third = 0xFF * bool(mask & MASK_PAPER)
    return bytes(value & bits for value, bits in zip(status, (first, second, third), strict=False))


def buffered_status(which: int, condition: Condition) -> bytes:
    """GS r n: paper (1) or drawer (2)."""
    answers = {1: _paper_bits(condition), 2: int(condition.is_drawer_pin_high)}
    answer = answers.get(number_of(which, 2) or 0)
    return b"" if answer is None else bytes([answer])


def _paper_bits(condition: Condition) -> int:
    return {"adequate": 0, "near_end": 0x03, "end": 0x0F}[condition.paper]


def identity(which: int, *, profile: str, width_dots: int) -> bytes:
    """GS I n: a byte for 1 to 3, a text for 65 to 69."""
    model = "TW-58" if width_dots < 576 else "TW-80"
    names = {65: "2.0", 66: "TILLWAY", 67: model, 68: "SIM0000001", 69: profile}
    if which in names:
        return b"_" + names[which].encode() + b"\x00"
    return {1: b"\x20", 2: b"\x03", 3: b"\x02"}.get(number_of(which, 3) or 0, b"")
