"""The rows that one group of commands works on, and what the group changed.

Rule 1: a row handed out is a value. Change it with ``update`` or ``add``, never in place: undo and
        the flush both rely on the old dictionary staying as it was.
Rule 2: nothing here commits. A refused command is undone to its mark; the group's flush writes the
        rest in sets.
Rule 3: a row is in the set at most once; two commands of a group see each other's changes in order.
"""

from collections.abc import Iterable, Mapping, Sequence
from operator import sub
from typing import Any

from backend.db.limits import KEYS_PER_SELECT_MAX
from backend.db.store import Store
from backend.db.tables import Key, Row, TableRef, Values


class _Rows:
    """One table's part of the set: present rows, known absences (None), and how they came to be."""

    __slots__ = ("batches", "inserted", "originals", "ref", "rows", "suffix")

    def __init__(self, ref: TableRef) -> None:
        self.ref = ref
        self.rows: dict[Key, Any] = {}
        self.originals: dict[Key, Row] = {}
        self.inserted: dict[Key, None] = {}
        self.batches: list[Sequence[Values]] = []
        self.suffix: Values = ()


_REPLACED, _INSERTED, _APPENDED = range(3)
_Undo = tuple[_Rows, Any, Any, int]
_UNREAD: Row = {}


class WorkingSet:
    """Identity map by primary key over one transaction of one store."""

    __slots__ = ("_journal", "_store", "_tables")

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tables: dict[TableRef, _Rows] = {}
        self._journal: list[_Undo] = []

    def prefetch(self, reads: Iterable[tuple[TableRef, Key]]) -> int:
        """Load the named rows that are not in the set yet, one statement per table and chunk.

        Returns how many keys were new. Tables and keys go in order (see ``flush``).
        """
        wanted: dict[TableRef, dict[Key, None]] = {}
        for ref, key in reads:
            try:
                wanted[ref][key] = None
            except KeyError:
                wanted[ref] = {key: None}
        asked = 0
        for ref in sorted(wanted, key=_name):
            part = self._part(ref)
            known = part.rows
            missing = [key for key in wanted[ref] if key not in known]
            if missing:
                self._load(part, missing)
                asked += len(missing)
        return asked

    def get(self, ref: TableRef, key: Key) -> Row | None:
        """The row with this key, or None. Loads it alone if nobody named it before."""
        part = self._part(ref)
        if key not in part.rows:
            self._load(part, [key])
        row: Row | None = part.rows[key]
        return row

    def loaded(self, ref: TableRef, key: Key) -> Any:  # noqa: ANN401  # a row or its tuple
        """The row if it is in the set by now, without a look-up. For ``follow``."""
        return self._part(ref).rows.get(key)

    def insert(self, ref: TableRef, row: Row) -> None:
        """Add a new row, which is the set's from now on (rule 1); columns left out take their
        default or NULL.

        Inserting a key that the set knows to exist is a bug. A key that nobody read may exist in
        the database: then the flush collides, and only the command at fault fails.
        """
        full = row if len(row) == len(ref.columns) else {**ref.defaults, **row}
        if full.keys() != ref.column_set:
            raise AssertionError(
                f"{ref.name}: wrong columns {sorted(full.keys() ^ ref.column_set)}"
            )
        key: Key = ref.key_of(full)
        part = self._part(ref)
        known = part.rows.get(key, _UNREAD)
        assert known is None or known is _UNREAD, f"{ref.name}: {key!r} exists"
        self._journal.append((part, key, known, _INSERTED))
        part.rows[key] = full
        part.inserted[key] = None

    def update(self, ref: TableRef, key: Key, /, **changes: Any) -> Row:  # noqa: ANN401
        """Change columns of a row that exists; returns the new row."""
        old = self.get(ref, key)
        assert old is not None, f"{ref.name}: {key!r} does not exist"
        new = {**old, **changes}
        assert len(new) == len(old), f"{ref.name}: unknown column in {sorted(changes)}"
        assert not ref.additive or changes.keys() <= set(ref.additive), f"{ref.name}: sums only"
        self._replace(self._part(ref), key, old, new)
        return new

    def add(self, ref: TableRef, key: Key, /, **amounts: int) -> Row:
        """Add to columns of a row that exists; returns the new row."""
        old = self.get(ref, key)
        assert old is not None, f"{ref.name}: {key!r} does not exist"
        new = dict(old)
        for column, amount in amounts.items():
            new[column] += amount
        self._replace(self._part(ref), key, old, new)
        return new

    def copies(self, ref: TableRef, keys: Iterable[Key]) -> dict[Key, Row]:
        """Copies of the rows that exist, to be changed and given to ``put_all``."""
        part = self._part(ref)
        rows = part.rows
        missing = [key for key in keys if key not in rows]
        if missing:
            self._load(part, missing)
        return {key: row.copy() for key in keys if (row := rows[key]) is not None}

    def put_all(self, ref: TableRef, rows: Mapping[Any, Row]) -> None:
        """Replace rows that were got before by changed copies of them. The fast form of ``update``
        and ``add`` for many rows: nothing is checked."""
        part = self._tables[ref]
        known, originals, journal = part.rows, part.originals, self._journal
        for key, row in rows.items():
            old = known[key]
            journal.append((part, key, old, _REPLACED))
            if key not in originals:
                originals[key] = old
            known[key] = row

    def append(self, ref: TableRef, keys: Sequence[Key], rows: Sequence[Values]) -> None:
        """Add rows to an append-only table as tuples in column order, kept together as one batch.

        The columns that ``complete`` gives at the end of the group are left out. Read such a table
        with ``find`` only.
        """
        assert ref.append_only
        part = self._part(ref)
        part.batches.append(rows)
        part.rows.update(zip(keys, rows, strict=True))
        self._journal.append((part, keys, None, _APPENDED))

    def find(self, ref: TableRef, key: Key) -> Values | None:
        """The row of an append-only table as a tuple, or None. A row of this group may lack the
        columns that ``complete`` will give."""
        assert ref.append_only
        found: Values | None = self.get(ref, key)  # type: ignore[assignment]
        return found

    def inserted(self, ref: TableRef) -> list[Row]:
        """The rows this group inserted into a table, in order. For observers."""
        part = self._tables.get(ref)
        if part is None:
            return []
        return [row for key in part.inserted if (row := part.rows[key]) is not None]

    def batches(self, ref: TableRef) -> list[Sequence[Values]]:
        """What this group appended to a table, batch by batch. For seals."""
        return self._part(ref).batches

    def complete(self, ref: TableRef, suffix: Values) -> None:
        """The last columns of every appended row. For seals."""
        self._part(ref).suffix = suffix

    def mark(self) -> int:
        """A point to undo to."""
        return len(self._journal)

    def undo(self, mark: int) -> None:
        """Forget every change since the mark."""
        journal = self._journal
        while len(journal) > mark:
            part, key, old, change = journal.pop()
            if change == _APPENDED:
                part.batches.pop()
                for one in key:
                    del part.rows[one]
                continue
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
            written += self._flush_inserted(part) + self._flush_changed(part)
        return written

    def _flush_inserted(self, part: _Rows) -> int:
        rows, values_of, suffix = part.rows, part.ref.values_of, part.suffix
        new: list[Values] = [row + suffix for batch in part.batches for row in batch]
        new.extend(values_of(rows[key]) for key in part.inserted)
        if new:
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

    def _part(self, ref: TableRef) -> _Rows:
        try:
            return self._tables[ref]
        except KeyError:
            part = self._tables[ref] = _Rows(ref)
            return part

    def _load(self, part: _Rows, keys: list[Key]) -> None:
        ref, rows, columns = part.ref, part.rows, part.ref.columns
        key_of = ref.key_of
        if ref.lock and len(keys) > 1:
            keys.sort()
        for start in range(0, len(keys), KEYS_PER_SELECT_MAX):
            chunk = keys[start : start + KEYS_PER_SELECT_MAX]
            rows.update(dict.fromkeys(chunk))
            if ref.append_only:
                for values in self._store.fetch(ref, chunk):
                    rows[values[0]] = values
                continue
            for values in self._store.fetch(ref, chunk):
                row = dict(zip(columns, values, strict=True))
                rows[key_of(row)] = row


def _name(ref: TableRef) -> str:
    return ref.name
