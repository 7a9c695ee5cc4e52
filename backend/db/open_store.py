"""The store that fits an engine's database."""

from sqlalchemy import Engine

from backend.db.postgres_store import PostgresStore
from backend.db.sqlite_store import SqliteStore
from backend.db.store import Store


def open_store(engine: Engine) -> Store:
    """Take one connection of the engine for a writer. Close the store, then the engine."""
    return SqliteStore(engine) if engine.dialect.name == "sqlite" else PostgresStore(engine)
