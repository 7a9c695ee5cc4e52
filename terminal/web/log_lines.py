"""The log's last lines for people: when, what, and the keys of each event."""

import json
from dataclasses import dataclass
from datetime import datetime

from terminal import logs
from terminal.limits import LOG_LINES_SHOWN
from terminal.zone import SHOP_ZONE

_HEAD = ("at", "level", "event")
_TONES = {"warning": "warn", "error": "error", "critical": "error"}


@dataclass(frozen=True, slots=True)
class LogLine:
    """One event."""

    time: str
    event: str
    tone: str
    details: str


def log_lines() -> list[LogLine]:
    """The newest first, as many as are shown; numbers that could be a card's are hidden."""
    return [_line(text) for text in list(logs.kept())[: -LOG_LINES_SHOWN - 1 : -1]]


def _line(text: str) -> LogLine:
    told = json.loads(text)
    at = datetime.fromisoformat(told["at"]).astimezone(SHOP_ZONE)
    rest = {name: value for name, value in told.items() if name not in _HEAD and value is not None}
    return LogLine(
        time=at.strftime("%m-%d %H:%M:%S"),
        event=told["event"],
        tone=_TONES.get(told["level"], ""),
        details="  ".join(f"{name}={value}" for name, value in rest.items()),
    )
