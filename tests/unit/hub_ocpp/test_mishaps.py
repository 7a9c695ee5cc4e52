"""Whatever breaks on the way, a charge is paid once and for what was metered."""

import asyncio
import random
from typing import Any

import pytest

from backend.mandates.model import MandateCommand
from hub.ocpp.beginning import Beginning
from hub.ocpp.limits import TICK_S
from hub.ocpp.model import ChargeState, ChargeStep
from tests.kit.patience import PATIENCE_S
from tests.support.charging import CARD, CHARGER, ChargingStop
from tests.support.mandates import payer_says
from tests.support.shop import Shop
from tests.unit.hub_ocpp.conftest import MakeStop

pytestmark = pytest.mark.asyncio
MANDATE: dict[str, Any] = {
    "device": "charger-1",
    "limit_payment_minor": 5_000,
    "limit_day_minor": 20_000,
}


async def charging(shop: Shop, stop: MakeStop, **options: int) -> tuple[ChargingStop, str]:
    payer = shop.add_payer(balance_minor=50_000)
    one = stop(**options)
    one.bind(shop.add_mandate(payer, **MANDATE))
    await one.power_on()
    await one.do("plug", 1, 11_000)
    await one.do("tap", CARD, None)
    return one, payer


def check_paid_once(one: ChargingStop, payer: str, energy_wh: int) -> None:
    [charge] = one.charges()
    assert (charge.state, charge.energy_wh) == (ChargeState.PAID, energy_wh)
    [payment] = one.payments()
    assert payment["amount_minor"] == charge.amount_minor
    assert one.shop.payer_balance(payer) == 50_000 - charge.amount_minor
    assert one.shop.verify().is_whole


async def test_a_charge_while_the_line_is_down_is_paid_when_it_is_back(
    shop: Shop, stop: MakeStop
) -> None:
    one, payer = await charging(shop, stop)
    await one.pass_s(60)
    await one.cut()
    await one.pass_s(240)
    await one.do("unplug", 1)
    await one.pass_s(60)
    assert one.payments() == []
    await one.mend()
    await one.pass_s(60)
    check_paid_once(one, payer, 916)
    assert one.charges()[0].amount_minor == 137 + 30


@pytest.mark.parametrize("action", ["begin", "end"])
async def test_what_a_charger_says_again_is_one_thing(
    shop: Shop, stop: MakeStop, action: str
) -> None:
    payer = shop.add_payer(balance_minor=50_000)
    one = stop()
    one.bind(shop.add_mandate(payer, **MANDATE))
    await one.power_on()
    is_16 = one.subprotocol == "ocpp1.6"
    begin, end = ("StartTransaction", "StopTransaction") if is_16 else ("TransactionEvent",) * 2
    await one.do("plug", 1, 11_000)
    if action == "begin":
        one.loses_answers_to = {begin}
    await one.do("tap", CARD, None)
    if action == "begin":
        await one.mend()
    await one.pass_s(300)
    if action == "end":
        one.loses_answers_to = {end}
    await one.do("unplug", 1)
    if action == "end":
        await one.mend()
    await one.pass_s(60)
    said = one.said_of(begin if action == "begin" else end)
    assert any(said.count(call) == 2 for call in said), "the charger has said it twice"
    assert len(one.charges()) == 1
    check_paid_once(one, payer, one.charges()[0].energy_wh)


async def test_a_charge_that_began_without_a_line_under_a_suspended_mandate_is_a_persons(
    shop: Shop, stop: MakeStop
) -> None:
    payer = shop.add_payer(balance_minor=50_000)
    mandate = shop.add_mandate(payer, **MANDATE)
    one = stop()
    one.bind(mandate)
    await one.power_on()
    await one.do("tap", CARD, 1)
    payer_says(shop, payer, mandate, MandateCommand.SUSPEND)
    one.is_reachable = False
    await one.do("plug", 1, 11_000)
    await one.pass_s(120)
    await one.cut()
    await one.mend()
    await one.pass_s(5)
    [charge] = one.charges()
    assert (charge.state, charge.error_code) == (ChargeState.UNSETTLED, "mandate_inactive")
    assert charge.amount_minor == charge.cost_minor > 0, "what is owed stays known"
    assert shop.payer_balance(payer) == 50_000


