"""ESC/POS: the commands we send and the status bits we read (Epson's command set).

Text is GB18030, so one byte string carries Chinese and Latin. Builders return bytes; they know
nothing of layout.
"""

from dataclasses import dataclass
from enum import IntEnum

from protocol.framing.limits import QR_BYTES_MAX

ESC, FS, GS, DLE, EOT, ENQ, LF = b"\x1b", b"\x1c", b"\x1d", b"\x10", b"\x04", b"\x05", b"\n"
INIT = ESC + b"@"
CHINESE_ON, CHINESE_OFF = FS + b"&", FS + b"."
CUT_FULL, CUT_PARTIAL = GS + b"V\x00", GS + b"V\x01"
DRAWER_KICK = ESC + b"p\x00\x19\x19"
CLEAR_AND_RECOVER = DLE + ENQ + b"\x02"
OUT_OF_ANY_COMMAND = bytes(QR_BYTES_MAX + 8) + CLEAR_AND_RECOVER + INIT
"""Ends whatever command of ours was begun and not finished, and forgets what it was to print: NUL
does nothing by itself, and no command of ours has more data than a QR code."""
PAPER_QUERY_BUFFERED = GS + b"r\x01"
"""Answered only when all before it has been printed: that makes it a proof of printing."""

STATUS_FIXED_MASK, STATUS_FIXED_BITS = 0x93, 0x12


class Align(IntEnum):
    """ESC a."""

    LEFT = 0
    CENTRE = 1
    RIGHT = 2


class StatusPage(IntEnum):
    """The argument of DLE EOT."""

    PRINTER = 1
    OFFLINE = 2
    ERROR = 3
    PAPER = 4


# Bits of the four answers, where b1 and b4 are always 1, b0 and b7 always 0.
PRINTER_DRAWER, PRINTER_OFFLINE, PRINTER_WAITING = 0x04, 0x08, 0x20
OFFLINE_COVER, OFFLINE_PAPER_END, OFFLINE_ERROR = 0x04, 0x20, 0x40
ERROR_CUTTER, ERROR_FATAL, ERROR_AUTO = 0x08, 0x20, 0x40
PAPER_NEAR_END, PAPER_END = 0x0C, 0x60
# Bits of the answer to GS r 1.
BUFFERED_END, BUFFERED_FIXED_MASK = 0x0C, 0x90


@dataclass(frozen=True, slots=True)
class QrStyle:
    """How a printer draws a QR code: dots per module 1..16, error correction L M Q H."""

    module_dots: int = 6
    correction: str = "M"


def text(words: str) -> bytes:
    """The bytes of a text. What GB18030 cannot say does not exist in Unicode but surrogates."""
    return words.encode("gb18030", errors="replace")


def line(words: str = "") -> bytes:
    """A text and a line feed."""
    return text(words) + LF


def align(where: Align) -> bytes:
    """Where the following lines stand."""
    return ESC + b"a" + bytes([where])


def bold(*, on: bool) -> bytes:
    """Heavy print."""
    return ESC + b"E" + bytes([on])


def size(*, width: int = 1, height: int = 1) -> bytes:
    """Character size, 1..8 times each way, Latin and Chinese."""
    if not (1 <= width <= 8 and 1 <= height <= 8):
        raise ValueError("a character is 1 to 8 times as large")
    return GS + b"!" + bytes([(width - 1) << 4 | (height - 1)])


def feed(lines: int) -> bytes:
    """Paper forward by text lines, 0..255."""
    return ESC + b"d" + bytes([lines])


def qr_code(payload: bytes, style: QrStyle | None = None) -> bytes:
    """A QR code (GS ( k, model 2): set, store, print."""
    style = style or QrStyle()
    if not 1 <= len(payload) <= QR_BYTES_MAX or not 1 <= style.module_dots <= 16:
        raise ValueError("a QR code holds 1 to 2953 bytes at 1 to 16 dots a module")
    level = 48 + "LMQH".index(style.correction)
    head = GS + b"(k"
    stored = b"1P0" + payload
    return (
        head + b"\x04\x001A2\x00"
        + head + b"\x03\x001C" + bytes([style.module_dots])
        + head + b"\x03\x001E" + bytes([level])
        + head + len(stored).to_bytes(2, "little") + stored
        + head + b"\x03\x001Q0"
    )  # fmt: skip


def status_query(page: StatusPage) -> bytes:
    """DLE EOT n: answered at once with one byte, even off line."""
    return DLE + EOT + bytes([page])


def is_status(value: int) -> bool:
    """Whether a byte has the fixed bits of an answer to DLE EOT."""
    return value & STATUS_FIXED_MASK == STATUS_FIXED_BITS
