"""The text lines of Qibixx' MDB adapters (MDB-USB, MDB Pi HAT; docs.qibixx.com, MDB API).

A line is ASCII and ends with CR LF; CR or LF alone is understood. Its first field says who is
meant: ``C`` cashless slave, ``D`` cashless master, ``M``/``R`` bus master in raw bytes, ``X``
sniffer, ``V`` version; the adapter answers in small letters. Amounts are decimal numbers.
"""

import re
from dataclasses import dataclass

from protocol.errors import OperatingError
from protocol.framing.limits import QIBIXX_AMOUNT_DIGITS_MAX, QIBIXX_LINE_BYTES_MAX

LINE_END = b"\r\n"
_UNITS = (1, 10, 100, 1_000)
REFUSED = -1
"""What stands for an amount in a refusal."""


@dataclass(frozen=True, slots=True)
class Damaged:
    """Bytes up to a line's end that are no line; ``why`` is for logs."""

    raw: bytes
    why: str


def encode(line: str) -> bytes:
    """The bytes of a line."""
    return line.encode("ascii") + LINE_END


def format_amount(amount: int, decimals: int) -> str:
    """``125`` with two decimals is ``1.25``. Decimals from 0 to 3."""
    whole, part = divmod(amount, _UNITS[decimals])
    return f"{whole}.{part:0{decimals}d}" if decimals else str(whole)


def parse_amount(text: str, decimals: int) -> int:
    """The amount in its smallest unit: ``1``, ``1.2`` and ``1.25`` with two decimals.

    ``device_bad_frame`` where it is none, or finer than the unit.
    """
    digits = QIBIXX_AMOUNT_DIGITS_MAX
    found = re.fullmatch(rf"([0-9]{{1,{digits}}})(?:\.([0-9]{{1,{digits}}}))?", text)
    if found is None:
        raise OperatingError("device_bad_frame", "mdb: no amount")
    whole, part = found[1], found[2] or ""
    if part[decimals:].strip("0"):
        raise OperatingError("device_bad_frame", "mdb: finer than the unit")
    return int(whole) * _UNITS[decimals] + int(part[:decimals].ljust(decimals, "0") or "0")


class LineParser:
    """Either side's ear: bytes in, lines out, empty ones left out."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._is_too_long = False

    @property
    def unfinished(self) -> bytes:
        """What has come of a line that is not complete."""
        return bytes(self._buffer)

    @property
    def is_mid_line(self) -> bool:
        """Whether a line has begun and is not complete."""
        return bool(self._buffer)

    def clear(self) -> None:
        """Forget what has begun."""
        self._buffer.clear()
        self._is_too_long = False

    def feed(self, data: bytes) -> list[str | Damaged]:
        """The lines that ``data`` completes."""
        found: list[str | Damaged] = []
        for value in data:
            if value in LINE_END:
                found += self._end()
            elif len(self._buffer) < QIBIXX_LINE_BYTES_MAX:
                self._buffer.append(value)
            else:
                self._is_too_long = True
        return found

    def _end(self) -> list[str | Damaged]:
        raw, is_too_long = bytes(self._buffer), self._is_too_long
        self.clear()
        if is_too_long:
            return [Damaged(raw, "length")]
        if not all(0x20 <= value <= 0x7E for value in raw):
            return [Damaged(raw, "character")]
        return [raw.decode("ascii")] if raw else []