@pytest.mark.parametrize("fate", ["request", "answer"])
async def test_a_lost_debit_is_said_again_and_taken_once(
    shop: Shop, stop: MakeStop, fate: str
) -> None:
    one, payer = await charging(shop, stop)
    await one.pass_s(300)
    lost = iter([fate, fate, fate])
    one.backend.loses = lambda kind: next(lost, "") if kind == "payment.create" else ""
    await one.do("unplug", 1)
    await one.pass_s(60)
    assert one.backend.asked.count("payment.create") == 4
    check_paid_once(one, payer, 916)


@pytest.mark.parametrize("seed", range(2))
async def test_killed_hubs_charge_nothing_twice_and_lose_nothing(
    shop: Shop, stop: MakeStop, seed: int
) -> None:
    luck = random.Random(seed)
    one, payer = await charging(shop, stop)
    is_plugged = True
    for _ in range(4):
        gap_s = luck.choice([3, 20, 60])
        await one.pass_s(gap_s)
        if luck.random() < 0.3 and is_plugged:
            await one.do("unplug", 1)
            is_plugged = False
        one.kill()
        one.begin()
        await one.cut()
        await one.pass_s(luck.choice([0, 20]))
        await one.mend()
    if is_plugged:
        await one.do("unplug", 1)
    await one.pass_s(120)
    [charge] = one.charges()
    check_paid_once(one, payer, one.station.outlets[1].meter.register_wh)
    assert charge.energy_wh > 0


async def test_a_charge_that_nobody_can_pay_for_is_shown_as_unsettled(
    shop: Shop, stop: MakeStop
) -> None:
    payer = shop.add_payer(balance_minor=50)
    one = stop()
    one.bind(shop.add_mandate(payer, **MANDATE))
    await one.power_on()
    await one.do("plug", 1, 11_000)
    await one.do("tap", CARD, None)
    await one.pass_s(300)
    await one.do("unplug", 1)
    await one.pass_s(30)
    [charge] = one.charges()
    assert (charge.state, charge.error_code) == (ChargeState.UNSETTLED, "insufficient_balance")
    assert one.backend.asked.count("payment.create") == 1


async def test_the_debt_of_a_charger_that_was_revoked_is_a_persons_and_not_asked_again(
    shop: Shop, stop: MakeStop
) -> None:
    one, _ = await charging(shop, stop)
    await one.pass_s(300)
    one.backend.hub_refuses = "device_revoked"
    one.registry.stopped.add("charger-1")
    await one.pass_s(1)
    await one.do("unplug", 1)
    await one.pass_s(30)
    [charge] = one.charges()
    assert (charge.state, charge.error_code) == (ChargeState.UNSETTLED, "device_revoked")
    assert charge.amount_minor > 0, "what is owed stays known"
    assert one.backend.asked.count("payment.create") == 1
    asked = len(one.backend.asked)
    one.kill()
    one.begin()
    one.is_reachable = True
    await one.pass_s(600)
    assert len(one.backend.asked) == asked, "nobody asks for ever"
    assert not one.payments()


async def test_a_debit_in_doubt_is_a_persons_once_the_charger_is_revoked(
    shop: Shop, stop: MakeStop
) -> None:
    one, _ = await charging(shop, stop)
    await one.pass_s(300)
    one.backend.loses = lambda kind: "answer" if kind == "payment.create" else ""
    await one.do("unplug", 1)
    await one.pass_s(1)
    assert one.charges()[0].state is ChargeState.OWED
    one.backend.hub_refuses = "device_revoked"
    await one.pass_s(120)
    [charge] = one.charges()
    assert (charge.state, charge.error_code) == (ChargeState.UNSETTLED, "device_revoked")


