"""A journal that is put back from a backup gives no number again that it has given since."""

import shutil
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.ocpp.dialect import Desk
from hub.ocpp.limits import NUMBERS_SINCE_S
from hub.ocpp.model import ChargeState
from hub.ocpp.v16 import Dialect16
from tests.support.charging import CARD, CHARGER, ChargingStop
from tests.support.shop import Shop
from tests.unit.hub_ocpp.conftest import MakeStop

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.parametrize("stop", ["ocpp1.6"], indirect=True),
]
MANDATE: dict[str, Any] = {
    "device": "charger-1",
    "limit_payment_minor": 5_000,
    "limit_day_minor": 20_000,
}
INT32_MAX = 2**31 - 1


async def begin(one: ChargingStop, connector: int) -> int:
    """What the charger calls the transaction that begins there."""
    at = datetime.fromtimestamp(one.shop.clock.at_ms / 1000, UTC).isoformat()
    start = {"connectorId": connector, "idTag": CARD, "meterStart": 1_000, "timestamp": at}
    return int((await _dialect(one).answer("StartTransaction", start))["transactionId"])


async def end(one: ChargingStop, number: int) -> None:
    at = datetime.fromtimestamp(one.shop.clock.at_ms / 1000, UTC).isoformat()
    said = {"transactionId": number, "meterStop": 5_000, "timestamp": at}
    assert await _dialect(one).answer("StopTransaction", said) == {}


def _dialect(one: ChargingStop) -> Dialect16:
    return Dialect16(Desk(CHARGER, one.book, one.keeper), one.send)


async def ready(shop: Shop, stop: MakeStop) -> ChargingStop:
    one = stop()
    one.bind(shop.add_mandate(shop.add_payer(balance_minor=50_000), **MANDATE))
    await one.resume()
    return one


async def test_the_end_of_a_charge_that_the_backup_does_not_know_ends_no_other(
    shop: Shop, stop: MakeStop
) -> None:
    one = await ready(shop, stop)
    one.kill()
    backup = one.path / "backup.db"
    shutil.copy(one.path / "charges.db", backup)
    one.begin()
    await one.resume()
    forgotten = await begin(one, 1)
    await one.pass_s(60)
    one.kill()
    shutil.copy(backup, one.path / "charges.db")
    one.begin()
    await one.resume()
    begun = await begin(one, 2)
    assert forgotten < begun <= INT32_MAX
    await end(one, forgotten)
    [running] = one.charges()
    assert (running.number, running.state) == (begun, ChargeState.RUNNING)
    [kept] = one.journal.unread()
    assert kept.why == "no charge of ours"


async def test_numbers_go_on_by_one_and_stay_small_enough_whatever_the_clock_says(
    shop: Shop, stop: MakeStop
) -> None:
    one = await ready(shop, stop)
    first = await begin(one, 1)
    assert first == one.shop.clock.at_ms // 1000 - NUMBERS_SINCE_S + 1
    assert await begin(one, 2) == first + 1
    numbers = [first + 1]
    for jumped_ms in (100 * 365 * 86_400_000, -20 * 365 * 86_400_000):
        one.clock.jumped_ms = jumped_ms
        one.journal.close()
        one.begin()
        await one.resume()
        await one.pass_s(1)
        numbers.append(await begin(one, 1))
    assert numbers == sorted(set(numbers))
    assert numbers[-1] <= INT32_MAX
