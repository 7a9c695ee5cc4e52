"""Trying a transaction again when another writer was in the way.

Our own stores say so by ``StoreError.kind``; code that uses SQLAlchemy directly (migrations, CLI)
gets the driver's words, which are read here.
"""

import sqlite3
from collections.abc import Callable
from time import sleep
from typing import TypeVar

import psycopg
from sqlalchemy.exc import DBAPIError

from backend.db.limits import GROUP_TRIES_MAX, RETRY_DELAY_MS, RETRY_DELAY_MS_MAX
from backend.db.store import StoreError

_T = TypeVar("_T")

POSTGRES_CONFLICTS = frozenset({"40001", "40P01", "55P03", "57014"})
"""Serialization failure, deadlock, lock not to be had in time, statement cancelled or too slow."""


def is_conflict(error: BaseException) -> bool:
    """Whether the same transaction may succeed if tried again (``POSTGRES_CONFLICTS``,
    SQLITE_BUSY)."""
    if isinstance(error, StoreError):
        return error.kind == "conflict"
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, psycopg.Error):
        return cause.sqlstate in POSTGRES_CONFLICTS
    if isinstance(cause, sqlite3.OperationalError):
        return cause.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
    return False


def delay_ms(attempt: int) -> int:
    """How long to wait before try ``attempt`` (the first retry is 1): doubling, bounded."""
    return min(RETRY_DELAY_MS << (attempt - 1), RETRY_DELAY_MS_MAX)


def with_retries(
    action: Callable[[], _T],
    *,
    is_transient: Callable[[BaseException], bool] = is_conflict,
    wait_ms: Callable[[int], None] = lambda ms: sleep(ms / 1000),
) -> _T:
    """Run a whole transaction up to ``GROUP_TRIES_MAX`` times."""
    for attempt in range(1, GROUP_TRIES_MAX):
        try:
            return action()
        except (StoreError, DBAPIError, psycopg.Error, sqlite3.Error) as error:
            if not is_transient(error):
                raise
            wait_ms(delay_ms(attempt))
    return action()
