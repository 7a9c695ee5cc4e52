"""The terminal's numbers: stored once, told again for ever, never the same twice."""

import asyncio
from collections.abc import Iterator

import pytest

from backend.channels.iso8583.limits import BATCH_MAX
from backend.channels.iso8583.messages import Kind
from backend.channels.unionpay_ports import TraceWish, TraceWord
from backend.unionpay_trace.limits import NUMBERS_PER_BATCH_MAX
from backend.unionpay_trace.service import TakeNumber, TakeTrace
from tests.support.iso8583_messages import MID, TID
from tests.support.shop import START_MS, Shop
from tests.support.unionpay_world import sql_traces

pytestmark = pytest.mark.asyncio


@pytest.fixture
def shop(migrated_url: str) -> Iterator[Shop]:
    shop = Shop(migrated_url)
    yield shop
    shop.close()


def a_wish(own_id: str = "pay_1", kind: Kind = Kind.SALE, amount_minor: int = 100) -> TraceWish:
    return TraceWish(
        own_id=own_id, kind=kind, amount_minor=amount_minor, token="tok_1", at_ms=START_MS
    )


async def test_the_same_id_keeps_its_numbers_and_another_gets_the_next(shop: Shop) -> None:
    traces = sql_traces(shop)
    first = await traces.take(a_wish())
    assert (first.is_new, first.trace.batch, first.trace.stan) == (True, 1, 1)
    assert (first.trace.date, first.trace.time) == ("1123", "120000")
    again = await traces.take(a_wish(amount_minor=999))
    assert (again.is_new, again.trace, again.amount_minor) == (False, first.trace, 100)
    assert (await traces.take(a_wish("pay_2"))).trace.stan == 2
    found = await traces.find("pay_1")
    assert found is not None
    assert found.trace == first.trace
    assert await traces.find("pay_3") is None


async def test_numbers_taken_in_one_group_differ(shop: Shop) -> None:
    outcomes = shop.apply(*(TakeTrace(TID, MID, a_wish(f"pay_{n}")) for n in range(50)))
    numbers = {(row["batch"], row["stan"]) for row, _ in (one.value() for one in outcomes)}
    assert len(numbers) == 50


async def test_after_the_last_number_comes_the_next_batch(shop: Shop) -> None:
    outcomes = shop.apply(*(TakeNumber(TID) for _ in range(NUMBERS_PER_BATCH_MAX + 1)))
    numbers = [one.value() for one in outcomes]
    assert len(set(numbers)) == len(numbers)
    assert numbers[-2:] == [(1, NUMBERS_PER_BATCH_MAX), (2, 1)]
    assert await sql_traces(shop).open_batches() == [1, 2]


async def test_after_the_last_batch_comes_the_first(shop: Shop) -> None:
    shop.do(TakeNumber(TID))
    with shop._engine.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE unionpay_terminal SET batch = {BATCH_MAX}, settled_batch = {BATCH_MAX - 1}"
        )
    traces = sql_traces(shop)
    assert await traces.open_batches() == [BATCH_MAX]
    await traces.close_batch(BATCH_MAX)
    assert await traces.open_batches() == [1]


async def test_a_batch_counts_what_moved_and_was_not_undone(shop: Shop) -> None:
    traces = sql_traces(shop)
    for own_id, kind, counts in (
        ("pay_1", Kind.SALE, True),
        ("pay_2", Kind.SALE, False),
        ("rfd_1", Kind.REFUND, True),
    ):
        await traces.take(a_wish(own_id, kind))
        word = TraceWord(
            own_id=own_id, code="00", rrn="1", settlement_date="2026-11-23", counts=counts
        )
        await traces.note(word)
    totals, rows = await traces.batch(1)
    assert (totals.debit_minor, totals.debit_count) == (100, 1)
    assert (totals.credit_minor, totals.credit_count) == (100, 1)
    assert [row.stan for row in rows] == [1, 3]
    assert await traces.open_batches() == [1]
    await traces.close_batch(1)
    await traces.close_batch(1)
    assert await traces.open_batches() == [2]
    assert (await asyncio.gather(traces.next_number()))[0].batch == 2
