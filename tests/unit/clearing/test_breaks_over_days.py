"""Breaks over days: into the pool, into LONG and SHORT, back out of them, and to people."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from backend.channels.day_file import DayFile, DayRow, Spool, open_day_file, write_day_file
from backend.channels.model import NUCC
from backend.db.tables import Row
from backend.reconciliation.breaks import Break, BreakClass, BreakStep
from backend.reconciliation.cases import MoveBreak, TakeUpBreak
from backend.reconciliation.repository import ReconciliationRepository
from protocol.errors import CallerError
from protocol.money import Money
from tests.support.clearing import World, clearing_world

DAY, NEXT_DAY, THIRD_DAY = date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 25)
pytestmark = pytest.mark.asyncio
BOOK = f"C:CH:{NUCC}.{DAY}:CNY"


@pytest.fixture
def world(lite_url: str) -> Iterator[World]:
    with clearing_world(lite_url) as world:
        yield world


class Files:
    """Tells the rows of a channel's days otherwise than they are, and pays by what it tells."""

    def __init__(self, world: World) -> None:
        self.world, self.channel = world, world.channels[NUCC]
        self.changes: dict[date, Any] = {}
        self.channel.day_file = self.day_file  # type: ignore[method-assign]
        rows = self.channel.book.rows
        self.channel.book.rows = (  # type: ignore[method-assign]
            lambda day: self.changes.get(day, lambda same: same)(rows(day))
        )

    async def day_file(self, day: date) -> DayFile:
        return open_day_file(Spool.of(write_day_file(day, self.channel.book.rows(day))))


async def run(world: World, day: date) -> Any:
    while world.today <= day:
        world.next_day()
    return await world.day_end.run(day)


def cases(world: World, state: str) -> list[tuple[str, str]]:
    rows: list[Row] = world.shop.rows("SELECT * FROM reconciliation_case ORDER BY kind")
    return [(row["kind"], row["reference"]) for row in rows if row["state"] == state]


def events(world: World) -> list[str]:
    query = "SELECT event FROM reconciliation_case_event ORDER BY break_id, number"
    return [row["event"] for row in world.shop.rows(query)]


async def test_a_row_that_nobody_asked_for_stands_in_long_and_is_posted_once(world: World) -> None:
    await world.payer(10_000)
    files = Files(world)
    files.changes[DAY] = lambda rows: [*rows, DayRow("payment", "pay_x", "C", Money(700, "CNY"))]
    report = await run(world, DAY)
    assert report["reconciliation"]["kinds"] == ["LONG_MISSING_ORDER"]
    assert cases(world, "posted") == [("LONG_MISSING_ORDER", "pay_x")]
    await world.day_end.run(DAY)
    assert world.shop.balance("C:LONG:CNY") == 700
    assert world.shop.balance(BOOK) == 0
    assert events(world) == ["BreakPosted"]
    assert world.shop.verify().is_whole


async def test_a_row_that_is_missing_waits_then_stands_in_short_and_is_recovered(
    world: World,
) -> None:
    await world.payer(10_000)
    (row,) = world.shop.rows("SELECT saga_id FROM saga")
    files = Files(world)
    files.changes[DAY] = lambda _: []
    report = await run(world, DAY)
    assert (report["state"], report["reconciliation"]["breaks"]) == ("closed", 0)
    assert cases(world, "pooled") == [("SHORT_MISSING_CHANNEL", row["saga_id"])]
    await run(world, NEXT_DAY)
    assert cases(world, "pooled")
    await run(world, THIRD_DAY)
    assert cases(world, "posted") == [("SHORT_MISSING_CHANNEL", row["saga_id"])]
    assert (world.shop.balance("C:SHORT:CNY"), world.shop.balance(BOOK)) == (10_000, 0)
    assert world.shop.verify().is_whole


async def test_a_row_that_comes_a_day_late_is_marked_and_nothing_is_missing(world: World) -> None:
    await world.payer(10_000)
    files = Files(world)
    late = files.channel.book.rows(DAY)
    files.changes[DAY] = lambda _: []
    files.changes[NEXT_DAY] = lambda rows: [*rows, *late]
    assert (await run(world, DAY))["state"] == "closed"
    report = await run(world, NEXT_DAY)
    assert (report["state"], report["reconciliation"]["kinds"]) == ("closed", ["CUTOFF"])
    assert len(cases(world, "resolved")) == len(cases(world, "gone")) == 1
    assert sorted(events(world)) == ["BreakMarked", "BreakPooled", "BreakRematched"]
    assert world.shop.balance(BOOK) == world.shop.balance(f"C:CH:{NUCC}.{NEXT_DAY}:CNY") == 0
    assert world.shop.balance("C:LONG:CNY") == 0
    assert world.shop.verify().is_whole


