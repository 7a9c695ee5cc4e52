"""The working set's undo: whatever was done after a mark is as if it had never been."""

import gc
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Field

from backend.db.engine import open_engine
from backend.db.open_store import open_store
from backend.db.sqlite_store import select_statement
from backend.db.store import Store
from backend.db.tables import INTEGER, TEXT, BackendTable, table_ref
from backend.db.working_set import WorkingSet, _Rows


class Shelf(BackendTable, table=True):
    """Rows with a key of two columns, for these tests."""

    __tablename__ = "test_shelf"
    room: str = Field(primary_key=True, sa_type=TEXT)
    number: int = Field(primary_key=True, sa_type=INTEGER)
    books: int = Field(default=0, sa_type=INTEGER)
    label: str | None = Field(default=None, sa_type=TEXT)


class Purse(BackendTable, table=True):
    """Rows that change by sums."""

    __tablename__ = "test_purse"
    id: str = Field(primary_key=True, sa_type=TEXT)
    coins: int = Field(default=0, sa_type=INTEGER)


class Page(BackendTable, table=True):
    """Rows that never change; the last column is given at the end of the group."""

    __tablename__ = "test_page"
    id: str = Field(primary_key=True, sa_type=TEXT)
    words: str = Field(sa_type=TEXT)
    volume: int = Field(sa_type=INTEGER)


SHELF = table_ref(Shelf)
PURSE = table_ref(Purse, additive=("coins",))
PAGE = table_ref(Page, append_only=True)
KEYS = [("hall", 1), ("hall", 2), ("den", 1)]
STEPS = st.lists(
    st.tuples(st.sampled_from(["insert", "add", "update", "get"]), st.sampled_from(KEYS)),
    max_size=12,
)


def play(ws: WorkingSet, steps: list[tuple[str, tuple[str, int]]]) -> None:
    for action, key in steps:
        row = ws.get(SHELF, key)
        if action == "insert" and row is None:
            ws.insert(SHELF, {"room": key[0], "number": key[1]})
        elif action == "add" and row is not None:
            ws.add(SHELF, key, books=1)
        elif action == "update" and row is not None:
            ws.update(SHELF, key, label=f"{row['books']}", books=row["books"] + 2)


def stored(store: Store) -> list[tuple[object, ...]]:
    return sorted(store.fetch(SHELF, KEYS))


@settings(max_examples=60)
@given(before=STEPS, undone=STEPS, after=STEPS)
def test_undone_steps_leave_no_trace(
    tmp_path_factory: pytest.TempPathFactory,
    before: list[tuple[str, tuple[str, int]]],
    undone: list[tuple[str, tuple[str, int]]],
    after: list[tuple[str, tuple[str, int]]],
) -> None:
    found = []
    for with_detour in (True, False):
        path: Path = tmp_path_factory.mktemp("shelf") / "shelf.db"
        engine = open_engine(f"sqlite:///{path}")
        BackendTable.metadata.tables["test_shelf"].create(engine)
        store = open_store(engine)
        store.begin()
        store.insert(SHELF, [("hall", 1, 7, None)])
        ws = WorkingSet(store)
        play(ws, before)
        if with_detour:
            mark = ws.mark()
            play(ws, undone)
            ws.undo(mark)
        play(ws, after)
        ws.flush()
        store.commit()
        found.append(stored(store))
        store.close()
        engine.dispose()
    assert found[0] == found[1]


def test_bugs_are_told_at_once(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'shelf.db'}")
    BackendTable.metadata.tables["test_shelf"].create(engine)
    store = open_store(engine)
    ws = WorkingSet(store)
    with pytest.raises(AssertionError, match="wrong columns"):
        ws.insert(SHELF, {"room": "hall", "nmber": 1})
    ws.insert(SHELF, {"room": "hall", "number": 1})
    with pytest.raises(AssertionError, match="exists"):
        ws.insert(SHELF, {"room": "hall", "number": 1})
    with pytest.raises(AssertionError, match="unknown column"):
        ws.update(SHELF, ("hall", 1), colour="red")
    with pytest.raises(AssertionError, match="does not exist"):
        ws.add(SHELF, ("attic", 1), books=1)
    store.close()
    engine.dispose()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    engine = open_engine(f"sqlite:///{tmp_path / 'set.db'}")
    for name in ("test_purse", "test_page"):
        BackendTable.metadata.tables[name].create(engine)
    opened = open_store(engine)
    opened.begin()
    opened.insert(PURSE, [("ann", 7), ("bob", 1)])
    yield opened
    opened.rollback()
    opened.close()
    engine.dispose()


