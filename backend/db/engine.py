"""SQLAlchemy engines for the two databases, set up so that a commit means the disk has it, and that
an error, which will be logged, tells no value that was asked with."""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from backend.db.limits import (
    POSTGRES_CONNECT_TIMEOUT_S,
    POSTGRES_KEEPALIVE_IDLE_S,
    POSTGRES_KEEPALIVE_INTERVAL_S,
    POSTGRES_KEEPALIVES_MAX,
    POSTGRES_UNACKNOWLEDGED_MS_MAX,
    SQLITE_BUSY_TIMEOUT_MS,
    SQLITE_WAL_PAGES_PER_CHECKPOINT,
)
from protocol.errors import CallerError

_STATEMENTS_CACHED = 512
# Without these a server that has gone, or a line that was cut, is noticed after two hours.
_POSTGRES_LINE = {
    "connect_timeout": POSTGRES_CONNECT_TIMEOUT_S,
    "keepalives": 1,
    "keepalives_idle": POSTGRES_KEEPALIVE_IDLE_S,
    "keepalives_interval": POSTGRES_KEEPALIVE_INTERVAL_S,
    "keepalives_count": POSTGRES_KEEPALIVES_MAX,
    "tcp_user_timeout": POSTGRES_UNACKNOWLEDGED_MS_MAX,
}


def open_engine(url: str, *, read_only: bool = False) -> Engine:
    """An engine for ``sqlite:///file`` or ``postgresql+psycopg://…``.

    SQLite: WAL, synchronous=FULL, foreign keys on; a new file is the owner's alone. A read-only
    engine cannot write on either; ``CallerError("config_invalid")`` if it names no file.
    """
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return _sqlite(parsed, read_only=read_only)
    if backend == "postgresql":
        return _closing_late_ones(_postgres(parsed, read_only=read_only))
    raise ValueError(f"no support for {backend} databases")


def _closing_late_ones(engine: Engine) -> Engine:
    """A connection that a thread still has when the engine is disposed of is closed when it comes
    back: its pool is nobody's then."""

    @event.listens_for(engine, "connect")
    def remember(_connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        record.info["pool"] = engine.pool

    @event.listens_for(engine, "checkin")
    def close_late(connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        if connection is not None and record.info.get("pool") is not engine.pool:
            connection.close()

    return engine


def _sqlite(url: URL, *, read_only: bool) -> Engine:
    if not url.database or url.database == ":memory:":
        raise ValueError("the database is a file: money in memory is lost at exit")
    file = Path(url.database)
    if read_only:
        url = _sqlite_read_only(url, file)
    else:
        _make_private(file)
    engine = create_engine(
        url,
        hide_parameters=True,
        connect_args={
            "cached_statements": _STATEMENTS_CACHED,
            "check_same_thread": False,
            "timeout": SQLITE_BUSY_TIMEOUT_MS / 1000,
        },
        **_isolation(read_only=read_only),
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _record: object) -> None:
        assert isinstance(connection, sqlite3.Connection)
        for pragma in _sqlite_pragmas(read_only=read_only):
            connection.execute(pragma)

    return engine


def _sqlite_read_only(url: URL, file: Path) -> URL:
    if not file.is_file():
        raise CallerError("config_invalid", f"there is no database {file}")
    return url.set(database=file.absolute().as_uri(), query={"mode": "ro", "uri": "true"})


def _make_private(file: Path) -> None:
    """Payers' names and merchants' accounts are nobody else's: SQLite itself would obey the umask.
    Its -wal and -shm files take the permissions of the file."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _sqlite_pragmas(*, read_only: bool) -> tuple[str, ...]:
    if read_only:
        return ("PRAGMA query_only=ON",)
    return (
        "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=FULL",
        "PRAGMA foreign_keys=ON",
        f"PRAGMA wal_autocheckpoint={SQLITE_WAL_PAGES_PER_CHECKPOINT}",
        "PRAGMA cache_size=-65536",
    )


def is_postgres(url: str) -> bool:
    """Whether a database is one that several backends may share."""
    return make_url(url).get_backend_name() == "postgresql"


def postgres_line(url: str) -> dict[str, Any]:
    """What ``psycopg`` needs to reach a database by itself."""
    dialect = make_url(url).set(drivername="postgresql+psycopg").get_dialect()()
    _, found = dialect.create_connect_args(make_url(url))
    return {**found, **_POSTGRES_LINE}


def _postgres(url: URL, *, read_only: bool) -> Engine:
    arguments: dict[str, Any] = dict(_POSTGRES_LINE)
    if read_only:
        arguments["options"] = "-c default_transaction_read_only=on"
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args=arguments,
        hide_parameters=True,
        pool_pre_ping=True,
        **_isolation(read_only=read_only),
    )


def _isolation(*, read_only: bool) -> dict[str, Any]:
    """Autocommit for connections that only read: ``Reader`` begins a transaction where it needs
    one."""
    return {"isolation_level": "AUTOCOMMIT"} if read_only else {}