async def test_an_amount_that_differs_keeps_the_day_open_until_a_person_has_decided(
    world: World,
) -> None:
    await world.payer(10_000)
    files = Files(world)
    files.changes[DAY] = lambda rows: [replace(rows[0], amount=Money(10_001, "CNY"))]
    report = await run(world, DAY)
    assert report["state"] == "open"
    assert report["reconciliation"]["kinds"] == ["AMOUNT"]
    (row,) = world.shop.rows("SELECT * FROM reconciliation_case")
    step = MoveBreak(
        follows=row, step=BreakStep.RESOLVE, booked_on=f"{DAY}", actor="operator:li", words="by fax"
    )
    world.shop.do(step)
    with pytest.raises(CallerError):
        world.shop.do(step)
    assert (await run(world, DAY))["reconciliation"]["breaks"] == 0


async def test_what_is_short_is_written_off_by_a_person(world: World) -> None:
    await world.payer(10_000)
    files = Files(world)
    files.changes[DAY] = lambda _: []
    for day in (DAY, NEXT_DAY, THIRD_DAY):
        await run(world, day)
    (row,) = world.shop.rows("SELECT * FROM reconciliation_case")
    world.shop.do(MoveBreak(follows=row, step=BreakStep.WRITE_OFF, booked_on=f"{THIRD_DAY}"))
    assert world.shop.balance("C:SHORT:CNY") == 0
    assert world.shop.balance("O:LOSS:CNY") == 10_000
    assert cases(world, "written_off")


async def test_a_row_that_stood_in_its_own_day_s_file_is_a_duplicate_in_another_s(
    world: World,
) -> None:
    await world.payer(10_000)
    files = Files(world)
    again = files.channel.book.rows(DAY)
    for day in (NEXT_DAY, THIRD_DAY):
        files.changes[day] = lambda rows: [*rows, *again]
    assert (await run(world, DAY))["state"] == "closed"
    for day in (NEXT_DAY, THIRD_DAY):
        report = await run(world, day)
        assert report["reconciliation"]["kinds"] == ["DUPLICATE"]
        assert world.shop.balance(f"C:CH:{NUCC}.{day}:CNY") == 0
    assert world.shop.balance(BOOK) == 0
    assert world.shop.balance("C:LONG:CNY") == 20_000
    assert world.shop.verify().is_whole


async def test_what_is_long_is_posted_when_the_money_has_come(world: World) -> None:
    await world.payer(10_000)
    files = Files(world)
    extra = DayRow("payment", "pay_x", "C", Money(700, "CNY"))

    async def told(day: date) -> DayFile:
        rows = [*files.channel.book.rows(day), *([extra] if day == DAY else [])]
        return open_day_file(Spool.of(write_day_file(day, rows)))

    files.channel.day_file = told  # type: ignore[method-assign]
    report = await run(world, DAY)
    assert (report["state"], cases(world, "pooled")) == ("open", [("LONG_MISSING_ORDER", "pay_x")])
    settled = ReconciliationRepository.settled

    async def borne_out(
        self: ReconciliationRepository, references: Sequence[str]
    ) -> dict[str, int]:
        found = await settled(self, references)
        return {one: came + 700 * one.endswith(f"{DAY:%Y%m%d}") for one, came in found.items()}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ReconciliationRepository, "settled", borne_out)
        await world.day_end.run(DAY)
    assert cases(world, "posted") == [("LONG_MISSING_ORDER", "pay_x")]
    assert world.shop.balance("C:LONG:CNY") == 700


async def test_what_had_gone_and_comes_back_is_for_people_on_the_day_that_finds_it(
    world: World,
) -> None:
    found = Break(BreakClass.POSITION, "statement", "RESERVE", 1, 2)

    def take(day: date) -> Row:
        row: Row = world.shop.do(
            TakeUpBreak(
                found=found,
                business_date=f"{day}",
                currency="CNY",
                step=BreakStep.HAND_OVER,
                booked_on=f"{day}",
            )
        )
        return row

    first = take(DAY)
    world.shop.do(MoveBreak(follows=first, step=BreakStep.REMATCH, booked_on=f"{DAY}"))
    assert take(NEXT_DAY)["state"] == "waiting"
    assert events(world)[-1] == "BreakHandedOver"
    assert replace(found, ours_minor=900_000).break_id != found.break_id
