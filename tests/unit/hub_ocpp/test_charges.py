"""A car charges under a mandate or for money paid ahead; what is paid is what was metered."""

import json
from typing import Any

import pytest

from backend.devices.model import DeviceKind
from backend.mandates.model import MandateCommand
from hub.ocpp.model import ChargeState
from tests.support.charging import CARD, ChargingStop
from tests.support.mandates import mandate_row, payer_says
from tests.support.shop import Shop
from tests.support.things import enrol_device
from tests.unit.hub_ocpp.conftest import MakeStop

pytestmark = pytest.mark.asyncio
MANDATE: dict[str, Any] = {
    "device": "charger-1",
    "limit_payment_minor": 5_000,
    "limit_day_minor": 20_000,
}


async def test_what_is_paid_is_what_was_metered(shop: Shop, stop: MakeStop) -> None:
    payer = shop.add_payer(balance_minor=50_000)
    one = stop()
    one.bind(shop.add_mandate(payer, **MANDATE))
    await one.power_on()
    await one.do("plug", 1, 11_000)
    await one.do("tap", CARD, None)
    await one.pass_s(300)
    running = one.charges()[0]
    assert running.state is ChargeState.RUNNING
    assert 0 < running.cost_minor < 170
    await one.do("unplug", 1)
    await one.pass_s(3)
    [charge] = one.charges()
    assert charge.energy_wh == 916
    assert charge.amount_minor == 137 + 30, "0.916 kWh at 1.50 and 5 minutes at 0.06"
    assert charge.state is ChargeState.PAID
    [payment] = one.payments()
    assert (payment["state"], payment["amount_minor"]) == ("captured", 167)
    assert payment["description"] == "1 号枪充电 EV charging, connector 1", "in either language"
    assert shop.payer_balance(payer) == 50_000 - 167
    said = json.loads(payment["explanation"])
    assert [reading["value"] for reading in said["readings"]] == [0, 916]
    assert [line["amount_minor"] for line in said["lines"]] == [137, 30]
    assert shop.verify().is_whole


async def test_a_card_without_a_mandate_charges_nothing(stop: MakeStop) -> None:
    one = stop()
    await one.power_on()
    await one.do("plug", 1, 11_000)
    await one.do("tap", CARD, None)
    await one.pass_s(60)
    assert one.charges() == []
    assert one.payments() == []


async def test_the_charge_stops_at_the_mandates_limit(shop: Shop, stop: MakeStop) -> None:
    payer = shop.add_payer(balance_minor=50_000)
    one = stop()
    one.bind(shop.add_mandate(payer, **(MANDATE | {"limit_payment_minor": 200})))
    await one.power_on()
    await one.do("plug", 1, 22_000)
    await one.do("tap", CARD, None)
    await one.pass_s(300)
    [charge] = one.charges()
    assert charge.end_reason == "limit_reached"
    assert charge.state is ChargeState.PAID
    assert 190 < charge.amount_minor <= 200
    assert charge.cost_minor - charge.amount_minor < 10, "what flowed beyond is the merchant's"


async def test_a_stop_by_the_owner_ends_a_running_charge_in_seconds(
    shop: Shop, stop: MakeStop
) -> None:
    payer = shop.add_payer(balance_minor=50_000)
    mandate = shop.add_mandate(payer, **MANDATE)
    one = stop()
    one.bind(mandate)
    await one.power_on()
    await one.do("plug", 1, 11_000)
    await one.do("tap", CARD, None)
    await one.pass_s(100)
    payer_says(shop, payer, mandate, MandateCommand.SUSPEND)
    await one.pass_s(4)
    [charge] = one.charges()
    assert charge.end_reason == "owner_stopped"
    assert charge.duration_ms <= 104_000
    await one.pass_s(2)
    [charge] = one.charges()
    assert charge.state is ChargeState.ASKED, "what had flowed is the payer's to allow"
    assert shop.payer_balance(payer) == 50_000
    assert one.confirm(payer, charge.payment_id) == "captured"
    await one.pass_s(31)
    assert one.charges()[0].state is ChargeState.PAID
    assert shop.payer_balance(payer) == 50_000 - charge.amount_minor
    assert mandate_row(shop, mandate)["spent_minor"] == 0


