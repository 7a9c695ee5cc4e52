"""A database of before keeps its first answers and its decisions, each in its new place."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from backend.db import migrate
from backend.db.engine import open_engine
from backend.db.migrate import upgrade

COLUMNS = "device, request_id, content_hash, answer_type, answer, at_ms"
REQUESTS = (
    "('till-1', 'req_2', x'01', 'pong', x'a0', 8)",
    "('till-2', 'req_1', x'02', 'payment.result', x'a1', 9)",
)
NUMBERS = ("at_ms", "number", "amount_minor", "is_confirmed")


def test_first_answers_and_decisions_are_in_the_new_tables(database_url: str) -> None:
    engine = open_engine(database_url)
    with engine.begin() as connection:
        migrate_to(connection, "payments_0017", "risk_judging_0003")
        is_sqlite = connection.dialect.name == "sqlite"
        for row in REQUESTS:
            text = row if is_sqlite else row.replace("x'", "'\\x")
            connection.exec_driver_sql(f"INSERT INTO request ({COLUMNS}) VALUES {text}")
        before = a_decision(connection)
    upgrade(database_url)
    with engine.connect() as connection:
        assert rows(connection, "SELECT * FROM request ORDER BY at_ms") == [
            ("req_2", "till-1", b"\x01", "pong", b"\xa0", 8),
            ("req_1", "till-2", b"\x02", "payment.result", b"\xa1", 9),
        ]
        assert decision(connection) == before
    engine.dispose()


def a_decision(connection: Connection) -> dict[str, object]:
    """A row with another value in each column."""
    found = connection.exec_driver_sql("SELECT * FROM risk_decision")
    values: dict[str, str] = {}
    for number, name in enumerate(found.keys()):
        values[name] = str(number) if name in NUMBERS else f"'{name}'"
        if name in {"vector", "score", "challenger_score"}:
            values[name] = "x'07'" if connection.dialect.name == "sqlite" else "'\\x07'"
    connection.exec_driver_sql(
        f"INSERT INTO risk_decision ({', '.join(values)}) VALUES ({', '.join(values.values())})"
    )
    return decision(connection)


def decision(connection: Connection) -> dict[str, object]:
    found = connection.exec_driver_sql("SELECT * FROM risk_decision").mappings()
    return dict(found.one())


def migrate_to(connection: Connection, *revisions: str) -> None:
    config = Config()
    scripts = Path(migrate.__file__).parent / "migrations"
    config.set_main_option("script_location", str(scripts))
    config.attributes["connection"] = connection
    for revision in revisions:
        command.upgrade(config, revision)


def rows(connection: Connection, query: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.exec_driver_sql(query)]
