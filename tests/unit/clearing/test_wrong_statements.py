"""The reserve's statement is wrong first and right later: named, followed, and nothing stays."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from backend.channels.iso20022 import Statement, StatementEntry
from backend.channels.model import NUCC
from backend.clearing.limits import CORRECTIONS_PER_ENTRY_MAX
from backend.reconciliation.breaks import BreakStep
from backend.reconciliation.cases import MoveBreak
from protocol.money import Money
from tests.support.clearing import World
from tests.support.institutions import RESERVE
from tests.unit.clearing.test_channel_days import (
    DAY,
    NEXT_DAY,
    PAYOUT_ACCOUNT,
    check_closed,
    sell,
)

pytestmark = pytest.mark.asyncio
SETTLEMENT = f"STL-{NUCC}-{DAY:%Y%m%d}"
Change = Callable[[Sequence[StatementEntry]], list[StatementEntry]]


class Statements:
    """The bank's statements, told otherwise: the balances are those of what is told."""

    def __init__(self, world: World) -> None:
        self.change: Change = list
        self._true = world.near.statement
        world.near.statement = self.told  # type: ignore[method-assign]

    async def told(self, account: str, day: date) -> Statement:
        true = await self._true(account, day)
        if account != RESERVE:
            return true
        entries = tuple(self.change(true.entries))
        total = sum(entry.amount.amount_minor for entry in entries)
        closing = Money(true.opening.amount_minor + total, "CNY")
        return replace(true, entries=entries, closing=closing)


def more(reference: str, minor: int) -> Change:
    """An entry whose amount is off."""
    return lambda entries: [
        replace(one, amount=Money(one.amount.amount_minor + minor, "CNY"))
        if one.reference.startswith(reference)
        else one
        for one in entries
    ]


def without(reference: str) -> Change:
    return lambda entries: [one for one in entries if not one.reference.startswith(reference)]


def twice(reference: str) -> Change:
    return lambda entries: [
        *entries, *(one for one in entries if one.reference.startswith(reference)),
    ]  # fmt: skip


def beside(reference: str, minor: int) -> Change:
    """One entry more on the day."""
    more_of_it = StatementEntry(reference, Money(minor, "CNY"), DAY)
    return lambda entries: [*entries, *([more_of_it] if entries[0].booking_date == DAY else [])]


def waiting(world: World) -> list[tuple[str, str, str]]:
    rows = world.shop.rows(
        "SELECT kind, source, reference FROM reconciliation_case WHERE state = 'waiting'"
        " ORDER BY kind, source"
    )
    return [(row["kind"], row["source"], row["reference"].split(".")[0][:4]) for row in rows]


BY_FUNDS = [("FUNDS", f"channel {NUCC}", "NUCC")]
NOT_COVERED = [
    *BY_FUNDS, ("LONG_MISSING_ORDER", "statement", "pyo_"), ("POSITION", "statement", "RESE"),
]  # fmt: skip
"""Less came than the bank has paid out: the payout waits with it."""


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (more("STL-NUCC", 1), BY_FUNDS),
        (more("STL-NUCC", -7_000), NOT_COVERED),
        (
            more("STL-ADVBANK", 1),
            [("FUNDS", "channel ADVBANK", "ADVB"), ("POSITION", "statement", "RESE")],
        ),
        (more("pyo_", -1), [("AMOUNT", "statement", "pyo_"), ("POSITION", "statement", "RESE")]),
        (without("STL-NUCC"), NOT_COVERED),
        (
            twice("STL-NUCC"),
            [("DUPLICATE", "statement", "STL-"), ("POSITION", "statement", "RESE")],
        ),
        (twice("pyo_"), [("DUPLICATE", "statement", "pyo_"), ("POSITION", "statement", "RESE")]),
    ],
)
async def test_it_is_named_and_the_day_closes_with_the_right_one(
    channel_world: World, change: Change, named: Any
) -> None:
    world, statements = channel_world, Statements(channel_world)
    await sell(world)
    world.next_day()
    statements.change = change
    for _ in range(2):
        report = await world.day_end.run(DAY)
        assert (report["state"], report["swept_minor"]) == ("open", 0)
        assert waiting(world) == named
    statements.change = list
    check_closed(world, await world.day_end.run(DAY))
    assert waiting(world) == []
    check_closed(world, await world.day_end.run(DAY))


async def test_each_correction_is_posted_by_its_difference_and_nothing_is_changed(
    channel_world: World,
) -> None:
    world, statements = channel_world, Statements(channel_world)
    await sell(world)
    world.next_day()
    for minor in (5, -3, -3):
        statements.change = more(SETTLEMENT, minor)
        await world.day_end.run(DAY)
    statements.change = list
    report = await world.day_end.run(DAY)
    check_closed(world, report)
    window = next(one for one in report["windows"] if one["channel_id"] == NUCC)
    assert window["net_minor"] == window["settled_minor"] == report["channels"][NUCC] == 12_000
    posted = {
        row["id"].removeprefix(SETTLEMENT): row["amount_minor"]
        for row in world.shop.rows("SELECT id, amount_minor FROM ledger_transfer")
        if row["id"].startswith(SETTLEMENT)
    }
    assert posted == {":1": 12_005, ".1:1": 8, ".2:1": 3}


