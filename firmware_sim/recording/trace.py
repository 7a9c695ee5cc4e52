"""The trace: one JSON line for the head, then one for each frame or deed, in order of time.

Rule 1: bytes that must not be kept are ``**`` in ``hex``; words of deeds that are long numbers or
pictures are masked or named by their hash.
Rule 2: a line that cannot be read is refused with its number: half a trace is no evidence.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from firmware_sim.field_places import Places, places_of
from firmware_sim.form_words import first_of
from firmware_sim.frames import DAMAGED, Frame, Side, masked_numbers
from firmware_sim.limits import (
    BOARD_DEVICES_MAX,
    TRACE_FRAME_BYTES_MAX,
    TRACE_LINE_CHARS_MAX,
    TRACE_LINES_MAX,
)
from protocol.errors import CallerError

MASK = "**"
_HEX = r"^(?:[0-9a-f]{2}|\*\*)*$"


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Head(_Line):
    """The first line: which board, which kinds of devices, which seed."""

    tillway_trace: Literal[1]
    board: Annotated[str, Field(max_length=64)]
    seed: int
    devices: Annotated[dict[str, str], Field(max_length=BOARD_DEVICES_MAX)]


class Said(_Line):
    """A frame. ``hex`` is what went over the line, masked."""

    t_ms: Annotated[int, Field(ge=0)]
    device: str
    side: Side
    name: str
    fields: dict[str, str | int]
    valid: bool
    hex: Annotated[str, Field(pattern=_HEX, max_length=2 * TRACE_FRAME_BYTES_MAX)]
    places: Annotated[Places, Field(default_factory=dict, exclude=True, repr=False)]
    """Of fields in the bytes; for those who look at it live, not in the file."""

    def data(self) -> bytes:
        """The bytes; masked ones are the digit 0."""
        return bytes.fromhex(self.hex.replace(MASK, f"{ord('0'):02x}"))

    def describe(self, damaged: str = DAMAGED) -> str:
        """The frame in one line; ``damaged`` are the words for one that is."""
        arrow = "->" if self.side is Side.HOST else "<-"
        said = " ".join(f"{name}={value}" for name, value in self.fields.items())
        broken = "" if self.valid else damaged
        when = f"{self.t_ms / 1000:10.3f} s  {self.device:12} {arrow} "
        return f"{when}{self.name}{broken} {said}".rstrip() + f"  [{self.hex}]"


class Done(_Line):
    """What a person, a fault or the power did to a device."""

    t_ms: Annotated[int, Field(ge=0)]
    device: str
    deed: str
    words: dict[str, JsonValue]

    def describe(self) -> str:
        """The deed in one line."""
        words = " ".join(f"{name}={value}" for name, value in self.words.items())
        return f"{self.t_ms / 1000:10.3f} s  {self.device:12} ** {self.deed} {words}".rstrip()


Event = Said | Done
Form = TypeVar("Form", Head, Said, Done)


@dataclass(frozen=True, slots=True)
class Trace:
    """A whole trace."""

    head: Head
    events: tuple[Event, ...] = field(default_factory=tuple)

    def said(self, device: str) -> tuple[Said, ...]:
        """The frames of one device's line."""
        return tuple(
            event for event in self.events if isinstance(event, Said) and event.device == device
        )

    def only(self, device: str | None) -> Self:
        """The trace of one device, or the whole; raises ``CallerError`` that names those there
        are."""
        if device is None:
            return self
        if device not in self.head.devices:
            there = ", ".join(self.head.devices)
            raise CallerError(
                "field_invalid",
                f"the trace has no device {device!r}; it has {there}",
                detail_zh=f"记录里没有器件 {device!r}，有：{there}",
            )
        return replace(self, events=tuple(one for one in self.events if one.device == device))


def said(frame: Frame, device: str, t_ms: int) -> Said:
    """A frame as it is kept."""
    return Said(
        t_ms=t_ms, device=device, side=frame.side, name=frame.name, fields=frame.fields,
        valid=frame.is_valid, hex=frame.hex(), places=places_of(frame),
    )  # fmt: skip


def done(device: str, deed: str, words: dict[str, JsonValue], t_ms: int) -> Done:
    """A deed as it is kept."""
    kept = {name: _kept_word(name, value) for name, value in words.items()}
    return Done(t_ms=t_ms, device=device, deed=deed, words=kept)


def write_line(line: Head | Event) -> str:
    """One line of the file, with its end."""
    return json.dumps(line.model_dump(mode="json"), ensure_ascii=False) + "\n"


def read_trace(lines: Iterable[str], name: str = "trace") -> Trace:
    """Read a trace; raises ``CallerError("trace_invalid")`` with the line's number."""
    numbered = _bounded(lines, name)
    number, first = next(numbered, (1, ""))
    head = _read(Head, first, name, number)
    events = tuple(_event(text, name, number) for number, text in numbered)
    return Trace(head, events)


def _bounded(lines: Iterable[str], name: str) -> Iterator[tuple[int, str]]:
    for number, text in enumerate(lines, start=1):
        if number > TRACE_LINES_MAX or len(text) > TRACE_LINE_CHARS_MAX:
            raise CallerError(
                "trace_invalid",
                f"{name}:{number}: the trace is too long",
                detail_zh=f"{name} 第 {number} 行：记录太长",
            )
        if text.strip():
            yield number, text


def _event(text: str, name: str, number: int) -> Event:
    """A deed has its own key; what was said may be the word itself."""
    try:
        row = json.loads(text)
    except (ValueError, RecursionError):
        row = None  # the form says what is wrong
    if isinstance(row, dict) and "deed" in row:
        return _read(Done, text, name, number)
    return _read(Said, text, name, number)


def _read(form: type[Form], text: str, name: str, number: int) -> Form:
    try:
        return form.model_validate_json(text)
    except ValidationError as error:
        why, why_zh = first_of(error)
        said_zh = f"{name} 第 {number} 行：{why_zh}"
        raise CallerError("trace_invalid", f"{name}:{number}: {why}", detail_zh=said_zh) from error


def _kept_word(name: str, value: JsonValue) -> JsonValue:
    if isinstance(value, str) and name == "png":
        return "sha256:" + hashlib.sha256(value.encode()).hexdigest()
    if isinstance(value, str):
        return masked_numbers(value)
    if isinstance(value, int) and not isinstance(value, bool):
        masked = masked_numbers(str(value))
        return value if masked == str(value) else masked
    return value