@pytest.mark.parametrize("who", ["hub", "backend"])
@pytest.mark.parametrize("is_asked", [False, True])
async def test_a_debt_of_a_device_that_nobody_knows_is_asked_for_again_once_the_registry_changes(
    shop: Shop, stop: MakeStop, who: str, is_asked: bool
) -> None:
    one, payer = await charging(shop, stop)
    await one.pass_s(300)
    if is_asked:
        one.backend.loses = lambda kind: "answer" if kind == "payment.create" else ""
    else:
        one.backend.loses = lambda kind: "request" if kind == "payment.create" else ""
    await one.do("unplug", 1)
    await one.pass_s(1)
    one.backend.loses = lambda _: ""
    if who == "hub":
        one.backend.hub_refuses, one.registry.row = "device_unknown", None
    else:
        one.backend.refuses = "device_unknown"
    await one.pass_s(30)
    [charge] = one.charges()
    assert (charge.state, charge.error_code) == (ChargeState.UNSETTLED, "device_unknown")
    assert charge.amount_minor > 0
    asked = len(one.backend.asked)
    one.kill()
    one.begin()
    one.is_reachable = True
    await one.pass_s(3_600)
    assert len(one.backend.asked) == asked, "the same row has the same answer"
    one.backend.hub_refuses = one.backend.refuses = ""
    one.registry.row = 2
    await one.pass_s(3)
    check_paid_once(one, payer, 916)
    assert one.charges()[0].error_code is None


async def test_a_debt_that_is_refused_again_waits_for_the_next_change(
    shop: Shop, stop: MakeStop
) -> None:
    one, payer = await charging(shop, stop)
    await one.pass_s(300)
    one.backend.refuses = "device_unknown"
    await one.do("unplug", 1)
    await one.pass_s(30)
    for row in (2, 3):
        asked = one.backend.asked.count("payment.create")
        one.registry.row = row
        await one.pass_s(600)
        assert one.backend.asked.count("payment.create") == asked + 1
        assert one.charges()[0].state is ChargeState.UNSETTLED
    one.backend.refuses, one.registry.row = "", 4
    await one.pass_s(3)
    check_paid_once(one, payer, 916)


async def test_a_charger_that_is_gone_from_the_registry_gives_nothing_more(
    shop: Shop, stop: MakeStop
) -> None:
    one, _ = await charging(shop, stop)
    await one.pass_s(60)
    one.backend.hub_refuses, one.registry.row = "device_unknown", None
    await one.pass_s(5)
    [charge] = one.charges()
    assert charge.end_reason == "device_stopped"
    assert (charge.state, charge.error_code) == (ChargeState.UNSETTLED, "device_unknown")
    assert charge.amount_minor > 0


async def test_what_was_paid_ahead_begins_one_charge_though_two_lines_say_it_at_once(
    shop: Shop, stop: MakeStop
) -> None:
    one = stop(prepay_minor=2_000)
    await one.power_on()
    await one.do("plug", 1, 11_000)
    await one.pass_s(2)
    [offer] = one.charges()
    await one.book.apply(offer.payment_id, lambda charge: charge.move(ChargeStep.FUND))
    said = [
        Beginning(connector=1, key=f"line-{number}", tag=offer.tag, wh=0, at_ms=shop.clock.at_ms)
        for number in (1, 2)
    ]
    begun = await asyncio.gather(*(one.book.begin(CHARGER, each, None) for each in said))
    assert [charge.prepaid_minor for charge in begun] == [2_000, 0]
    assert {charge.key for charge in one.charges()} == {"line-1", "line-2"}


async def test_a_clock_that_is_set_back_lets_no_debt_wait(shop: Shop, stop: MakeStop) -> None:
    one, payer = await charging(shop, stop)
    await one.pass_s(600)
    one.backend.loses = lambda kind: "request" if kind == "payment.create" else ""
    await one.do("unplug", 1)
    await one.pass_s(5)
    one.clock.jumped_ms -= 300_000
    one.backend.loses = lambda _: ""
    await one.pass_s(10)
    check_paid_once(one, payer, one.charges()[0].energy_wh)


