"""The rows that one group of commands works on, and what the group changed.

Rule 1: a row handed out is a value. Change it with ``update`` or ``add``, never in place: undo and
        the flush both rely on the old dictionary staying as it was. (``sums`` are changed in
        place, in copies that nobody has been handed.)
Rule 2: nothing here commits. A refused command is undone to its mark; the group's flush writes the
        rest in sets.
Rule 3: a row is in the set at most once; two commands of a group see each other's changes in order.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from operator import sub
from typing import Any

from backend.db.store import Store
from backend.db.tables import Key, Row, TableRef, Values

Kept = dict[TableRef, dict[Key, Any]]
"""Rows that outlive a group, by table: what a set finds there it does not read, and it leaves there
what it has read and changed. Whoever holds them forgets them when they may not be so any more."""


class _Rows:
    """One table's part of the set: present rows, known absences (None), and how they came to be."""

    __slots__ = (
        "batches", "indexed", "inserted", "originals", "owned", "ref", "rows", "store", "suffix",
    )  # fmt: skip

    def __init__(self, ref: TableRef, store: Store, rows: dict[Key, Any]) -> None:
        self.ref = ref
        self.store = store
        self.rows = rows
        self.originals: dict[Key, Row] = {}
        self.inserted: dict[Key, Values | None] = {}
        """With the values to write; None if the row was changed since."""
        self.owned = _Owned(self) if ref.additive else _NOTHING
        self.batches: list[Sequence[Values]] = []
        self.indexed = 0
        """How many of the batches are among the rows already."""
        self.suffix: Values = ()

    def index(self) -> None:
        """Put the rows of the last batches among the others, when somebody looks for one."""
        rows = self.rows
        for batch in self.batches[self.indexed :]:
            for row in batch:
                rows[row[0]] = row
        self.indexed = len(self.batches)


class _Owned(dict[Key, Row]):
    """Rows that may be changed in place: copies, made when first asked for, that nobody was handed.

    A row that does not exist is None, and is asked for again.
    """

    __slots__ = ("_inserted", "_originals", "_ref", "_rows", "_store")

    def __init__(self, part: _Rows) -> None:
        super().__init__()
        self._ref, self._store = part.ref, part.store
        self._rows, self._originals, self._inserted = part.rows, part.originals, part.inserted

    def __missing__(self, key: Key) -> Row | None:
        if key not in self._rows:
            _load(self._store, self._ref, self._rows, [key])
        old = self._rows[key]
        if old is None:
            return None
        self._originals.setdefault(key, old)
        if key in self._inserted:
            self._inserted[key] = None
        row: Row = old.copy()
        self._rows[key] = self[key] = row
        return row


class _Tables(dict[TableRef, _Rows]):
    """A part for each table that is asked for."""

    __slots__ = ("_kept", "_store")

    def __init__(self, store: Store, kept: Kept) -> None:
        super().__init__()
        self._store, self._kept = store, kept

    def __missing__(self, ref: TableRef) -> _Rows:
        rows = self._kept.setdefault(ref, {}) if ref.kept else {}
        part = self[ref] = _Rows(ref, self._store, rows)
        return part


_NOTHING: dict[Key, Row] = {}
_REPLACED, _INSERTED, _APPENDED, _SUMMED = range(4)
_Undo = tuple[Any, Any, Any, int]
_UNREAD: Row = {}


