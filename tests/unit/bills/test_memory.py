"""A day four times as long takes no more memory to write."""

import gc
import tracemalloc
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from backend.bills.service import SpooledPaper
from backend.bills.trade import BillType
from backend.db.engine import open_engine
from tests.support.bills import desk_of
from tests.support.clearing import clearing_world
from tests.support.migrated import migrated_sqlite
from tests.support.shop import MERCHANT

DAY = date(2026, 11, 24)
FEW, MANY = 8_000, 32_000


def multiply(url: str, count: int) -> None:
    """Copy the one payment until there are so many."""
    engine = open_engine(url)
    with engine.begin() as connection:
        rows = connection.execute(text("SELECT * FROM payment LIMIT 1")).mappings().all()
        names = [name for name in rows[0] if name != "payment_id"]
        taken = ", ".join(names)
        connection.execute(
            text(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)"
                f" INSERT INTO payment (payment_id, {taken})"  # our own columns
                f" SELECT 'pay_' || :count || '_' || i, {taken}"
                " FROM n, (SELECT * FROM payment LIMIT 1)"
            ),
            {"count": count},
        )
    engine.dispose()


@pytest.mark.asyncio
async def test_the_memory_of_a_bill_does_not_grow_with_the_day(tmp_path: Path) -> None:
    url = migrated_sqlite(tmp_path / "backend.db")
    with clearing_world(url) as world:
        payer = await world.payer_since_yesterday()
        world.sell(payer, 1_000)
        world.next_day()
        assert (await world.day_end.run(DAY))["state"] == "closed"
        desk = desk_of(world)

        async def peak(count: int) -> tuple[int, SpooledPaper]:
            multiply(url, count)
            gc.collect()
            tracemalloc.start()
            paper = await desk.trade_bill(MERCHANT, DAY, BillType.ALL)
            for _ in paper.chunks():
                pass
            used = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return used, paper

        few, short = await peak(FEW)
        many, long = await peak(MANY)
        assert long.size_bytes > 4 * short.size_bytes
        assert many < 2 * few  # a list of the lines would be four times as much
