"""What was said and done in the steps of a case: bytes and fields, for whoever made the device.

Rule 1: however much was said, a report has bounds, and says what it leaves out.
Rule 2: what must not be kept is masked already.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from faces.words import Words
from firmware_sim.frames import Frame
from firmware_sim.limits import REPORT_FIELD_CHARS_MAX, REPORT_FRAME_BYTES_MAX
from firmware_sim.recording.trace import Done, Event, Said
from firmware_sim.words.telling import deed_rows

PEOPLE = "people"


@dataclass(frozen=True, slots=True)
class Row:
    """One frame with its ``fields``, or one deed of ``PEOPLE``, which is ``told``. ``octets``
    are pairs of digits, at most ``REPORT_FRAME_BYTES_MAX``, of so many ``bytes_said``."""

    side: str
    name: str
    fields: tuple[tuple[str, str], ...]
    octets: str = ""
    bytes_said: int = 0
    is_valid: bool = True
    device: str = ""
    at_ms: int | None = None
    told: tuple[tuple[Words, Words], ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen while one step was taken; ``left_out`` rows are missing before the place
    ``gap``. A step without a title is the whole case."""

    rows: tuple[Row, ...]
    left_out: int = 0
    gap: int = 0
    title: str = ""
    title_zh: str = ""


def row_of(frame: Frame) -> Row:
    """A frame of a check."""
    hexadecimal, fields = frame.hex(), _fields(frame.fields)
    return Row(frame.side, frame.name, fields, _octets(hexadecimal), len(frame.raw), frame.is_valid)


def row_at(event: Event) -> Row:
    """A frame or a deed of a scenario."""
    if isinstance(event, Done):
        told = tuple(deed_rows(event))
        return Row(PEOPLE, event.deed, (), device=event.device, at_ms=event.t_ms, told=told)
    return _said(event)


def _said(event: Said) -> Row:
    return Row(
        event.side, event.name, _fields(event.fields), _octets(event.hex), len(event.hex) // 2,
        event.valid, event.device, event.t_ms,
    )  # fmt: skip


def _octets(hexadecimal: str) -> str:
    shown = hexadecimal[: 2 * REPORT_FRAME_BYTES_MAX]
    return " ".join(shown[at : at + 2] for at in range(0, len(shown), 2))


def _fields(fields: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    return tuple((name, _short(str(value))) for name, value in fields.items())


def _short(word: str) -> str:
    is_long = len(word) > REPORT_FIELD_CHARS_MAX
    return f"{word[:REPORT_FIELD_CHARS_MAX]}…" if is_long else word
