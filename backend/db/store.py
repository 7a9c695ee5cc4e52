"""What the writer asks of a database, in sets. One adapter per database; the same tests on both."""

from collections.abc import Sequence
from typing import Literal, Protocol

from backend.db.tables import Key, TableRef, Values

Kind = Literal["conflict", "collision", "refused", "full", "failed"]


class StoreError(Exception):
    """The database refused or failed.

    ``conflict``: somebody was in the way (deadlock, a lock not to be had in time): try again.
    ``collision``: a key exists already or a CHECK does not hold. With several writers the next try
    reads the other's rows and decides rightly; if it collides again, one command is at fault.
    ``refused``: a value that the database cannot take: one command is at fault.
    ``full``: the disk has no room; nothing of it is kept.
    ``failed``: anything else (connection lost). While committing, the outcome is then
    unknown, and the callers' next try with the same id finds out.
    """

    def __init__(self, kind: Kind, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind: Kind = kind
        self.detail = detail


class Store(Protocol):
    """One database connection, used by one thread at a time. Every method may raise StoreError."""

    has_rivals: bool
    """Whether another writer may commit between our read and our write."""

    def begin(self) -> None:
        """Start the group's transaction."""
        ...

    def has_news(self) -> bool:
        """Whether somebody else may have written since this store's last commit, or may before
        its next. Asked after ``begin``; if not, what was read and written last is still so."""
        ...

    def fetch(self, table: TableRef, keys: Sequence[Key]) -> list[Values]:
        """The rows with these keys, columns in table order; locked where the table says so."""
        ...

    def start_fetch(self, table: TableRef, keys: Sequence[Key]) -> None:
        """Begin to fetch rows, if the database can do so while we do something else. ``fetch`` with
        the same keys must be called next, in the order of the starts."""
        ...

    def insert(self, table: TableRef, rows: Sequence[Values], suffix: Values = ()) -> None:
        """Append rows, columns in table order; the last columns, alike in all rows, may be given
        once."""
        ...

    def update(self, table: TableRef, rows: Sequence[Values]) -> None:
        """Replace the rows with the same keys, columns in table order."""
        ...

    def add(self, table: TableRef, rows: Sequence[Values]) -> None:
        """Add to the additive columns: each row is the key, then one difference per column."""
        ...

    def start_commit(self) -> None:
        """Begin to make the group durable, if the database can do so while we do something else.
        Never raises: ``commit`` must still be called, and tells how it went."""
        ...

    def commit(self) -> None:
        """Make the group durable. Changes may have been sent without waiting: then this raises what
        became of them."""
        ...

    def rollback(self) -> None:
        """Forget the group. Does not raise: a connection that cannot roll back is replaced."""
        ...

    def twin(self) -> "Store | None":
        """A store on another connection, for the group after; None where only one may write."""
        ...

    def close(self) -> None:
        """Give the connection back."""
        ...
