"""What was said on a line, frame by frame: for people, for expectations, for replay.

Rule 1: a decoder never fails; what it cannot read is a frame named ``junk``, and so is what a side
begins and never finishes.
Rule 2: fields hold no PAN, PIN or whole pay code, and ``secrets`` names the bytes of ``raw`` that
must not be kept.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

JUNK = "junk"
DAMAGED, DAMAGED_ZH = " (damaged)", "（损坏）"
LONG_NUMBER_DIGITS_MIN = 12
"""Pay codes and card numbers have no fewer."""
_LONG_NUMBER = re.compile(rb"[0-9]{%d,}" % LONG_NUMBER_DIGITS_MIN)
_LONG_DIGITS = re.compile(f"[0-9]{{{LONG_NUMBER_DIGITS_MIN},}}")
_NUMBER_KEPT_FIRST, _NUMBER_KEPT_LAST = 2, 4
_HIDDEN_MIN = 6


class Side(StrEnum):
    """Who speaks."""

    HOST = "host"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame. ``secrets`` are (start, end) positions in ``raw``, ``places`` those of fields, as
    far as the decoder knows them."""

    side: Side
    raw: bytes
    name: str
    fields: dict[str, str | int] = field(default_factory=dict)
    is_valid: bool = True
    secrets: tuple[tuple[int, int], ...] = ()
    places: dict[str, tuple[int, int]] = field(default_factory=dict, compare=False)

    @property
    def kept_secret(self) -> tuple[tuple[int, int], ...]:
        """What must not be kept: the decoder's ``secrets`` as far as the frame goes, and any long
        number in clear."""
        numbers = (
            (found.start() + _NUMBER_KEPT_FIRST, found.end() - _NUMBER_KEPT_LAST)
            for found in _LONG_NUMBER.finditer(self.raw)
        )
        size = len(self.raw)
        told = ((start, min(end, size)) for start, end in self.secrets if start < size)
        return (*told, *numbers)

    def hex(self) -> str:
        """The bytes in hexadecimal, secret ones as ``**``."""
        words = [f"{value:02x}" for value in self.raw]
        for start, end in self.kept_secret:
            words[start:end] = ["**"] * len(words[start:end])
        return "".join(words)

    def describe(self, damaged: str = DAMAGED) -> str:
        """The frame in one line; ``damaged`` are the words for one that is."""
        arrow = "->" if self.side is Side.HOST else "<-"
        said = " ".join(f"{name}={value}" for name, value in self.fields.items())
        broken = "" if self.is_valid else damaged
        return f"{arrow} {self.name}{broken} {said}".rstrip() + f"  [{self.hex()}]"


class FrameDecoder(Protocol):
    """Reads one line. It keeps at most one unfinished frame for each side."""

    def feed(self, side: Side, data: bytes) -> list[Frame]:
        """Take what one side said; returns the frames that are complete now."""
        ...

    def rest(self, side: Side) -> list[Frame]:
        """What one side began and never finished; what it says next begins anew. Nothing of a side
        whose hearer waits for the end for good, as a printer does."""
        ...


class Parser(Protocol):
    """Keeps what has come of a frame that is not complete."""

    @property
    def unfinished(self) -> bytes:
        """The bytes of it."""
        ...

    def clear(self) -> None:
        """Forget them."""
        ...


def broken_off(side: Side, parser: Parser, shown_bytes: int | None = None) -> list[Frame]:
    """What a parser has of a frame that nobody finished, as junk: of bytes that may be secret the
    first ``shown_bytes``."""
    raw = parser.unfinished
    parser.clear()
    return unread(side, raw, "unfinished", shown_bytes)


def unread(side: Side, raw: bytes, why: str, shown_bytes: int | None = None) -> list[Frame]:
    """Bytes that are no frame, as junk."""
    if not raw:
        return []
    secrets = () if shown_bytes is None else ((shown_bytes, len(raw)),)
    return [Frame(side, raw, JUNK, {"why": why}, is_valid=False, secrets=secrets)]


def masked_numbers(text: str) -> str:
    """Words with every long number (pay codes, card numbers) hidden but for its ends."""
    return _LONG_DIGITS.sub(lambda found: ends_only(found.group()), text)


def ends_only(word: str) -> str:
    """A word that may pay, hidden but for its ends; a short one as it is."""
    hidden = len(word) - _NUMBER_KEPT_FIRST - _NUMBER_KEPT_LAST
    if hidden < _HIDDEN_MIN:
        return word
    return word[:_NUMBER_KEPT_FIRST] + "*" * hidden + word[-_NUMBER_KEPT_LAST:]
