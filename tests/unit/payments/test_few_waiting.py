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