async def test_the_news_of_a_stop_ends_a_running_charge_at_once(shop: Shop, stop: MakeStop) -> None:
    payer = shop.add_payer(balance_minor=50_000)
    mandate, other = (shop.add_mandate(payer, **MANDATE) for _ in range(2))
    enrol_device(shop, "charger-1", DeviceKind.THING)
    one = stop()
    one.bind(mandate)
    await one.power_on()
    await one.do("plug", 1, 11_000)
    await one.do("tap", CARD, None)
    await one.pass_s(100)
    payer_says(shop, payer, other, MandateCommand.SUSPEND)
    await one.hear_news()
    assert not one.charges()[0].stop_reason, "another mandate of the same charger"
    payer_says(shop, payer, mandate, MandateCommand.SUSPEND)
    await one.hear_news()
    [charge] = one.charges()
    assert (charge.end_reason, charge.duration_ms) == ("owner_stopped", 100_000)


async def test_late_news_of_a_stop_that_is_over_ends_nothing(shop: Shop, stop: MakeStop) -> None:
    payer = shop.add_payer(balance_minor=50_000)
    mandate = shop.add_mandate(payer, **MANDATE)
    enrol_device(shop, "charger-1", DeviceKind.THING)
    one = stop()
    one.bind(mandate)
    await one.power_on()
    await one.do("plug", 1, 11_000)
    for command in (MandateCommand.SUSPEND, MandateCommand.RESUME):
        payer_says(shop, payer, mandate, command)
    await one.do("tap", CARD, None)
    await one.pass_s(20)
    await one.hear_news()
    assert one.charges()[0].state is ChargeState.RUNNING
    assert not one.charges()[0].stop_reason


@pytest.mark.parametrize("code", ["envelope_stale", "busy", "internal"])
async def test_a_word_to_come_again_is_no_stop_of_the_owners(
    shop: Shop, stop: MakeStop, code: str
) -> None:
    """The hub's clock was put an hour forward, or the backend has no time."""
    payer = shop.add_payer(balance_minor=50_000)
    one = stop()
    one.bind(shop.add_mandate(payer, **MANDATE))
    await one.power_on()
    await one.do("plug", 1, 11_000)
    await one.do("tap", CARD, None)
    await one.pass_s(100)
    one.backend.refuses = code
    await one.pass_s(100)
    [charge] = one.charges()
    assert (charge.state, charge.stop_reason) == (ChargeState.RUNNING, "")
    await one.do("unplug", 1)
    await one.pass_s(30)
    assert one.charges()[0].state is ChargeState.OWED
    one.backend.refuses = ""
    await one.pass_s(60)
    [charge] = one.charges()
    assert (charge.state, charge.amount_minor) == (ChargeState.PAID, 91 + 20)
    assert shop.payer_balance(payer) == 50_000 - 111


@pytest.mark.parametrize("prepay_minor", [0, 2_000])
async def test_a_charger_whose_device_is_stopped_gives_nothing_more(
    shop: Shop, stop: MakeStop, prepay_minor: int
) -> None:
    payer = shop.add_payer(balance_minor=50_000)
    shop.top_up(shop.add_payer(), 10_000)
    one = stop(prepay_minor=prepay_minor)
    one.bind(shop.add_mandate(payer, **MANDATE))
    await one.power_on()
    await one.do("plug", 1, 11_000)
    if prepay_minor:
        await one.pass_s(2)
        one.confirm(payer, one.charges()[0].payment_id)
    else:
        await one.do("tap", CARD, None)
    await one.pass_s(60)
    assert one.charges()[0].state is ChargeState.RUNNING
    one.registry.stopped.add("charger-1")
    await one.pass_s(1)
    assert one.charges()[0].end_reason == "device_stopped"


