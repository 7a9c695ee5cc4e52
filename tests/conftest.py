"""Fixtures of the whole suite: a fresh database on SQLite and on a private PostgreSQL.

A test that takes ``database_url`` (empty) or ``migrated_url`` (this program's schema) runs twice.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.db.migrate import upgrade
from tests.support.postgres import Cluster, NoServer, start_cluster
from tests.support.rabbitmq import Broker, NoBroker, start_broker

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One private cluster per worker: no system cluster is ever touched."""
    try:
        cluster = start_cluster()
    except NoServer as missing:
        pytest.skip(str(missing))
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def rabbitmq_broker() -> Iterator[Broker]:
    """One private broker. Tests that use it are of the group ``rabbitmq``, so of one worker."""
    try:
        broker = start_broker()
    except NoBroker as missing:
        pytest.skip(str(missing))
    yield broker
    broker.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh, empty database of its own for this test."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'backend.db'}"
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    return cluster.create_database(f"test_{next(_numbers)}")


@pytest.fixture
def migrated_url(database_url: str) -> str:
    """A fresh database with this program's schema."""
    upgrade(database_url)
    return database_url
