"""An institution's own clock: the machine's, put forward by its owner, and China's calendar."""

from datetime import UTC, date, datetime

from backend.sandbox.institution.books import Books
from backend.sandbox.institution.limits import CLOCK_ADVANCE_MS_MAX
from protocol.clock import CHINA, Clock
from protocol.errors import CallerError


class OwnClock:
    """A clock that only goes forward. It keeps in the books how far it was put forward."""

    def __init__(self, clock: Clock, books: Books) -> None:
        self._clock = clock
        self._db = books.db
        row = self._db.execute("SELECT offset_ms FROM clock").fetchone()
        self._offset_ms = 0 if row is None else int(row[0])

    def now_ms(self) -> int:
        """The institution's time."""
        return self._clock.now_ms() + self._offset_ms

    def advance(self, advance_ms: int) -> None:
        """Put the clock forward."""
        if not 0 <= advance_ms <= CLOCK_ADVANCE_MS_MAX:
            raise CallerError("field_invalid", "advance_ms")
        self._offset_ms += advance_ms
        self._db.execute(
            "INSERT INTO clock VALUES (1, ?) ON CONFLICT DO UPDATE SET offset_ms = ?",
            (self._offset_ms, self._offset_ms),
        )

    def today(self) -> date:
        """The calendar's day in China."""
        return china_day(self.now_ms())


def china_time(at_ms: int) -> datetime:
    """A moment on China's clocks, to the second."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(CHINA)


def china_day(at_ms: int) -> date:
    """The calendar's day in China at a moment."""
    return china_time(at_ms).date()
