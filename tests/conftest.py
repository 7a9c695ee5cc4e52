"""Fixtures of the whole suite: a fresh database on SQLite and on a private PostgreSQL.

A test that takes ``database_url`` (empty) or ``migrated_url`` (this program's schema) runs twice.
"""

import gc
import itertools
import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
import structlog
import uvicorn
from fastapi._compat.v2 import ModelField
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, settings
from jinja2 import Environment

import backend.console.model
import backend.operator.pages
import backend.pay_page.routes
import backend.shards.founding
import backend.wallet.model
import faces.pages
from backend.db.migrate import upgrade
from protocol.crypto import sealing
from terminal.counter import pins
from tests.support import groups, late_fields, late_routes
from tests.support.collecting import share_out
from tests.support.failures import FailuresNamed
from tests.support.hurried import HurriedAsyncio
from tests.support.known_hashes import RememberedScrypt, salt_or_nonce
from tests.support.known_templates import KnownTemplates
from tests.support.migrated import migrated_sqlite, upgrade_known
from tests.support.postgres import Cluster, NoServer, start_cluster
from tests.support.rabbitmq import Broker, NoBroker, start_broker
from tests.support.redis import RedisServer, running_redis
from tests.support.scratch import memory_to_write_to

# How long an example takes says more of the machine than of the code: speed is for bench/.
search = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("search", search)
# The same commit is judged by the same examples; who looks for new ones asks for "search".
settings.register_profile("tillway", search, derandomize=True)
settings.load_profile("tillway")
GARBAGE_AFTER = (10_000, 20, 20)
"""Python's own (700, 10, 10) takes a fifth of the tests' processor time: it looks through all that
a started program holds, again and again. Our programs themselves look more seldom than this."""
_numbers = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    # Two workers that train with the threads of all cores wait for each other most of the time.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    gc.set_threshold(*GARBAGE_AFTER)
    config.pluginmanager.register(groups)
    share_out(config)
    config.pluginmanager.register(FailuresNamed(config))
    held = ExitStack()
    held.enter_context(memory_to_write_to())
    config.add_cleanup(held.close)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Nothing that is made while tests are collected is garbage: it is never looked through."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def hashes_made_once() -> Iterator[None]:
    """What scrypt makes of a passphrase, a password or a PIN and its salt costs as much as a test:
    what was made here is known already."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (sealing, backend.console.model, backend.wallet.model):
            patch.setattr(module, "Scrypt", RememberedScrypt)
        patch.setattr(pins, "pin_digest", cache(pins.pin_digest))
        patch.setattr(sealing, "RAND_bytes", salt_or_nonce)
        yield


@pytest.fixture(scope="session", autouse=True)
def shards_migrated_once() -> Iterator[None]:
    """A founding migrates a database for every shard, which takes longer than the rest of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend.shards.founding, "upgrade", upgrade_known)
        yield


@pytest.fixture(scope="session", autouse=True)
def servers_stop_at_once() -> Iterator[None]:
    """See ``HurriedAsyncio``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uvicorn.server, "asyncio", HurriedAsyncio())
        yield


@pytest.fixture(scope="session", autouse=True)
def fields_made_late() -> Iterator[None]:
    """See ``late_fields``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ModelField, "__post_init__", late_fields.make_none)
        patch.setattr(ModelField, "__getattr__", late_fields.make_one, raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def routes_made_late() -> Iterator[None]:
    """See ``late_routes``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(APIRoute, "__init__", late_routes.make_what_matches)
        patch.setattr(APIRoute, "__getattr__", late_routes.make_rest, raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def templates_compiled_once() -> Iterator[None]:
    """See ``KnownTemplates``. Every ``Environment`` is made with the same options."""
    known = partial(Environment, bytecode_cache=KnownTemplates())
    with pytest.MonkeyPatch.context() as patch:
        for module in (faces.pages, backend.operator.pages, backend.pay_page.routes):
            patch.setattr(module, "Environment", known)
        yield


@pytest.fixture(autouse=True)
def logs_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A command that a test runs in this process sets the logs up as a program does. Nothing of
    that outlives the test, and no logger keeps it: its stream is closed afterwards."""
    usual, configure = structlog.get_config(), structlog.configure

    def uncached(**settings: Any) -> None:
        configure(**settings | {"cache_logger_on_first_use": False})

    monkeypatch.setattr(structlog, "configure", uncached)
    yield
    configure(**usual)


@pytest.fixture(scope="session")
def postgres_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One private cluster per worker: no system cluster is ever touched."""
    try:
        cluster = start_cluster("autovacuum=off")
    except NoServer as missing:
        pytest.skip(str(missing))
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def rabbitmq_broker() -> Iterator[Broker]:
    """One private broker per worker. Tests that use it are of a group, so that few workers do."""
    try:
        broker = start_broker()
    except NoBroker as missing:
        pytest.skip(str(missing))
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """One private server per worker: who uses it empties it."""
    with running_redis() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres_cluster: Cluster) -> str:
    """The name of a database with this program's schema, for others to be copied from."""
    upgrade(postgres_cluster.create_database("migrated"))
    return "migrated"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_kind(request: pytest.FixtureRequest) -> str:
    """What a test runs on, each in its turn."""
    return str(request.param)


@pytest.fixture
def database_url(
    database_kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[str]:
    """A fresh, empty database of its own for this test."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'backend.db'}"
        return
    with _database(request.getfixturevalue("postgres_cluster")) as url:
        yield url


@pytest.fixture
def migrated_url(
    database_kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[str]:
    """A fresh database with this program's schema."""
    if database_kind == "sqlite":
        yield migrated_sqlite(tmp_path / "backend.db")
        return
    template: str = request.getfixturevalue("postgres_template")
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    with _database(cluster, template=template) as url:
        yield url


@contextmanager
def _database(cluster: Cluster, **options: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    yield cluster.create_database(name, **options)
    cluster.drop_database(name)
