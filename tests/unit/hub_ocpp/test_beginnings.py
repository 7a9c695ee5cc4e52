"""Beginnings that a charger says again, and those that only look like one said before."""

from typing import Any

import pytest

from hub.ocpp.beginning import Beginning
from hub.ocpp.dialect import Desk
from hub.ocpp.model import ChargeState
from hub.ocpp.v16 import Dialect16
from tests.support.charging import CARD, CHARGER
from tests.support.shop import Shop
from tests.unit.hub_ocpp.conftest import MakeStop

pytestmark = pytest.mark.asyncio
MANDATE: dict[str, Any] = {
    "device": "charger-1",
    "limit_payment_minor": 5_000,
    "limit_day_minor": 20_000,
}


async def test_a_clock_that_stands_still_makes_no_charge_free(shop: Shop, stop: MakeStop) -> None:
    """A car takes nothing, and is plugged in again: 1.6 says the very same of both beginnings."""
    payer = shop.add_payer(balance_minor=50_000)
    one = stop()
    one.bind(shop.add_mandate(payer, **MANDATE))
    still = "1970-01-01T00:00:00Z"
    start = {"connectorId": 1, "idTag": CARD, "meterStart": 1_000, "timestamp": still}
    ends = {"timestamp": still, "meterStop": 1_000}, {"timestamp": still, "meterStop": 21_000}
    dialect = Dialect16(Desk(CHARGER, one.book, one.keeper), one.send)
    numbers = []
    for end in ends:
        begun = [await dialect.answer("StartTransaction", start) for _ in range(2)]
        assert begun[0] == begun[1], "said twice, it is one"
        assert begun[0]["idTagInfo"] == {"status": "Accepted"}
        numbers.append(begun[0]["transactionId"])
        for _ in range(2):
            await dialect.answer("StopTransaction", end | {"transactionId": numbers[-1]})
        await one.pass_s(5)
    assert numbers[0] != numbers[1]
    charges = [(charge.state, charge.energy_wh) for charge in one.charges()]
    assert charges == [(ChargeState.PAID, 20_000), (ChargeState.FREE, 0)]
    assert shop.payer_balance(payer) == 50_000 - 3_000


async def test_a_beginning_that_comes_again_late_ends_nothing(shop: Shop, stop: MakeStop) -> None:
    payer = shop.add_payer(balance_minor=50_000)
    one = stop()
    one.bind(shop.add_mandate(payer, **MANDATE))
    old, new = (
        Beginning(connector=1, key=key, tag=CARD, wh=0, at_ms=shop.clock.at_ms, may_recur=True)
        for key in ("old", "new")
    )
    for said in (old, new):
        await one.book.begin(CHARGER, said, 5_000)
    known = await one.book.begin(CHARGER, old, 5_000)
    assert (known.state, known.key) == (ChargeState.FREE, "old")
    assert [charge.state for charge in one.charges()] == [ChargeState.RUNNING, ChargeState.FREE]
