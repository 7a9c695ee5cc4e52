"""How the next character will look.

Rule 1: the Latin and the Chinese font keep their own size and underline (ESC ! and ESC - set the
one, FS ! and FS - the other; GS ! sets both sizes). All else holds for both.
"""

from dataclasses import dataclass, field

from firmware_sim.devices.escpos.numbers import number_of
from firmware_sim.devices.paper import Style


@dataclass(slots=True)
class _Font:
    width: int = 1
    height: int = 1
    underline: int = 0
    left_dots: int = 0
    right_dots: int = 0


@dataclass(slots=True)
class Typeface:
    """Set by commands, asked for each character."""

    latin: _Font = field(default_factory=_Font)
    chinese: _Font = field(default_factory=_Font)
    is_bold: bool = False
    is_struck_twice: bool = False
    is_reverse: bool = False
    is_rotated: bool = False
    is_font_b: bool = False

    def style(self, character: str, *, is_chinese_mode: bool) -> Style:
        """The style of a character."""
        is_chinese = is_chinese_mode and ord(character) >= 0x80
        font = self.chinese if is_chinese else self.latin
        return Style(
            bold=self.is_bold or self.is_struck_twice,
            underline=0 if self.is_reverse or self.is_rotated else font.underline,
            width=font.width, height=font.height, reverse=self.is_reverse,
            font_b=self.is_font_b, chinese=is_chinese_mode, rotated=self.is_rotated,
            spacing=font.left_dots + font.right_dots,
        )  # fmt: skip

    def set_print_mode(self, data: bytes) -> None:
        """ESC ! n: font, bold and underline, size in halves."""
        mode = data[0]
        self.is_font_b = bool(mode & 0x01)
        self.is_bold = bool(mode & 0x08)
        self.latin.height = 2 if mode & 0x10 else 1
        self.latin.width = 2 if mode & 0x20 else 1
        self.latin.underline = 1 if mode & 0x80 else 0

    def set_chinese_mode(self, data: bytes) -> None:
        """FS ! n."""
        self.chinese.width = 2 if data[0] & 0x04 else 1
        self.chinese.height = 2 if data[0] & 0x08 else 1
        self.chinese.underline = 1 if data[0] & 0x80 else 0

    def set_size(self, data: bytes) -> None:
        """GS ! n: one to eight times each way."""
        for font in (self.latin, self.chinese):
            font.width, font.height = (data[0] >> 4 & 7) + 1, (data[0] & 7) + 1

    def set_quadruple(self, data: bytes) -> None:
        """FS W n: Chinese characters twice as large each way."""
        self.chinese.width = self.chinese.height = 2 if data[0] & 1 else 1

    def set_bold(self, data: bytes) -> None:
        """ESC E n."""
        self.is_bold = bool(data[0] & 1)

    def set_double_strike(self, data: bytes) -> None:
        """ESC G n: looks the same as bold."""
        self.is_struck_twice = bool(data[0] & 1)

    def set_underline(self, data: bytes) -> None:
        """ESC - n: none, one or two dots."""
        self.latin.underline = _chosen(data, 2, self.latin.underline)

    def set_chinese_underline(self, data: bytes) -> None:
        """FS - n."""
        self.chinese.underline = _chosen(data, 2, self.chinese.underline)

    def set_font(self, data: bytes) -> None:
        """ESC M n."""
        self.is_font_b = bool(_chosen(data, 1, self.is_font_b))

    def set_reverse(self, data: bytes) -> None:
        """GS B n: white on black."""
        self.is_reverse = bool(data[0] & 1)

    def set_rotated(self, data: bytes) -> None:
        """ESC V n: each character a quarter turn clockwise."""
        self.is_rotated = bool(_chosen(data, 2, self.is_rotated))

    def set_spacing(self, data: bytes) -> None:
        """ESC SP n: white to the right of Latin characters."""
        self.latin.right_dots = data[0]

    def set_chinese_spacing(self, data: bytes) -> None:
        """FS S n1 n2: white on both sides of Chinese characters, drawn on the right."""
        self.chinese.left_dots, self.chinese.right_dots = data[0], data[1]


def _chosen(data: bytes, most: int, before: int) -> int:
    """What a command chooses; out of its range it changes nothing."""
    number = number_of(data[0], most)
    return before if number is None else number
