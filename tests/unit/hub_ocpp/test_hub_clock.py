"""The hub's wall clock is set forwards or back: no charge stops, stalls or costs more."""

from typing import Any

import pytest

from hub.ocpp.limits import QUERY_EVERY_MS, UNHEARD_MS
from hub.ocpp.model import ChargeState
from tests.support.charging import CARD, ChargingStop
from tests.support.shop import Shop
from tests.unit.hub_ocpp.conftest import MakeStop

pytestmark = pytest.mark.asyncio
HOUR_MS = 3_600_000
YEARS_MS = 20 * 365 * 24 * HOUR_MS
JUMPS_MS = [-YEARS_MS, -HOUR_MS, -60_000, 60_000, HOUR_MS, YEARS_MS]
MANDATE: dict[str, Any] = {
    "device": "charger-1",
    "limit_payment_minor": 5_000,
    "limit_day_minor": 20_000,
}
jumps = pytest.mark.parametrize("jump_ms", JUMPS_MS)


async def charging(shop: Shop, stop: MakeStop, **limits: int) -> tuple[ChargingStop, str]:
    payer = shop.add_payer(balance_minor=50_000)
    one = stop()
    one.bind(shop.add_mandate(payer, **(MANDATE | limits)))
    await one.power_on()
    await one.do("plug", 1, 11_000)
    await one.do("tap", CARD, None)
    return one, payer


@jumps
async def test_a_jump_in_mid_charge_costs_nobody_anything(
    shop: Shop, stop: MakeStop, jump_ms: int
) -> None:
    one, payer = await charging(shop, stop)
    await one.pass_s(100)
    one.clock.jumped_ms = jump_ms
    await one.pass_s(100)
    [charge] = one.charges()
    assert (charge.state, charge.stop_reason) == (ChargeState.RUNNING, "")
    assert charge.duration_ms == pytest.approx(200_000, abs=10_000)
    assert charge.energy_wh > 500, "its meter is read on"
    await one.pass_s(100)
    await one.do("unplug", 1)
    await one.pass_s(30)
    [charge] = one.charges()
    assert (charge.duration_ms, charge.odd_readings) == (300_000, 0)
    assert (charge.state, charge.amount_minor) == (ChargeState.PAID, 137 + 30)
    assert shop.payer_balance(payer) == 50_000 - 167


@jumps
async def test_the_limit_is_kept_though_the_clock_jumps(
    shop: Shop, stop: MakeStop, jump_ms: int
) -> None:
    one, _ = await charging(shop, stop, limit_payment_minor=100)
    await one.pass_s(60)
    one.clock.jumped_ms = jump_ms
    await one.pass_s(200)
    [charge] = one.charges()
    assert charge.end_reason == "limit_reached"
    assert 90 < charge.amount_minor <= 100
    assert charge.cost_minor - charge.amount_minor < 10


@jumps
async def test_a_paid_code_waits_as_long_for_its_charger(
    shop: Shop, stop: MakeStop, jump_ms: int
) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    one = stop(prepay_minor=300)
    await one.power_on()
    await one.do("plug", 1, 22_000)
    await one.pass_s(2)
    [offer] = one.charges()
    await one.cut()
    one.confirm(payer, offer.payment_id)
    one.is_reachable = True
    one.skip_s(QUERY_EVERY_MS / 1000)
    await one.settle()
    assert one.charges()[0].state is ChargeState.FUNDED
    one.clock.jumped_ms = jump_ms
    await one.keeper.tick()
    await one.keeper.settle()
    assert one.charges()[0].state is ChargeState.FUNDED
    assert one.charges()[0].refund_id is None


@jumps
async def test_a_jump_while_the_hub_was_down_costs_no_more_than_nobody_can_tell(
    shop: Shop, stop: MakeStop, jump_ms: int
) -> None:
    one, _ = await charging(shop, stop)
    await one.pass_s(200)
    one.kill()
    one.clock.jumped_ms = jump_ms
    one.begin()
    await one.cut()
    await one.mend()
    await one.pass_s(70)
    await one.do("unplug", 1)
    await one.pass_s(30)
    [charge] = one.charges()
    down_ms = jump_ms if 0 < jump_ms <= HOUR_MS else 0
    assert charge.duration_ms == pytest.approx(300_000 + down_ms, abs=1_000)
    assert (charge.state, charge.energy_wh) == (ChargeState.PAID, 916)


@jumps
async def test_the_next_charge_goes_by_the_wall_that_was_set_right(
    shop: Shop, stop: MakeStop, jump_ms: int
) -> None:
    one, _ = await charging(shop, stop)
    await one.pass_s(60)
    one.clock.jumped_ms = jump_ms
    assert abs(one.book.time.now_ms() - shop.clock.at_ms) < 1_000
    await one.do("unplug", 1)
    await one.pass_s(100)
    await one.do("plug", 1, 11_000)
    await one.do("tap", CARD, None)
    [second, _] = one.charges()
    assert second.began_at_ms == pytest.approx(shop.clock.at_ms + jump_ms, abs=1_000)


@jumps
async def test_a_charge_whose_end_never_comes_keeps_the_time_for_a_day_only(
    shop: Shop, stop: MakeStop, jump_ms: int
) -> None:
    one, _ = await charging(shop, stop)
    await one.pass_s(60)
    await one.cut()
    one.clock.jumped_ms = jump_ms
    one.skip_s(UNHEARD_MS / 1000 - 60)
    await one.settle()
    await one.book.open_charges()
    assert abs(one.book.time.now_ms() - shop.clock.at_ms) < 1_000
    one.skip_s(120)
    await one.book.open_charges()
    assert one.book.time.now_ms() == pytest.approx(shop.clock.at_ms + jump_ms, abs=1_000)
    assert one.charges()[0].state is ChargeState.RUNNING, "it may still come"
