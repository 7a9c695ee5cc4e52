"""Reading the console's people outside commands. Only repositories see SQL."""

from sqlalchemy import select

from backend.console.tables import ConsoleSession, ConsoleUser
from backend.db.reading import Reader
from backend.db.tables import Row

_user = ConsoleUser.__table__  # type: ignore[attr-defined]
_session = ConsoleSession.__table__  # type: ignore[attr-defined]
_SHOWN = ("name", "role", "merchant_id", "is_closed", "locked_until_ms", "created_at_ms")


class PeopleRepository:
    """Committed people and sessions. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def everybody(self) -> list[Row]:
        """All people by name, without what proves them."""
        return self._reader.rows(select(*(_user.c[name] for name in _SHOWN)).order_by(_user.c.name))

    def session(self, token_hash: bytes) -> Row | None:
        """A session that was not ended, with its person, who was not closed."""
        query = (
            select(
                _session.c.began_at_ms, _session.c.seen_at_ms,
                _user.c.name, _user.c.role, _user.c.merchant_id,
            )
            .join(_user, _user.c.name == _session.c.name)
            .where(
                _session.c.token_hash == token_hash,
                _session.c.is_ended == 0,
                _user.c.is_closed == 0,
            )
        )  # fmt: skip
        return self._reader.one(query)