async def test_a_clock_that_is_set_back_lets_no_stop_wait(shop: Shop, stop: MakeStop) -> None:
    one, _ = await charging(shop, stop)
    await one.pass_s(600)
    [charge] = one.charges()
    await one.cut()
    await one.book.stop(charge, "owner_stopped")
    await one.pass_s(5)
    one.clock.jumped_ms -= 300_000
    await one.mend()
    [charge] = one.charges()
    assert (charge.state, charge.end_reason) == (ChargeState.PAID, "owner_stopped")


YEARS_S = 20 * 365 * 86_400


@pytest.mark.parametrize("jump_s", [-YEARS_S, YEARS_S, 3_600])
async def test_a_clock_that_is_set_right_while_a_car_charges_costs_nobody_anything(
    shop: Shop, stop: MakeStop, jump_s: int
) -> None:
    payer = shop.add_payer(balance_minor=50_000)
    one = stop()
    one.bind(shop.add_mandate(payer, **MANDATE))
    await one.power_on()
    await one.do("plug", 1, 11_000)
    one.station.clock.jump(jump_s)
    await one.do("tap", CARD, None)
    await one.pass_s(300)
    await one.do("unplug", 1)
    await one.pass_s(60)
    [charge] = one.charges()
    assert (charge.duration_ms, charge.amount_minor) == (300_000, 137 + 30)
    assert charge.odd_readings == 0, "the limit goes by them"
    check_paid_once(one, payer, 916)


async def test_a_charge_whose_end_is_lost_is_paid_when_the_next_begins(
    shop: Shop, stop: MakeStop
) -> None:
    payer = shop.add_payer(balance_minor=50_000)
    one = stop()
    one.bind(shop.add_mandate(payer, **MANDATE))
    begun = [
        Beginning(connector=connector, key=key, tag=CARD, wh=wh, at_ms=shop.clock.at_ms)
        for connector, key, wh in ((1, "lost", 0), (2, "beside", 0), (1, "next", 2_500))
    ]
    for said in begun[:2]:
        await one.book.begin(CHARGER, said, 5_000)
    one.skip_s(60)
    reading = (2_000, shop.clock.at_ms)
    await one.book.read(lambda journal: journal.by_key(CHARGER, "lost"), [reading])
    one.skip_s(3_600)
    for _ in range(2):
        await one.book.begin(CHARGER, begun[2], 5_000)
    await one.settle()
    after, beside, lost = one.charges()
    assert (lost.state, lost.end_reason) == (ChargeState.PAID, "end_not_said")
    assert (lost.energy_wh, lost.amount_minor) == (2_000, 300 + 6)
    assert {after.state, beside.state} == {ChargeState.RUNNING}
    late = await one.book.end(
        lambda journal: journal.by_key(CHARGER, "lost"),
        2_500,
        at_ms=shop.clock.at_ms,
        reason="PowerLoss",
    )
    assert late == lost
    [payment] = one.payments()
    assert payment["amount_minor"] == 306


async def test_a_full_disk_delays_a_charge_and_loses_nothing(shop: Shop, stop: MakeStop) -> None:
    one, payer = await charging(shop, stop)
    await one.pass_s(240)
    with one.full_disk() as grow:
        await one.do("unplug", 1)
        await one.pass_s(600)  # by itself a charger says an end three times, within 30 s
        assert one.charges()[0].state is ChargeState.RUNNING
        assert one.payments() == []
        grow()
    await one.pass_s(120)
    check_paid_once(one, payer, 733)


async def test_the_loop_of_charges_outlives_a_full_disk(shop: Shop, stop: MakeStop) -> None:
    one, _ = await charging(shop, stop)
    await one.pass_s(60)
    one.registry.stopped.add(CHARGER)
    loop = asyncio.create_task(one.keeper.run())
    with one.full_disk() as grow:
        await asyncio.sleep(1.5 * TICK_S)
        assert one.charges()[0].stop_reason == ""
        grow()
    async with asyncio.timeout(PATIENCE_S):
        while not one.charges()[0].stop_reason:  # noqa: ASYNC110  (another task writes it)
            await asyncio.sleep(TICK_S)
    assert one.charges()[0].stop_reason == "device_stopped"
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
