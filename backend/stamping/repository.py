"""Reading stamps and what has none. Only this file of the room sees SQL."""

from sqlalchemy import select

from backend.clearing.evening_tables import ReserveTestRow as _ReserveTestRow
from backend.db.reading import Reader
from backend.db.tables import Row
from backend.ledger.derived_repository import DerivedRepository
from backend.stamping.limits import STAMPS_LISTED_MAX
from backend.stamping.model import Subject, checkpoint_subject
from backend.stamping.tables import TimeStamp

_TEST = _ReserveTestRow.__table__  # type: ignore[attr-defined]
_STAMP = TimeStamp.__table__  # type: ignore[attr-defined]


class StampRepository:
    """Committed stamps. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def stamp(self, subject: str) -> Row | None:
        """A subject's stamp."""
        return self._reader.one(select(_STAMP).where(_STAMP.c.subject == subject))

    def stamps(self) -> list[Row]:
        """The newest stamps, newest first."""
        newest = select(_STAMP).order_by(_STAMP.c.kept_at_ms.desc(), _STAMP.c.subject)
        return self._reader.rows(newest.limit(STAMPS_LISTED_MAX))

    def unstamped_checkpoints(self) -> list[Subject]:
        """The newest checkpoint of each chain, where it has no stamp: it contains all before it."""
        with self._reader.snapshot() as connection:
            derived = DerivedRepository(connection)
            rows = [derived.last_checkpoint(chain) for chain in derived.followers()]
        subjects = [
            checkpoint_subject(row["chain"], row["size"], row["note"])
            for row in rows
            if row is not None
        ]
        return [subject for subject in subjects if self.stamp(subject.name) is None]

    def checkpoint(self, subject: str) -> Subject | None:
        """What a stamp's subject says now; None if it is gone."""
        match subject.split("/"):
            case ["ledger", chain, size] if size.isascii() and size.isdigit():
                with self._reader.snapshot() as connection:
                    row = DerivedRepository(connection).checkpoint(chain, int(size))
                return None if row is None else checkpoint_subject(chain, int(size), row["note"])
        return None

    def reserve_tests(self) -> list[tuple[Subject, bytes]]:
        """The newest tests of the reserve that were stamped, each with its token."""
        columns = (_TEST.c.business_date, _TEST.c.number, _TEST.c.note, _TEST.c.stamp)
        newest = select(*columns).where(_TEST.c.stamp != b"")
        rows = self._reader.rows(
            newest.order_by(_TEST.c.business_date.desc(), _TEST.c.number.desc()).limit(
                STAMPS_LISTED_MAX
            )
        )
        return [
            (
                Subject(f"reserve/{row['business_date']}/{row['number']}", row["note"].encode()),
                row["stamp"],
            )
            for row in rows
        ]