class WorkingSet:
    """Identity map by primary key over one transaction of one store."""

    __slots__ = ("_asked", "_journal", "_store", "_tables")

    def __init__(self, store: Store, kept: Kept | None = None) -> None:
        self._store = store
        self._tables = _Tables(store, {} if kept is None else kept)
        self._journal: list[_Undo] = []
        self._asked: list[tuple[_Rows, list[Key]]] = []

    def prefetch(self, reads: Iterable[tuple[TableRef, Key]]) -> int:
        """Load the named rows that are not in the set yet; returns how many keys were new."""
        asked = self.ask(reads)
        self.receive()
        return asked

    def ask(self, reads: Iterable[tuple[TableRef, Key]]) -> int:
        """The first half of ``prefetch``, which does not wait: nothing else is done with the set
        before the second, ``receive``. Tables and keys go in order (see ``flush``)."""
        wanted: dict[TableRef, dict[Key, None]] = {}
        for ref, key in reads:
            try:
                wanted[ref][key] = None
            except KeyError:
                wanted[ref] = {key: None}
        asked = 0
        for ref in sorted(wanted, key=_name):
            part = self._tables[ref]
            known = part.rows
            missing = [key for key in wanted[ref] if key not in known]
            if missing:
                if ref.lock:
                    missing.sort()
                self._store.start_fetch(ref, missing)
                self._asked.append((part, missing))
                asked += len(missing)
        return asked

    def receive(self) -> None:
        """Wait for the rows that were asked for."""
        asked, self._asked = self._asked, []
        for part, keys in asked:
            _load(self._store, part.ref, part.rows, keys)

    def get(self, ref: TableRef, key: Key) -> Row | None:
        """The row with this key, or None. Loads it alone if nobody named it before."""
        part = self._tables[ref]
        if key not in part.rows:
            _load(self._store, ref, part.rows, [key])
        row: Row | None = part.rows[key]
        part.owned.pop(key, None)
        return row

    def loaded(self, ref: TableRef, key: Key) -> Any:  # noqa: ANN401  # a row or its tuple
        """The row if it is in the set by now, without a look-up. For ``follow``."""
        part = self._tables[ref]
        part.owned.pop(key, None)
        return part.rows.get(key)

    def insert(self, ref: TableRef, row: Row) -> None:
        """Add a new row, which is the set's from now on (rule 1); columns left out take their
        default or NULL.

        Inserting a key that the set knows to exist is a bug. A key that nobody read may exist in
        the database: then the flush collides, and only the command at fault fails.
        """
        full = row if len(row) == ref.width else {**ref.defaults, **row}
        try:
            values = ref.values_of(full)
        except KeyError:
            values = ()
        if len(values) != len(full):
            raise AssertionError(
                f"{ref.name}: wrong columns {sorted(full.keys() ^ set(ref.columns))}"
            )
        key: Key = ref.key_of(full)
        part = self._tables[ref]
        rows = part.rows
        known = rows.get(key, _UNREAD)
        assert known is None or known is _UNREAD, f"{ref.name}: {key!r} exists"
        self._journal.append((part, key, known, _INSERTED))
        rows[key] = full
        part.inserted[key] = values

    def update(self, ref: TableRef, key: Key, /, **changes: Any) -> Row:  # noqa: ANN401
        """Change columns of a row that exists; returns the new row."""
        old = self.get(ref, key)
        assert old is not None, f"{ref.name}: {key!r} does not exist"
        new = {**old, **changes}
        assert len(new) == len(old), f"{ref.name}: unknown column in {sorted(changes)}"
        assert not ref.additive or changes.keys() <= set(ref.additive), f"{ref.name}: sums only"
        self._replace(self._tables[ref], key, old, new)
        return new

    def add(self, ref: TableRef, key: Key, /, **amounts: int) -> Row:
        """Add to columns of a row that exists; returns the new row."""
        old = self.get(ref, key)
        assert old is not None, f"{ref.name}: {key!r} does not exist"
        new = dict(old)
        for column, amount in amounts.items():
            new[column] += amount
        self._replace(self._tables[ref], key, old, new)
        return new

    def sums(self, ref: TableRef) -> Mapping[Key, Row | None]:
        """The rows of an additive table as they stand, to be added to in place, by whoever gives
        ``on_undo`` the way back. To look at and not to keep: they go with the next sum.

        The fast form of ``get`` and ``add`` for what every payment touches.
        """
        assert ref.additive
        return self._tables[ref].owned

    def on_undo(self, undo: Callable[[], None]) -> None:
        """What takes back the sums that have just been added. It must not hold the set itself: a
        group's rows go with their last name, and do not wait for the garbage collector."""
        self._journal.append((undo, None, None, _SUMMED))

    def append(self, ref: TableRef, rows: Sequence[Values]) -> None:
        """Add rows to an append-only table as tuples in column order, kept together as one batch.

        The columns that ``complete`` gives at the end of the group are left out. Read such a table
        with ``find`` only.
        """
        assert ref.append_only
        part = self._tables[ref]
        part.batches.append(rows)
        self._journal.append((part, None, None, _APPENDED))

    def find(self, ref: TableRef, key: Key) -> Values | None:
        """The row of an append-only table as a tuple, or None. A row of this group may lack the
        columns that ``complete`` will give."""
        assert ref.append_only
        part = self._tables[ref]
        if part.indexed < len(part.batches):
            part.index()
        if key not in part.rows:
            _load(self._store, ref, part.rows, [key])
        found: Values | None = part.rows[key]
        return found

    def inserted(self, ref: TableRef) -> list[Row]:
        """The rows this group inserted into a table, in order. For observers."""
        part = self._tables.get(ref)
        if part is None:
            return []
        return [row for key in part.inserted if (row := part.rows[key]) is not None]

    def has_changed(self, ref: TableRef) -> bool:
        """Whether this group inserted into a table or changed a row of it. For observers."""
        part = self._tables.get(ref)
        return part is not None and bool(part.inserted or part.originals)

    def batches(self, ref: TableRef) -> list[Sequence[Values]]:
        """What this group appended to a table, batch by batch. For seals."""
        return self._tables[ref].batches

    def complete(self, ref: TableRef, suffix: Values) -> None:
        """The last columns of every appended row. For seals."""
        self._tables[ref].suffix = suffix

    def mark(self) -> int:
        """A point to undo to."""
        return len(self._journal)

    def undo(self, mark: int) -> None:
        """Forget every change since the mark."""
        journal = self._journal
        while len(journal) > mark:
            part, key, old, change = journal.pop()
            if change == _SUMMED:
                part()
                continue
            if change == _APPENDED:
                part.index()
                for row in part.batches.pop():
                    del part.rows[row[0]]
                part.indexed -= 1
                continue
            part.owned.pop(key, None)
            if change == _INSERTED:
                del part.inserted[key]
                part.originals.pop(key, None)
            if old is _UNREAD:
                del part.rows[key]
            else:
                part.rows[key] = old

    def flush(self) -> int:
        """Write all changes; returns the number of rows written. Tables and keys go in order, so
        that two writers never wait for each other in a ring."""
        written = 0
        for ref in sorted(self._tables, key=_name):
            part = self._tables[ref]
            if part.batches:
                written += self._flush_appended(part)
            if part.inserted:
                written += self._flush_inserted(part)
            if part.originals:
                written += self._flush_changed(part)
        return written

    def _flush_appended(self, part: _Rows) -> int:
        rows = list(chain.from_iterable(part.batches))
        self._store.insert(part.ref, rows, part.suffix)
        return len(rows)

    def _flush_inserted(self, part: _Rows) -> int:
        rows, values_of = part.rows, part.ref.values_of
        new = [values or values_of(rows[key]) for key, values in part.inserted.items()]
        self._store.insert(part.ref, new)
        return len(new)

    def _flush_changed(self, part: _Rows) -> int:
        ref, rows, originals, inserted = part.ref, part.rows, part.originals, part.inserted
        changed = sorted(
            key for key, old in originals.items() if key not in inserted and rows[key] is not old
        )
        if not changed:
            return 0
        if not ref.additive:
            self._store.update(ref, [ref.values_of(rows[key]) for key in changed])
            return len(changed)
        amounts, key_values = ref.amounts_of, ref.key_values_of
        self._store.add(
            ref,
            [
                key_values(rows[key]) + tuple(map(sub, amounts(rows[key]), amounts(originals[key])))
                for key in changed
            ],
        )
        return len(changed)

    def _replace(self, part: _Rows, key: Key, old: Row, new: Row) -> None:
        self._journal.append((part, key, old, _REPLACED))
        part.originals.setdefault(key, old)
        part.rows[key] = new
        if key in part.inserted:
            part.inserted[key] = None


def _load(store: Store, ref: TableRef, rows: dict[Key, Any], keys: list[Key]) -> None:
    columns, key_of = ref.columns, ref.key_of
    rows.update(dict.fromkeys(keys))
    found = store.fetch(ref, keys)
    if ref.append_only:
        rows.update([(values[0], values) for values in found])
        return
    for values in found:
        row = dict(zip(columns, values, strict=True))
        rows[key_of(row)] = row


def _name(ref: TableRef) -> str:
    return ref.name
