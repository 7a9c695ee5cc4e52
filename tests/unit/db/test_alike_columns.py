"""What is alike in all rows of a group is bound once, and no row takes another's value."""

from collections.abc import Iterator
from itertools import product

import pytest

from backend.db import alike
from backend.db.alike import AlikeColumns
from backend.db.engine import open_engine
from backend.db.open_store import open_store
from backend.db.store import Store
from backend.db.tables import Values
from backend.ledger.tables import HOLD, TRANSFER

ROWS = 150
"""Two full statements on SQLite, and parts of one."""


@pytest.fixture
def store(migrated_url: str) -> Iterator[Store]:
    engine = open_engine(migrated_url)
    opened = open_store(engine)
    opened.begin()
    yield opened
    opened.rollback()
    opened.close()
    engine.dispose()


def holds(name: str, odd_at: int | None, odd: Values) -> list[Values]:
    """Rows that are alike but for their keys, and one of them that is not."""
    rows: list[Values] = [(f"{name}_{number}", "pending", 0, None) for number in range(ROWS)]
    if odd_at is not None:
        rows[odd_at] = (rows[odd_at][0], *odd)
    return rows


def test_a_row_that_differs_keeps_what_it_has(store: Store) -> None:
    """Wherever it stands, and whichever group came before it."""
    odd = [("posted", 0, None), ("pending", 7, None), ("pending", 0, ""), ("pending", 0, "pay:1")]
    written: list[Values] = []
    for at, columns in product((0, 1, 63, 64, 128, ROWS - 1), odd):
        for odd_at in (None, at):
            rows = holds(f"{at}_{len(written)}", odd_at, columns)
            store.insert(HOLD, rows)
            written += rows
    assert sorted(store.fetch(HOLD, [row[0] for row in written]), key=str) == sorted(
        written, key=str
    )


def test_a_suffix_stays_the_last_columns(store: Store) -> None:
    rows: list[Values] = [
        (f"pay_{number}:1", 1, "C:CUST:ann:CNY", f"C:MPEND:{number % 2}:CNY", 5, "CNY",
         "balance_paid", "posted", None, None, "2026-09-30")
        for number in range(ROWS)
    ]  # fmt: skip
    store.insert(TRANSFER, rows, (77, "main", 9))
    found = store.fetch(TRANSFER, [row[0] for row in rows])
    assert sorted(found) == sorted((*row, 77, "main", 9) for row in rows)


def test_columns_that_varied_are_left_alone_until_the_next_trial(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So that a table's groups, each different, do not each make a statement of their own."""
    monkeypatch.setattr(alike, "ALIKE_INSERTS_PER_TRIAL", 4)
    columns = AlikeColumns()
    same: list[Values] = [("a", "b"), ("x", "x"), (1, 1), (None, None)]
    varied: list[Values] = [("a", "b"), ("x", "x"), (1, 2), (None, None)]
    found = [columns.among(HOLD, one) for one in (same, varied, same, same, same)]
    assert found == [(1, 2, 3), (1, 3), (1, 3), (1, 3), (1, 2, 3)]
    assert columns.among(TRANSFER, varied) == (1, 3), "each table for itself"