async def test_a_code_pays_ahead_and_the_rest_goes_back(shop: Shop, stop: MakeStop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    shop.top_up(shop.add_payer(), 10_000)
    one = stop(prepay_minor=2_000)
    await one.power_on()
    await one.do("plug", 1, 11_000)
    await one.pass_s(2)
    [offer] = one.charges()
    assert offer.state is ChargeState.OFFERED
    assert offer.code_url, "shown on the display"
    assert json.loads(one.told_of("DataTransfer")[-1]["data"])["code_url"] == offer.code_url
    assert one.confirm(payer, offer.payment_id) == "captured"
    await one.pass_s(200)
    assert one.charges()[0].state is ChargeState.RUNNING
    await one.do("unplug", 1)
    await one.pass_s(5)
    [charge] = one.charges()
    assert charge.state is ChargeState.PAID
    assert 90 < charge.amount_minor < 120
    assert shop.payer_balance(payer) == 10_000 - charge.amount_minor
    [payment] = one.payments()
    assert payment["refunded_minor"] == 2_000 - charge.amount_minor
    assert shop.verify().is_whole


async def test_what_was_paid_ahead_is_never_exceeded(shop: Shop, stop: MakeStop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    one = stop(prepay_minor=100)
    await one.power_on()
    await one.do("plug", 1, 22_000)
    await one.pass_s(2)
    one.confirm(payer, one.charges()[0].payment_id)
    await one.pass_s(150)
    charge = one.charges()[-1]
    assert charge.state is ChargeState.PAID
    assert charge.end_reason == "limit_reached"
    assert 90 < charge.amount_minor <= 100
    assert shop.payer_balance(payer) == 10_000 - charge.amount_minor


async def test_a_code_that_nobody_pays_is_closed_when_the_car_leaves(
    shop: Shop, stop: MakeStop
) -> None:
    one = stop(prepay_minor=300)
    await one.power_on()
    await one.do("plug", 1, 22_000)
    await one.pass_s(2)
    await one.do("unplug", 1)
    await one.pass_s(10)
    [offer] = one.charges()
    assert offer.state is ChargeState.DROPPED
    assert one.payments()[0]["state"] == "closed"


async def test_paid_ahead_and_driven_away_goes_back_whole(shop: Shop, stop: MakeStop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    one = stop(prepay_minor=300)
    await one.power_on()
    await one.do("plug", 1, 22_000)
    await one.pass_s(2)
    [offer] = one.charges()
    await one.cut()
    one.confirm(payer, offer.payment_id)
    one.is_reachable = False
    await one.do("unplug", 1)
    await one.mend()
    await one.pass_s(200)
    [charge] = one.charges()
    assert (charge.state, charge.end_reason) == (ChargeState.PAID, "never_began")
    assert shop.payer_balance(payer) == 10_000


def codes_shown(one: ChargingStop) -> list[str]:
    return [json.loads(told["data"])["code_url"] for told in one.told_of("DataTransfer")]


async def test_a_code_that_has_run_out_is_followed_by_another_while_a_cable_waits(
    shop: Shop, stop: MakeStop
) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    one = stop(prepay_minor=2_000)
    await one.power_on()
    await one.do("plug", 1, 11_000)
    await one.pass_s(2 * shop.rules.code_life_ms / 1000 + 60)
    newest, *earlier = one.charges()
    assert [charge.error_code for charge in earlier] == ["payment_expired"] * 2
    assert newest.state is ChargeState.OFFERED
    assert codes_shown(one)[-1] == newest.code_url
    assert one.confirm(payer, newest.payment_id) == "captured"
    await one.pass_s(20)
    assert one.charges()[0].state is ChargeState.RUNNING


async def test_a_code_is_not_followed_by_another_where_none_can_be_or_nobody_waits(
    shop: Shop, stop: MakeStop
) -> None:
    one = stop(prepay_minor=2_000)
    await one.power_on()
    one.backend.refuses = "merchant_stopped"
    await one.do("plug", 1, 11_000)
    await one.pass_s(60)
    assert [charge.error_code for charge in one.charges()] == ["merchant_stopped"]
    one.backend.refuses = ""
    await one.do("unplug", 1)
    await one.do("plug", 1, 11_000)
    await one.pass_s(5)
    await one.do("unplug", 1)
    await one.pass_s(shop.rules.code_life_ms / 1000 + 60)
    assert len(one.charges()) == 2


async def test_a_charger_that_dials_again_is_shown_the_code_again(
    shop: Shop, stop: MakeStop
) -> None:
    one = stop(prepay_minor=2_000)
    await one.power_on()
    await one.do("plug", 1, 11_000)
    await one.pass_s(5)
    before = codes_shown(one)
    await one.cut()
    await one.mend()
    [offer] = one.charges()
    assert codes_shown(one)[len(before) :] == [offer.code_url]


async def test_no_code_is_shown_again_where_a_car_charges_meanwhile(
    shop: Shop, stop: MakeStop
) -> None:
    payer = shop.add_payer(balance_minor=50_000)
    one = stop(prepay_minor=2_000)
    one.bind(shop.add_mandate(payer, **MANDATE))
    await one.power_on()
    await one.do("plug", 1, 11_000)
    await one.pass_s(5)
    one.backend.loses = lambda kind: "request" if kind == "payment.close" else ""
    await one.do("tap", CARD, None)
    await one.pass_s(5)
    assert {charge.state for charge in one.charges()} == {
        ChargeState.RUNNING,
        ChargeState.OFFERED,
    }
    before = len(codes_shown(one))
    await one.book.plugged("charger-1", 1, is_waiting=True)
    assert len(codes_shown(one)) == before