def give(ws: WorkingSet, name: str, coins: int) -> None:
    """Add by the fast way, as the ledger does."""
    purses = ws.sums(PURSE)

    def add(more: int) -> None:
        row = purses[name]
        assert row is not None
        row["coins"] += more

    add(coins)
    ws.on_undo(partial(add, -coins))


def coins(ws: WorkingSet, name: str) -> int | None:
    row = ws.get(PURSE, name)
    return None if row is None else row["coins"]


def test_sums_are_undone_and_a_row_handed_out_stays_as_it_was(store: Store) -> None:
    ws = WorkingSet(store)
    give(ws, "ann", 1)
    seen = ws.get(PURSE, "ann")
    mark = ws.mark()
    give(ws, "ann", 10)
    ws.add(PURSE, "ann", coins=100)
    ws.insert(PURSE, {"id": "eve"})
    give(ws, "eve", 5)
    assert (coins(ws, "ann"), coins(ws, "eve"), seen) == (118, 5, {"id": "ann", "coins": 8})
    ws.undo(mark)
    assert (coins(ws, "ann"), coins(ws, "eve"), ws.sums(PURSE)["eve"]) == (8, None, None)
    ws.insert(PURSE, {"id": "eve", "coins": 2})
    give(ws, "eve", 1)
    ws.flush()
    assert sorted(store.fetch(PURSE, ["ann", "bob", "eve"])) == [("ann", 8), ("bob", 1), ("eve", 3)]


def test_a_row_is_looked_at_without_being_read_and_stays_as_it_was(store: Store) -> None:
    ws = WorkingSet(store)
    assert ws.loaded(PURSE, "ann") is None
    give(ws, "ann", 1)
    seen = ws.loaded(PURSE, "ann")
    give(ws, "ann", 10)
    assert (seen, coins(ws, "ann")) == ({"id": "ann", "coins": 8}, 18)


def test_appended_rows_are_found_undone_and_completed(store: Store) -> None:
    ws = WorkingSet(store)
    ws.append(PAGE, [("p1", "kept")])
    for is_found_first in (False, True):
        mark = ws.mark()
        ws.append(PAGE, [("p2", "undone"), ("p3", "undone")])
        if is_found_first:
            assert ws.find(PAGE, "p3") == ("p3", "undone")
        ws.undo(mark)
        assert (ws.find(PAGE, "p1"), ws.find(PAGE, "p3")) == (("p1", "kept"), None)
    ws.append(PAGE, [("p3", "kept, too")])
    assert ws.find(PAGE, "p3") == ("p3", "kept, too")
    ws.complete(PAGE, (4,))
    ws.flush()
    assert sorted(store.fetch(PAGE, ["p1", "p2", "p3"])) == [
        ("p1", "kept", 4),
        ("p3", "kept, too", 4),
    ]


def test_a_group_s_rows_do_not_wait_for_the_garbage_collector(store: Store) -> None:
    gc.collect()
    gc.disable()
    try:
        ws = WorkingSet(store)
        give(ws, "ann", 1)
        ws.insert(PURSE, {"id": "eve"})
        ws.flush()
        del ws
        assert not [one for one in gc.get_objects() if isinstance(one, _Rows)]
    finally:
        gc.enable()


class Fraction(BackendTable, table=True):
    """A table that breaks rule 2."""

    __tablename__ = "test_fraction"
    id: str = Field(primary_key=True, sa_type=TEXT)
    share: float


def test_a_column_of_another_type_is_refused() -> None:
    with pytest.raises(TypeError, match="rule 2"):
        table_ref(Fraction)


def test_keys_of_two_columns_are_searched_for_and_not_scanned_for(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'shelf.db'}")
    with engine.begin() as connection:
        BackendTable.metadata.tables["test_shelf"].create(connection)
        plan = connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN " + select_statement(SHELF, 2), ("hall", 1, "den", 1)
        )
        steps = [row[3] for row in plan]
    engine.dispose()
    assert "SEARCH found USING PRIMARY KEY (room=? AND number=?)" in steps
    assert not any(step.startswith("SCAN found") for step in steps)
