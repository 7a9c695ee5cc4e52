"""Reading the kill switches outside commands. Only repositories see SQL."""

from sqlalchemy import select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.switches.limits import SWITCHES_SHOWN_MAX
from backend.switches.tables import KillSwitch

_switch = KillSwitch.__table__  # type: ignore[attr-defined]


class SwitchRepository:
    """Committed switches. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def all(self) -> list[Row]:
        """Every switch that was ever used: those that stop something first, then the latest."""
        query = select(_switch).order_by(
            _switch.c.is_stopped.desc(), _switch.c.changed_at_ms.desc(), _switch.c.subject
        )
        return self._reader.rows(query.limit(SWITCHES_SHOWN_MAX))
