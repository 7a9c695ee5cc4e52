"""Two ledgers for the business: one in a database, and one in memory with the same ``post``."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.ledger import service
from backend.ledger.model import Transfer
from backend.ledger.repository import LedgerRepository
from backend.ledger.tables import ACCOUNT
from tests.support.books import Books, open_books
from tests.support.migrated import migrated_sqlite


class Empty:
    """A store in which nothing has been written yet."""

    has_rivals = False

    def fetch(self, _table: Any, _keys: Any) -> list[Any]:
        return []


class PaperLedger:
    """The ledger's own posting on a working set that is never written. Can go back to a mark."""

    def __init__(self) -> None:
        self._ws = WorkingSet(Empty())  # type: ignore[arg-type]

    def post(self, transfers: Sequence[Transfer], now_ms: int) -> None:
        assert service.post(self._ws, transfers, now_ms), "it was posted before"

    def accounts(self) -> list[Row]:
        return self._ws.inserted(ACCOUNT)

    def mark(self) -> int:
        return self._ws.mark()

    def undo(self, mark: int) -> None:
        self._ws.undo(mark)


class StoredLedger:
    """The ledger in a database, one group per event."""

    def __init__(self, books: Books, reader: Reader) -> None:
        self.books = books
        self._reader = reader

    def post(self, transfers: Sequence[Transfer], now_ms: int) -> None:
        self.books.clock.ms = now_ms
        assert self.books.post(transfers), "it was posted before"

    def accounts(self) -> list[Row]:
        with self._reader.snapshot() as connection:
            return list(LedgerRepository(connection).accounts())


@contextmanager
def stored_ledger(path: Path) -> Iterator[StoredLedger]:
    """A fresh ledger in a file."""
    url = migrated_sqlite(path)
    with open_books(url) as books, Reader.opened(url) as reader:
        yield StoredLedger(books, reader)
