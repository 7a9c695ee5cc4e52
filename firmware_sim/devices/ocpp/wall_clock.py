"""The charger's wall clock: the device's time, set right by the central system.

Rule 1: times on the wire are UTC with milliseconds and a ``Z`` (RFC 3339). Rule 2: a time that
cannot be read or lies outside the calendar is refused as ``None``; it never moves the clock.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from protocol.errors import CallerError


@dataclass(slots=True)
class WallClock:
    """``started_at`` is what a clock with a battery shows when the device's time is 0."""

    started_at: datetime

    def at(self, now_ms: int) -> datetime:
        """The wall's time."""
        return self.started_at + timedelta(milliseconds=now_ms)

    def text(self, now_ms: int) -> str:
        """The wall's time as the wire has it."""
        return as_text(self.at(now_ms))

    def set_right(self, text: str, now_ms: int) -> None:
        """Take the central system's time; one that cannot be read is left alone."""
        told = as_moment(text)
        if told is not None and 2000 <= told.year < 2200:
            self.started_at = told - timedelta(milliseconds=now_ms)

    def jump(self, seconds: int) -> None:
        """Go wrong by so much, until the central system sets it right; ``field_invalid`` where no
        calendar goes."""
        jumped = self.started_at + timedelta(seconds=seconds)
        if not 2000 <= jumped.year < 2200:
            raise CallerError(
                "field_invalid", f"seconds: {jumped:%Y}", detail_zh=f"秒数太大：{jumped:%Y}"
            )
        self.started_at = jumped

    def to_full_interval_ms(self, interval_s: int, now_ms: int) -> int:
        """How long until the next full interval of the day, counted from midnight."""
        moment = self.at(now_ms)
        midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        past_ms = (moment - midnight) // timedelta(milliseconds=1)
        return interval_s * 1000 - past_ms % (interval_s * 1000)

    def now_ms_of(self, moment: datetime) -> int:
        """The device's time of a wall time; below 0 for times before the device's own."""
        return (moment - self.started_at) // timedelta(milliseconds=1)


def as_text(moment: datetime) -> str:
    """A moment as the wire has it: ``2026-01-01T00:00:00.000Z``."""
    return (
        moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
    )


def as_moment(text: str) -> datetime | None:
    """The moment in a text of the wire; without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
