"""Reading the lists. Only this file of the room sees SQL."""

from sqlalchemy import or_, select, tuple_

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.risk.lists.limits import ENTRIES_PER_PAGE_MAX, EVENTS_PER_ENTRY_SHOWN_MAX
from backend.risk.lists.model import ListKind, ListName, list_key
from backend.risk.lists.tables import RiskListEntry, RiskListEvent

_entry = RiskListEntry.__table__  # type: ignore[attr-defined]
_event = RiskListEvent.__table__  # type: ignore[attr-defined]


class ListRepository:
    """Committed entries. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def entries(
        self, list_name: ListName, *, now_ms: int, after: tuple[str, str] = ("", "")
    ) -> list[Row]:
        """The next page of the entries of a list that count, behind a kind and value."""
        order = (_entry.c.kind, _entry.c.value)
        query = select(_entry).where(
            _entry.c.list_name == list_name.value,
            or_(_entry.c.until_ms == 0, _entry.c.until_ms > now_ms),
            tuple_(*order) > tuple_(*after),
        )
        return self._reader.rows(query.order_by(*order).limit(ENTRIES_PER_PAGE_MAX))

    def entry(self, kind: ListKind, value: str) -> Row | None:
        """Where a value stands, also when it was taken off; None: it was on no list ever."""
        kept = list_key(kind, value)
        return self._reader.one(
            select(_entry).where(_entry.c.kind == kept[0], _entry.c.value == kept[1])
        )

    def events(self, kind: ListKind, value: str) -> list[Row]:
        """What happened to a value, the latest first."""
        kept = list_key(kind, value)
        query = select(_event).where(_event.c.kind == kept[0], _event.c.value == kept[1])
        return self._reader.rows(
            query.order_by(_event.c.number.desc()).limit(EVENTS_PER_ENTRY_SHOWN_MAX)
        )
