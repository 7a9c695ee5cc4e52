"""Which columns of an INSERT are alike in all its rows, so that they are bound once.

Rule: a table's rows vary from group to group, and each choice of columns is a statement of its own,
      which has to be prepared. So columns that were found to vary are left alone for a while
      (``ALIKE_INSERTS_PER_TRIAL``): the choice becomes smaller and smaller, and seldom changes.
"""

from collections.abc import Sequence

from backend.db.limits import ALIKE_INSERTS_PER_TRIAL
from backend.db.tables import TableRef, Values


class AlikeColumns:
    """Remembers, for each table, which columns are worth a look."""

    def __init__(self) -> None:
        self._likely: dict[TableRef, tuple[int, ...]] = {}
        self._inserts: dict[TableRef, int] = {}

    def among(self, table: TableRef, columns: Sequence[Values]) -> tuple[int, ...]:
        """The positions of those that are alike; the columns are in table order, from the first."""
        inserts = self._inserts.get(table, 0)
        self._inserts[table] = inserts + 1
        likely: Sequence[int] = range(len(columns))
        if inserts % ALIKE_INSERTS_PER_TRIAL:
            likely = self._likely[table]
        alike = tuple(at for at in likely if is_alike(columns[at]))
        self._likely[table] = alike
        return alike


def is_alike(column: Values) -> bool:
    """Whether all values of a column are the same."""
    first = column[0]
    return bool(column[-1] == first) and column.count(first) == len(column)
