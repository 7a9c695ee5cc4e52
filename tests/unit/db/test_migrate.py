"""The migrated schema is the schema of the tables."""

from sqlalchemy import text

from backend.db.engine import open_engine
from backend.db.migrate import differences, upgrade


def test_the_migrated_schema_equals_the_tables(migrated_url: str) -> None:
    engine = open_engine(migrated_url)
    found = differences(engine)
    engine.dispose()
    assert found == []


def test_a_difference_is_noticed(migrated_url: str) -> None:
    engine = open_engine(migrated_url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE ledger_hold ADD COLUMN mood TEXT"))
        connection.execute(text("CREATE TABLE ledger_diary (id TEXT)"))
    found = str(differences(engine))
    engine.dispose()
    assert "mood" in found
    assert "ledger_diary" in found


def test_upgrading_twice_changes_nothing(migrated_url: str) -> None:
    upgrade(migrated_url)
    engine = open_engine(migrated_url)
    with engine.connect() as connection:
        heads = connection.exec_driver_sql("SELECT version_num FROM alembic_version").fetchall()
    engine.dispose()
    assert ("ledger_0003",) in [tuple(row) for row in heads]
