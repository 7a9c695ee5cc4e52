"""Payments that wait, or of which nobody knows, are found among themselves and not among all."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.event import listens_for

from backend.db.engine import open_engine
from backend.db.reading import Reader
from backend.operator.repository import DayRepository
from backend.payments.repository import PaymentRepository
from tests.support.migrated import migrated_sqlite

WAITING, UNKNOWN = "ix_payment_due", "ix_payment_unknown"
ASKED: dict[str, tuple[Callable[[Reader], object], str]] = {
    "overdue": (lambda reader: PaymentRepository(reader).overdue(9), WAITING),
    "unknowns": (lambda reader: DayRepository(reader).unknowns(), UNKNOWN),
}


@pytest.mark.parametrize("name", ASKED)
def test_an_index_of_few_payments_is_used(tmp_path: Path, name: str) -> None:
    """By SQLite's own plan: a query whose words are others would read all payments there are."""
    ask, index = ASKED[name]
    engine = open_engine(migrated_sqlite(tmp_path / "backend.db"))
    asked: list[tuple[str, Any]] = []

    @listens_for(engine, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        asked.append((statement, values))

    ask(Reader(engine))
    [(statement, values)] = [one for one in asked if one[0].startswith("SELECT")]
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
        [how] = connection.exec_driver_sql(
            f"SELECT sql FROM sqlite_master WHERE name = '{index}'"
        ).scalars()
    engine.dispose()
    assert [index in step[3] for step in plan] == [True]
    assert " WHERE state = '" in how


def test_a_day_s_figures_read_no_other_day_s_payments(migrated_url: str) -> None:
    """By the database's own plan. PostgreSQL would rather read all of a table that is small."""
    engine = open_engine(migrated_url)
    is_sqlite = engine.dialect.name == "sqlite"
    explain = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN"
    asked: list[tuple[str, Any]] = []

    @listens_for(engine, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        asked.append((statement, values))

    assert DayRepository(Reader(engine)).figures("2026-11-28")["by_state"] == []
    [(statement, values)] = [one for one in asked if one[0].startswith("SELECT")]
    with engine.connect() as connection:
        if not is_sqlite:
            connection.exec_driver_sql("SET enable_seqscan = off")
        plan = connection.exec_driver_sql(f"{explain} {statement}", values).all()
        kind = connection.exec_driver_sql(
            "SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_payment_day'"
        ).scalars().all() if not is_sqlite else []  # fmt: skip
    engine.dispose()
    assert any("ix_payment_day" in f"{step}" for step in plan), plan
    assert all("USING brin" in one and "autosummarize" in one for one in kind)