async def test_a_bank_that_never_agrees_with_itself_is_for_people(channel_world: World) -> None:
    world, statements = channel_world, Statements(channel_world)
    await sell(world)
    world.next_day()
    for number in range(CORRECTIONS_PER_ENTRY_MAX + 2):
        statements.change = more(SETTLEMENT, number + 1)
        report = await world.day_end.run(DAY)
    assert report["state"] == "open"
    kinds = {kind for kind, _, _ in waiting(world)}
    assert {"AMOUNT", "FUNDS", "POSITION"} <= kinds
    assert world.shop.verify().is_whole


async def test_what_is_told_otherwise_of_a_closed_day_is_a_break_and_posts_nothing(
    channel_world: World,
) -> None:
    world, statements = channel_world, Statements(channel_world)
    await sell(world)
    world.next_day()
    check_closed(world, await world.day_end.run(DAY))
    world.next_day()
    statements.change = more(SETTLEMENT, 1)
    report = await world.day_end.run(NEXT_DAY)
    assert report["state"] == "open"
    assert waiting(world) == [("AMOUNT", "statement", "STL-")]
    assert world.shop.balance(f"C:CH:{NUCC}.{DAY}:CNY") == 0
    statements.change = list
    assert (await world.day_end.run(NEXT_DAY))["state"] == "closed"
    assert world.shop.verify().is_whole


async def test_a_wrong_figure_that_a_person_let_pass_is_evened_by_the_bank_s_correction(
    channel_world: World,
) -> None:
    world, statements = channel_world, Statements(channel_world)
    await sell(world)
    world.next_day()
    statements.change = more(SETTLEMENT, 1)
    await world.day_end.run(DAY)
    [row] = world.shop.rows("SELECT * FROM reconciliation_case WHERE state = 'waiting'")
    await world.submit(MoveBreak(follows=row, step=BreakStep.RESOLVE, booked_on=f"{NEXT_DAY}"))
    assert (await world.day_end.run(DAY))["state"] == "closed"
    assert world.shop.balance(f"C:CH:{NUCC}.{DAY}:CNY") == -1
    world.next_day()
    statements.change = list
    assert (await world.day_end.run(NEXT_DAY))["state"] == "closed"
    assert world.shop.balance(f"C:CH:{NUCC}.{DAY}:CNY") == 0


@pytest.mark.parametrize("reference", [f"STL-CUP-{DAY:%Y%m%d}", f"INT-{DAY:%Y%m%d}"])
async def test_an_entry_of_nothing_lacks_nothing_and_the_day_closes(
    channel_world: World, reference: str
) -> None:
    world, statements = channel_world, Statements(channel_world)
    await sell(world)
    world.next_day()
    statements.change = beside(reference, 0)
    for _ in range(2):
        check_closed(world, await world.day_end.run(DAY))
    assert waiting(world) == []


@pytest.mark.parametrize("reference", ["STL-A B-20261123", "INT-2026/11", "STL-利息-20261123"])
async def test_a_reference_that_no_event_has_is_named_and_stops_nobody_s_money(
    channel_world: World, reference: str
) -> None:
    world, statements = channel_world, Statements(channel_world)
    await sell(world)
    world.next_day()
    statements.change = beside(reference, 500)
    for _ in range(2):
        assert (await world.day_end.run(DAY))["state"] == "open"
        assert waiting(world) == [("LONG_MISSING_ORDER", "statement", reference[:4])]
        assert world.at_bank(PAYOUT_ACCOUNT) == 14_000 - 84
    statements.change = list
    check_closed(world, await world.day_end.run(DAY))


def paid_interest(world: World) -> None:
    """Seven fen, booked on the morning after the day."""
    world.near.open("RESERVE-BANK", 1_000)
    with world.near.bank.transaction():
        seven = Money(7, "CNY")
        world.near.bank.move("INT-20261124", "RESERVE-BANK", RESERVE, seven, NEXT_DAY, "interest")


async def test_interest_that_the_bank_corrects_is_followed(channel_world: World) -> None:
    world, statements = channel_world, Statements(channel_world)
    await sell(world)
    world.next_day()
    paid_interest(world)
    for minor in (4, -2, 0):
        statements.change = more("INT-", minor)
        report = await world.day_end.run(DAY)
    assert (report["state"], report["interest"]["paid_minor"]) == ("closed", 7)
    assert world.shop.balance("O:INTEREST:CNY") == 7
    assert world.shop.verify().is_whole


async def test_a_known_reference_on_another_day_is_no_correction(channel_world: World) -> None:
    world, statements = channel_world, Statements(channel_world)
    await sell(world)
    world.next_day()
    paid_interest(world)
    await world.day_end.run(DAY)
    statements.change = lambda entries: [
        replace(one, booking_date=DAY, amount=Money(9, "CNY"))
        if one.reference.startswith("INT-")
        else one
        for one in entries
    ]
    report = await world.day_end.run(DAY)
    assert world.shop.balance("O:INTEREST:CNY") == 7
    assert ("AMOUNT", "statement", "INT-") in waiting(world)
    assert (report["state"], report["reserve_test"]["passed"]) == ("open", False)
