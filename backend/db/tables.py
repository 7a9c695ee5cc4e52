"""What every table of the backend shares, and the handle through which commands name a table.

Rule 1: a primary key is text, bytes or integers made by the caller; never a sequence.
Rule 2: columns are text, 64-bit integers and bytes only (a flag is 0 or 1, a time is epoch
        milliseconds, a document is JSON text), so that a row means the same in both databases and
        can be written in bulk without a type processor for each value.
Rule 3: every read of a command is by primary key; a lookup by another key is a table of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import BigInteger, Integer, LargeBinary, MetaData, Table, Text
from sqlmodel import SQLModel

Key = str | bytes | int | tuple[Any, ...]
Row = dict[str, Any]
Values = tuple[Any, ...]

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

TEXT = Text()
INTEGER = BigInteger().with_variant(Integer(), "sqlite")
BYTES = LargeBinary()

# On SQLite a row lives in its primary key's own tree (one insert, not two) and a column keeps its
# type. A table with constraints of its own ends its __table_args__ with this.
STORAGE: dict[str, Any] = {"sqlite_with_rowid": False, "sqlite_strict": True}
# In such a tree a row of more than a quarter of a page continues on a page of its own, which is
# then written for it alone. A table of such rows has a tree for them and one for its keys.
STORAGE_OF_LONG_ROWS: dict[str, Any] = {"sqlite_strict": True}


class BackendTable(SQLModel):
    """The base of all tables; ``metadata`` is what migrations are compared with."""

    metadata = MetaData(naming_convention=NAMING)
    __table_args__: Any = STORAGE


@dataclass(frozen=True, slots=True, eq=False)
class TableRef:
    """A table as commands and the writer see it. Made once per table, compared by identity."""

    name: str
    columns: tuple[str, ...]
    key_columns: tuple[str, ...]
    types: tuple[str, ...]
    defaults: Mapping[str, Any]
    additive: tuple[str, ...]
    """Columns that change by sums only. The writer adds the difference, so that two writers never
    lose each other's update; the table's CHECK constraints say what the sum may not become."""
    lock: bool
    """Whether a read for a command locks the row (where several writers may run)."""
    kept: bool
    """Whether rows are worth keeping from one group to the next, where nobody else writes."""
    append_only: bool
    """Rows never change, and the working set holds them as tuples, not dictionaries."""
    width: int
    values_of: Callable[[Row], Values]
    key_of: Callable[[Row], Any]
    key_values_of: Callable[[Row], Values]
    amounts_of: Callable[[Row], Values]


def table_ref(
    model: type[SQLModel],
    *,
    additive: tuple[str, ...] = (),
    lock: bool = True,
    append_only: bool = False,
    kept: bool = False,
) -> TableRef:
    """The handle of a SQLModel table. ``lock=False`` is for rows that never change.

    ``append_only`` tables have a one-column key, their first column, and use ``ws.append``.
    """
    table: Table = model.__table__  # type: ignore[attr-defined]
    columns = tuple(column.name for column in table.columns)
    keys = tuple(column.name for column in table.primary_key.columns)
    assert set(additive) <= set(columns) - set(keys)
    assert keys == columns[: len(keys)], f"{table.name}: key columns come first"
    assert not append_only or len(keys) == 1
    defaults = {
        column.name: column.default.arg  # type: ignore[attr-defined]
        if column.default is not None
        else None
        for column in table.columns
        if column.default is not None or column.nullable
    }
    return TableRef(
        name=table.name,
        columns=columns,
        key_columns=keys,
        types=tuple(_plain_type(column.type) for column in table.columns),
        defaults=defaults,
        additive=additive,
        lock=lock and not additive and not append_only,
        kept=kept,
        append_only=append_only,
        width=len(columns),
        values_of=_getter(columns),
        key_of=itemgetter(*keys),
        key_values_of=_getter(keys),
        amounts_of=_getter(additive),
    )


def _getter(columns: tuple[str, ...]) -> Callable[[Row], Values]:
    """A function from a row to the tuple of these columns, also when there is one or none."""
    if not columns:
        return lambda _row: ()
    if len(columns) == 1:
        only = columns[0]
        return lambda row: (row[only],)
    return itemgetter(*columns)


def _plain_type(kind: object) -> str:
    if isinstance(kind, Text):
        return "text"
    if isinstance(kind, Integer):
        return "bigint"
    if isinstance(kind, LargeBinary):
        return "bytea"
    raise TypeError(f"rule 2 of backend/db/tables.py does not allow a column of type {kind!r}")
