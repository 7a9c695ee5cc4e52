"""Rows kept from group to group are always those that the database has."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
from sqlalchemy import Engine
from sqlmodel import Field

from backend.db import group
from backend.db.command import Command, Read
from backend.db.engine import open_engine
from backend.db.group import GroupRunner
from backend.db.open_store import open_store
from backend.db.store import Store, StoreError
from backend.db.tables import INTEGER, TEXT, BackendTable, Key, TableRef, Values, table_ref
from backend.db.working_set import WorkingSet


class Box(BackendTable, table=True):
    """A counter for these tests."""

    __tablename__ = "test_box"
    id: str = Field(primary_key=True, sa_type=TEXT)
    coins: int = Field(sa_type=INTEGER)


BOX = table_ref(Box, additive=("coins",), kept=True)


class FixedClock:
    def now_ms(self) -> int:
        return 1_763_900_000_000


@dataclass(frozen=True, slots=True)
class Drop:
    """Coins into a box, which is made if need be; the count that is there then."""

    box: str
    coins: int

    def reads(self) -> list[Read]:
        return [(BOX, self.box)]

    def decide(self, ws: WorkingSet, now_ms: int) -> int:
        if ws.get(BOX, self.box) is None:
            ws.insert(BOX, {"id": self.box, "coins": 0})
        row = ws.sums(BOX)[self.box]
        assert row is not None
        row["coins"] += self.coins
        return int(row["coins"])


@dataclass(slots=True)
class Bank:
    """A runner on a real store, what it has read, and the database beside it."""

    engine: Engine
    store: Store
    runner: GroupRunner
    read: list[Key]

    def run(self, *commands: Command) -> list[int]:
        return [outcome.value() for outcome in self.runner.run(commands)]

    def beside(self, statement: str) -> None:
        with self.engine.begin() as connection:
            connection.exec_driver_sql(statement)


@pytest.fixture
def bank(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bank]:
    engine = open_engine(database_url)
    Box.__table__.create(engine)  # type: ignore[attr-defined]
    store = open_store(engine)
    made = Bank(engine, store, GroupRunner(store, clock=FixedClock()), [])
    fetch = store.fetch

    def noted(table: TableRef, keys: Sequence[Key]) -> list[Values]:
        made.read.extend(keys)
        return fetch(table, keys)

    monkeypatch.setattr(store, "fetch", noted)
    yield made
    store.close()
    engine.dispose()


def test_what_nobody_else_can_have_changed_is_not_read_again(bank: Bank) -> None:
    assert bank.run(Drop("a", 1), Drop("a", 2)) == [1, 3]
    bank.read.clear()
    assert bank.run(Drop("a", 4), Drop("b", 1)) == [7, 1]
    assert bank.read == (["a", "b"] if bank.store.has_rivals else ["b"])


def test_what_another_connection_has_committed_is_seen_by_the_next_group(bank: Bank) -> None:
    bank.run(Drop("a", 1))
    bank.beside("UPDATE test_box SET coins = coins + 10 WHERE id = 'a'")
    assert bank.run(Drop("a", 1)) == [12]
    bank.beside("DELETE FROM test_box")
    assert bank.run(Drop("a", 1)) == [1]


def test_a_group_that_is_not_durable_leaves_nothing_behind(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank.run(Drop("a", 1))

    def lost() -> None:
        raise StoreError("failed", "disk full")

    with monkeypatch.context() as patch:
        patch.setattr(bank.store, "commit", lost)
        assert bank.runner.run([Drop("a", 5), Drop("b", 5)])[0].error is not None
    assert bank.run(Drop("a", 1), Drop("b", 1)) == [2, 1]


def test_memory_is_bounded(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group, "KEPT_ROWS_MAX", 3)
    bank.run(*(Drop(f"{number}", 1) for number in range(4)))
    bank.read.clear()
    assert bank.run(Drop("0", 1)) == [2]
    assert bank.read == ["0"]
