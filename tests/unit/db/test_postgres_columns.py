"""Columns sent to PostgreSQL as text come back as they were, and what cannot be sent is refused."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from backend.db.engine import open_engine
from backend.db.open_store import open_store
from backend.db.store import Store, StoreError
from backend.ledger.tables import CHAIN, HOLD
from tests.support.postgres import Cluster

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.parametrize("database_kind", ["postgres"], indirect=True),
]
ODD = ["", "NULL", "null", '"', "\\", '\\"', "{a,b}", "a,b", " a ", "\n\t\x1f\x1e", "钱🧧", "{}"]


@pytest.fixture
def store(migrated_url: str) -> Iterator[Store]:
    engine = open_engine(migrated_url)
    opened = open_store(engine)
    opened.begin()
    yield opened
    opened.rollback()
    opened.close()
    engine.dispose()


@pytest.mark.parametrize("ended_by", [None, "NULL", '"'])
def test_odd_texts_come_back_as_they_were(store: Store, ended_by: str | None) -> None:
    rows = [(text, text, -(2**63), text or None) for text in ODD]
    rows.append(("last", "plain", 2**63 - 1, ended_by))
    store.insert(HOLD, rows)
    assert sorted(store.fetch(HOLD, [*ODD, "last"])) == sorted(rows)
    changed = [(key, f'{state}"\\', 7, None) for key, state, *_ in rows]
    store.update(HOLD, changed)
    assert sorted(store.fetch(HOLD, [*ODD, "last"])) == sorted(changed)


def test_bytes_come_back_as_they_were(store: Store) -> None:
    rows = [("a", 1, bytes(range(256))), ("b", 2, b""), ("c", 3, b"\\x00")]
    store.insert(CHAIN, rows)
    assert sorted(store.fetch(CHAIN, ["a", "b", "c"])) == rows


def test_two_rows_that_are_all_alike_collide(store: Store) -> None:
    store.insert(HOLD, [("a", "pending", 1, None)] * 2)
    with pytest.raises(StoreError) as refused:
        store.commit()
    assert refused.value.kind == "collision"


@pytest.mark.parametrize("bad", ["a\0", "\ud800", 1.5, b"".join])
def test_a_value_that_cannot_be_sent_is_refused(store: Store, bad: Any) -> None:
    with pytest.raises(StoreError) as refused:
        store.insert(HOLD, [("a", bad, 1, None), ("b", "pending", 1, None)])
    assert refused.value.kind == "refused"


def test_the_first_error_of_those_sent_is_the_one_that_is_told(store: Store) -> None:
    store.insert(HOLD, [("a", "pending", 2**63, None), ("b", "pending", 1, None)])
    store.insert(HOLD, [("c", "pending", 1, None)] * 2)
    with pytest.raises(StoreError) as refused:
        store.commit()
    assert refused.value.kind == "refused"
    store.rollback()
    store.begin()
    assert store.fetch(HOLD, ["a", "b", "c"]) == []


def test_a_connection_lost_before_the_commit_is_told_by_it(
    store: Store, postgres_cluster: Cluster
) -> None:
    store.insert(HOLD, [("a", "pending", 1, None)])
    with psycopg.connect(postgres_cluster.dsn("postgres"), autocommit=True) as operator:
        operator.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid = %s",
            [store._connection.info.backend_pid],  # type: ignore[attr-defined]
        )
    store.start_commit()
    with pytest.raises(StoreError) as lost:
        store.commit()
    assert lost.value.kind == "failed"
    store.rollback()
    store.begin()
    assert store.fetch(HOLD, ["a"]) == []


def test_rows_asked_for_ahead_are_waited_for_when_they_are_wanted(
    store: Store, migrated_url: str
) -> None:
    """The first question waits for a rival's lock, and the second is more than the system takes
    while nobody reads it. The rival's changes are sent meanwhile."""
    store.insert(HOLD, [("a", "pending", 1, None), ("b", "pending", 1, None)])
    store.commit()
    engine = open_engine(migrated_url)
    rival = open_store(engine)
    rival.begin()
    rival.fetch(HOLD, ["a"])
    store.begin()
    few, many = ["a"], ["b", *(f"{number:0100000}" for number in range(100))]
    store.start_fetch(HOLD, few)
    store.start_fetch(HOLD, many)
    rival.update(HOLD, [("a", "posted", 1, "a:2")])
    rival.commit()
    assert store.fetch(HOLD, few) == [("a", "posted", 1, "a:2")]
    assert store.fetch(HOLD, many) == [("b", "pending", 1, None)]
    rival.close()
    engine.dispose()
