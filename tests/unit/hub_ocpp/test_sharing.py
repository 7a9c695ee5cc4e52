"""Two cars at one charger under one mandate: together they ask for no more than its room."""

from dataclasses import replace
from typing import Any

import pytest

from hub.ocpp import sharing
from hub.ocpp.limits import BESIDE_AHEAD_MS_MAX
from hub.ocpp.model import Charge, ChargeState
from tests.support.charging import CARD, ChargingStop
from tests.support.shop import Shop
from tests.unit.hub_ocpp.conftest import MakeStop
from tests.unit.hub_ocpp.test_model import RUNNING

OF_A_DAY: dict[str, Any] = {
    "device": "charger-1",
    "limit_payment_minor": 400,
    "limit_day_minor": 400,
}
MINE = replace(RUNNING, mandate_id="mdt_1", limit_minor=1_000)
BESIDE = replace(MINE, payment_id="pay_2", connector=2, number=2)
OWED = replace(BESIDE, state=ChargeState.OWED, amount_minor=300, ended_at_ms=20_000)


def metered(charge: Charge, wh: int) -> Charge:
    """20 s later, by our clock too."""
    return charge.read(1_000 + wh, at_ms=30_000, heard_at_ms=30_000)


def test_what_runs_beside_leaves_its_cost_out_of_the_room() -> None:
    mine, beside = metered(MINE, 3_000), metered(BESIDE, 3_000)
    assert not mine.reaches_limit(30_000), "alone, it has half of the room left"
    assert sharing.reaches_limit(mine, [mine, beside], 30_000)
    assert sharing.reaches_limit(beside, [mine, beside], 30_000)
    for other in (
        replace(beside, mandate_id="mdt_2"),
        replace(beside, state=ChargeState.PAID),
        replace(beside, state=ChargeState.ASKED),
    ):
        assert not sharing.reaches_limit(mine, [mine, other], 30_000)
    code = replace(mine, mandate_id=None)
    assert not sharing.reaches_limit(code, [code, replace(beside, mandate_id=None)], 30_000)


def test_a_charge_that_lost_its_end_takes_of_the_room_no_more_than_it_had() -> None:
    lost = metered(BESIDE, 1_000)
    soon, late = (
        sharing.beside_minor([MINE, lost], "mdt_1", 30_000 + gap_ms, but="pay_1")
        for gap_ms in (BESIDE_AHEAD_MS_MAX, 86_400_000)
    )
    assert lost.cost_minor < soon == late < 400


def test_what_is_asked_at_the_end_leaves_out_what_others_ask() -> None:
    mine = metered(MINE, 6_000)
    assert sharing.capped(mine, [mine, metered(BESIDE, 6_000)]) == mine, "the first has all"
    ended = sharing.capped(mine, [mine, OWED]).end(None, at_ms=30_000, reason="Local")
    assert ended.amount_minor == 700
    assert sharing.capped(mine, [mine, replace(OWED, amount_minor=2_000)]).limit_minor == 0


def test_a_room_that_is_told_while_a_debit_is_on_its_way_only_falls() -> None:
    assert sharing.retold(MINE, [MINE], 2_000).limit_minor == 2_000
    for told, limit in ((1_000, 1_000), (700, 1_000), (650, 950), (2_000, 1_000)):
        assert sharing.retold(MINE, [MINE, OWED], told).limit_minor == limit
    paid = replace(OWED, state=ChargeState.PAID)
    assert [one.limit_minor for one in sharing.after_debit(OWED, paid, [MINE, paid])] == [700]
    assert sharing.after_debit(replace(OWED, state=ChargeState.ASKED), paid, [MINE]) == []


async def two_cars(shop: Shop, stop: MakeStop) -> tuple[ChargingStop, str]:
    payer = shop.add_payer(balance_minor=50_000)
    one = stop()
    one.bind(shop.add_mandate(payer, **OF_A_DAY))
    await one.power_on()
    for connector in (1, 2):
        await one.do("plug", connector, 22_000)
        await one.do("tap", CARD, connector)
    await one.pass_s(60)
    assert [charge.state for charge in one.charges()] == [ChargeState.RUNNING] * 2
    return one, payer


def check_paid(one: ChargingStop, payer: str, *, least_minor: int) -> None:
    charges = one.charges()
    assert [charge.state for charge in charges] == [ChargeState.PAID] * 2
    paid_minor = sum(charge.amount_minor for charge in charges)
    assert least_minor < paid_minor <= 400
    assert one.shop.payer_balance(payer) == 50_000 - paid_minor


@pytest.mark.asyncio
async def test_two_cars_stop_when_together_they_reach_the_days_limit(
    shop: Shop, stop: MakeStop
) -> None:
    one, payer = await two_cars(shop, stop)
    await one.pass_s(400)
    check_paid(one, payer, least_minor=380)
    assert {charge.end_reason for charge in one.charges()} == {"limit_reached"}
    assert all(charge.cost_minor - charge.amount_minor < 10 for charge in one.charges())


@pytest.mark.asyncio
async def test_two_cars_that_no_stop_reached_are_asked_for_no_more_than_the_room(
    shop: Shop, stop: MakeStop
) -> None:
    one, payer = await two_cars(shop, stop)
    await one.cut()
    await one.pass_s(600)
    for connector in (1, 2):
        await one.do("unplug", connector)
    await one.mend()
    await one.pass_s(60)
    first, second = sorted(one.charges(), key=lambda charge: charge.amount_minor, reverse=True)
    assert (first.state, first.amount_minor) == (ChargeState.PAID, 400)
    assert (second.state, second.amount_minor) == (ChargeState.FREE, 0)
    assert shop.payer_balance(payer) == 50_000 - 400


@pytest.mark.asyncio
async def test_a_car_may_go_on_with_what_the_other_has_left(shop: Shop, stop: MakeStop) -> None:
    one, payer = await two_cars(shop, stop)
    await one.do("unplug", 1)
    await one.pass_s(60)
    charges = {charge.connector: charge for charge in one.charges()}
    assert (charges[1].state, charges[2].state) == (ChargeState.PAID, ChargeState.RUNNING)
    assert charges[2].limit_minor == 400 - charges[1].amount_minor
    await one.pass_s(600)
    check_paid(one, payer, least_minor=380)


@pytest.mark.asyncio
async def test_a_debit_whose_answer_is_on_its_way_counts_once_for_who_begins(
    shop: Shop, stop: MakeStop
) -> None:
    """The backend has taken it out of the room that it tells, and we have not heard of it."""
    payer = shop.add_payer(balance_minor=50_000)
    one = stop()
    one.bind(shop.add_mandate(payer, **OF_A_DAY))
    await one.power_on()
    await one.do("plug", 1, 22_000)
    await one.do("tap", CARD, 1)
    await one.pass_s(240)
    one.backend.loses = lambda kind: "answer" if kind == "payment.create" else ""
    await one.do("unplug", 1)
    [first] = one.charges()
    assert (first.state, first.amount_minor > 200) == (ChargeState.OWED, True)
    assert shop.payer_balance(payer) == 50_000 - first.amount_minor
    await one.do("plug", 2, 22_000)
    await one.do("tap", CARD, 2)
    second, first = one.charges()
    assert (first.state, second.state) == (ChargeState.PAID, ChargeState.RUNNING)
    assert second.limit_minor == 400 - first.amount_minor
    one.backend.loses = lambda _: ""
    await one.pass_s(600)
    check_paid(one, payer, least_minor=380)
