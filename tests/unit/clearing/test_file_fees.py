"""The fees that a channel's file tells, against the price that configuration names."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.channels.facts import DEFAULT_FACTS, CostTerms
from backend.channels.model import CUP, NUCC
from backend.reconciliation.fees import priced
from backend.reconciliation.sides import Side
from backend.sandbox.unionpay.day_files import fee_minor
from protocol.money import Money
from tests.support.channel_world import CARD_TOKEN
from tests.support.clearing import World, clearing_world
from tests.unit.clearing.conftest import pays_with
from tests.unit.clearing.test_breaks_over_days import DAY, NEXT_DAY, Files, cases, events, run

ROUNDING, COST = "O:ROUNDING:CNY", "O:COST_PAYABLE:CNY"


@pytest.fixture
def world(lite_url: str) -> Iterator[World]:
    """The clearing house charges 0.5 % and tells it in its file."""
    with clearing_world(lite_url) as world:
        world.near.open("CARD-1", 100_000)
        world.channels[NUCC].book.bind(CARD_TOKEN, "CARD-1")
        world.prices[NUCC] = CostTerms(rate_ppm=5_000)
        yield world


async def paid_and_charged(world: World, fee_minor: int) -> tuple[str, Files]:
    """A payment of 10 yuan, and files that tell this fee for it."""
    payment_id = str(world.shop.pay(pays_with(world, "card", CARD_TOKEN), 1_000)["payment_id"])
    await world.runner.settle(date.max)
    files = Files(world)
    files.changes[DAY] = lambda rows: charged(rows, fee_minor)
    return payment_id, files


def charged(rows: Any, fee_minor: int) -> list[Any]:
    return [replace(row, fee=Money(fee_minor, "CNY")) for row in rows]


@pytest.mark.asyncio
@pytest.mark.parametrize(("fee", "cost"), [(5, 5), (6, 6), (4, 4)])
async def test_a_fee_that_agrees_or_is_rounded_otherwise_closes_the_day(
    world: World, fee: int, cost: int
) -> None:
    """What we owe the channel is what it charges; the fen between is rounding."""
    payment_id, _ = await paid_and_charged(world, fee)
    report = await run(world, DAY)
    assert (report["state"], report["reconciliation"]["breaks"]) == ("closed", 0)
    is_rounded = fee != 5
    assert cases(world, "resolved") == [("FEE", payment_id)] * is_rounded
    assert events(world) == ["BreakRounded"] * is_rounded
    assert world.shop.balance(COST) == cost
    assert world.shop.verify().is_whole


@pytest.mark.asyncio
async def test_a_channel_that_charges_more_keeps_the_day_open_until_its_file_is_right(
    world: World,
) -> None:
    payment_id, files = await paid_and_charged(world, 7)
    report = await run(world, DAY)
    assert (report["state"], report["reconciliation"]["kinds"]) == ("open", ["FEE"])
    [row] = world.shop.rows("SELECT * FROM reconciliation_case")
    assert (row["kind"], row["reference"], row["state"]) == ("FEE", payment_id, "waiting")
    assert (row["ours_minor"], row["theirs_minor"]) == (5, 7)
    files.changes[DAY] = lambda rows: charged(rows, 5)
    assert (await run(world, DAY))["state"] == "closed"
    assert cases(world, "gone") == [("FEE", payment_id)]
    assert world.shop.balance(ROUNDING) == 0


@pytest.mark.asyncio
async def test_a_row_of_another_day_is_charged_as_on_its_own(world: World) -> None:
    """The order stands in the next day's file: explained by the date, but for its fee."""
    payment_id, files = await paid_and_charged(world, 5)
    rows = charged(files.channel.book.rows(DAY), 9)
    files.changes[DAY] = lambda _: []
    files.changes[NEXT_DAY] = lambda own: [*own, *rows]
    await run(world, DAY)
    report = await run(world, NEXT_DAY)
    assert report["reconciliation"]["kinds"] == ["CUTOFF", "FEE"]
    assert cases(world, "waiting") == [("FEE", payment_id)]


@given(st.integers(1, 10**11))
def test_unionpay_charges_what_its_default_price_says(amount_minor: int) -> None:
    terms = DEFAULT_FACTS[CUP].cost
    assert terms.charged_minor(amount_minor) == fee_minor(amount_minor)


def test_what_goes_back_is_charged_by_the_item_only() -> None:
    terms = CostTerms(item_micro=25_000, rate_ppm=10_000)
    sides = [Side("a", 1_000, "CNY"), Side("b", -1_000, "CNY")]
    assert [one.fee_minor for one in priced(sides, terms)] == [13, 3]
