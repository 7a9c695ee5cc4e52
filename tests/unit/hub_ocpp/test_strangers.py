"""A card that nobody knows charges nothing: its charge is refused, and shown so."""

from typing import Any

import pytest

from hub.ocpp.beginning import Beginning
from hub.ocpp.limits import STOP_AGAIN_MS
from hub.ocpp.model import ChargeState
from hub.ocpp.paying import shown
from tests.support.charging import CHARGER, ChargingStop
from tests.support.shop import Shop
from tests.unit.hub_ocpp.conftest import MakeStop

pytestmark = pytest.mark.asyncio
STRANGER = "CARD-9"
SAID = Beginning(connector=1, key="k", tag=STRANGER, wh=1_000, at_ms=0)
STARTS_UNASKED = {
    "ocpp1.6": {"AllowOfflineTxForUnknownId": "true", "StopTransactionOnInvalidId": "false"},
    "ocpp2.0.1": {
        "AuthCtrlr.OfflineTxForUnknownIdEnabled": "true",
        "TxCtrlr.StopTxOnInvalidId": "false",
    },
}


async def begun_offline(one: ChargingStop) -> None:
    """The charger lets anybody charge while it reaches nobody."""
    for name, value in STARTS_UNASKED[one.subprotocol].items():
        one.station.settings.put(name, value)
    await one.power_on()
    await one.cut()
    await one.do("plug", 1, 11_000)
    await one.do("tap", STRANGER, None)


def stops_told(one: ChargingStop) -> list[dict[str, Any]]:
    return one.told_of(
        "RemoteStopTransaction" if one.version == "1.6" else "RequestStopTransaction"
    )


async def test_a_strangers_charge_is_refused_and_told_to_end(shop: Shop, stop: MakeStop) -> None:
    one = stop()
    await begun_offline(one)
    assert one.station.outlets[1].meter.register_wh == 0
    await one.mend()
    [charge] = one.charges()
    assert one.station.outlets[1].meter.register_wh > 0, "it gave before it could be told"
    assert (charge.state, charge.end_reason) == (ChargeState.UNSETTLED, "card_unknown")
    assert (charge.error_code, charge.energy_wh > 0) == ("payer_unknown", True)
    assert len(stops_told(one)) == 1
    assert not one.payments()


async def test_a_refused_charge_is_shown_as_refused_and_stays_so(
    shop: Shop, stop: MakeStop
) -> None:
    one = stop()
    charge = await one.book.begin(CHARGER, SAID, None)
    assert (charge.state, charge.is_open) == (ChargeState.REFUSED, True)
    await one.pass_s(60)
    ended = await one.book.end(
        lambda journal: journal.by_key(CHARGER, "k"),
        1_000,
        at_ms=shop.clock.at_ms,
        reason="DeAuthorized",
    )
    assert ended is not None
    assert not ended.is_open
    said = shown(ended)
    assert (said["state"], said["error_code"]) == ("refused", "payer_unknown")
    assert (said["energy_wh"], said["cost_minor"]) == (0, 0), "minutes alone are no debt"
    await one.pass_s(600)
    assert one.charges() == [ended]
    assert one.backend.asked == []


async def test_a_refused_charge_that_goes_on_is_told_again_and_metered(
    shop: Shop, stop: MakeStop
) -> None:
    one = stop()
    await one.power_on()
    charge = await one.book.begin(CHARGER, SAID, None)
    await one.pass_s(3 * STOP_AGAIN_MS / 1000)
    assert len(stops_told(one)) == 3
    read = await one.book.read(
        lambda journal: journal.by_key(CHARGER, "k"), [(3_000, shop.clock.at_ms)]
    )
    assert read is not None
    assert (read.payment_id, read.state, read.energy_wh) == (
        charge.payment_id,
        ChargeState.REFUSED,
        2_000,
    )
