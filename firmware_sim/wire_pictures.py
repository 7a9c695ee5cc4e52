"""Which frames of a line are one picture of a display, and which only say the last one again.

A host writes a display's whole picture again and again, because a display never says that it has
lost it. Rule 1: a picture goes from a frame that begins one (``Kind.begins``) to the next such
frame; frames that begin one and follow each other begin it together. Rule 2: a picture is a repeat
only if its frames are those of the device's last picture, byte by byte, with nothing done to the
device between them. Rule 3: one that does not end is bounded; what follows are frames alone.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from firmware_sim.limits import PICTURE_FRAMES_MAX, PICTURE_REPEATS_TOLD_MAX
from firmware_sim.recording.trace import Event, Said


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of the wire's log. ``size_bytes`` is the frame's, of which ``event`` may hold the
    first only; ``picture`` is the one that the frame is part of."""

    number: int
    event: Event
    size_bytes: int = 0
    picture: "Picture | None" = field(default=None, repr=False, compare=False)


def _told() -> deque[Entry]:
    return deque(maxlen=PICTURE_REPEATS_TOLD_MAX)


@dataclass(slots=True, eq=False)
class Picture:
    """One time that a picture was said. ``first`` is the time of which it is a repeat, ``before``
    the device's picture before it; ``count`` and ``repeats`` (their first frames, the newest) are
    told of a first time only."""

    entries: list[Entry] = field(default_factory=list)
    first: "Picture | None" = None
    before: "Picture | None" = None
    count: int = 1
    repeats: deque[Entry] = field(default_factory=_told)

    @property
    def shown(self) -> "Picture":
        """The time under which it is shown: the first."""
        return self.first or self

    @property
    def frames(self) -> list[tuple[str, str, bool]]:
        """Its bytes, frame by frame."""
        said = [entry.event for entry in self.entries]
        return [(one.name, one.hex, one.valid) for one in said if isinstance(one, Said)]


class Pictures:
    """Those of one board, as its log grows; ``begins`` names by device what begins a picture."""

    def __init__(self, begins: Mapping[str, frozenset[str]]) -> None:
        self._begins = begins
        self._now: dict[str, Picture] = {}

    def of(self, event: Event) -> Picture | None:
        """The picture that the event is part of; call ``add`` with its entry then."""
        begins = self._begins.get(event.device, frozenset())
        if not isinstance(event, Said):
            self._now.pop(event.device, None)
            return None
        now = self._now.get(event.device)
        if event.name in begins and (now is None or _has_content(now, begins)):
            if now is not None:
                now.before = None
                if now.first is not None and now.frames != now.first.frames:
                    now.first = None  # it was cut off
            now = self._now[event.device] = Picture(before=now)
        if now is not None and len(now.entries) >= PICTURE_FRAMES_MAX:
            del self._now[event.device]
            return None
        return now

    def add(self, picture: Picture, entry: Entry) -> None:
        """One more frame of it. It stands with the first time as long as it is like that."""
        picture.entries.append(entry)
        before = picture.before
        if before is None:
            return
        shown, was = before.shown, picture.first
        frames = picture.frames
        picture.first = shown if shown.frames[: len(frames)] == frames else None
        if picture.first and frames == shown.frames:
            shown.count += 1
            shown.repeats.append(picture.entries[0])
        elif was and picture.first is None and len(frames) == len(shown.frames) + 1:
            shown.count -= 1  # it had been whole, and goes on
            shown.repeats.pop()


def _has_content(picture: Picture, begins: frozenset[str]) -> bool:
    return any(name not in begins for name, _, _ in picture.frames)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the timeline: an event alone, or a picture with all times that it was said."""

    entry: Entry
    picture: Picture | None = None

    @property
    def entries(self) -> list[Entry]:
        """The frames that it tells."""
        return self.picture.entries if self.picture else [self.entry]


def rows_of(entries: Iterable[Entry]) -> list[Row]:
    """The lines that the entries are on, or have changed, in order of their first frames."""
    rows: dict[int, Row] = {}
    for entry in entries:
        picture = entry.picture
        for one in (picture.before, picture) if picture else ():
            if one is not None:
                first = one.shown.entries[0]
                rows[first.number] = Row(first, one.shown)
        if picture is None:
            rows[entry.number] = Row(entry)
    return [rows[number] for number in sorted(rows)]
