"""A database of before keeps its merchants' cycles, its settlements and its sweeps."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from backend.db import migrate
from backend.db.engine import open_engine
from backend.db.migrate import upgrade

MERCHANT = """INSERT INTO merchant VALUES ('m', 'M', 'active', 'CNY', NULL, 'D+1', 0, 'b', 'n',
    'a', 1, 5, 5)"""
SETTLEMENT = "INSERT INTO settlement VALUES ('m', '2026-11-23', 994, 'CNY', 'pyo_1', 7)"
SWEEP = """INSERT INTO sweep VALUES ('2026-11-23', 'CNY', 'swp_1', 60, 'confirmed', '',
    '2026-11-24', 8, 9)"""


def test_the_rows_of_before_are_in_the_new_tables(database_url: str) -> None:
    engine = open_engine(database_url)
    with engine.begin() as connection:
        migrate_to(connection, "clearing_0001", "payments_0002")
        for statement in (MERCHANT, SETTLEMENT, SWEEP):
            connection.exec_driver_sql(statement)
    upgrade(database_url)
    with engine.connect() as connection:
        assert rows(connection, "SELECT * FROM settlement") == [
            ("m", "2026-11-23", 0, 994, "CNY", "pyo_1", 7)
        ]
        assert rows(connection, "SELECT * FROM own_move") == [
            ("2026-11-23", "CNY", "fees", 1, "swp_1", 60, "confirmed", "", "2026-11-24", 8, 9)
        ]
        assert rows(connection, "SELECT * FROM settlement_cycle") == [("m", 1, "D+1", "", 5)]
        assert rows(
            connection,
            "SELECT cycle_version, pending_shards, pending_shards_max, fee_plan_first"
            " FROM merchant",
        ) == [(1, 1, 1, 1)]
    engine.dispose()


def migrate_to(connection: Connection, *revisions: str) -> None:
    config = Config()
    scripts = Path(migrate.__file__).parent / "migrations"
    config.set_main_option("script_location", str(scripts))
    config.attributes["connection"] = connection
    for revision in revisions:
        command.upgrade(config, revision)


def rows(connection: Connection, query: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.exec_driver_sql(query)]
