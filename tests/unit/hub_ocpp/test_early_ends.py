"""OCPP 2.0.1: an end that comes before its beginning, as of a charger that was off line."""

from datetime import UTC, datetime
from typing import Any

import pytest

from hub.ocpp.dialect import Desk
from hub.ocpp.limits import EARLY_ENDS_MAX, TOKENLESS_MAX
from hub.ocpp.model import ChargeState
from hub.ocpp.v201 import Dialect201
from tests.support.charging import CARD, CHARGER, ChargingStop
from tests.support.shop import Shop
from tests.unit.hub_ocpp.conftest import MakeStop

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.parametrize("stop", ["ocpp2.0.1"], indirect=True),
]
MANDATE: dict[str, Any] = {
    "device": "charger-1",
    "limit_payment_minor": 5_000,
    "limit_day_minor": 20_000,
}
TOKEN: dict[str, Any] = {"idToken": {"idToken": CARD, "type": "ISO14443"}}


class Events:
    """What the charger says of transactions, in whatever order; ``at_s`` of an hour ago."""

    def __init__(self, one: ChargingStop) -> None:
        self.one = one
        self.zero_s = one.shop.clock.at_ms // 1000 - 3_600

    async def say(self, kind: str, at_s: int, *shown_wh: int, tx: str = "tx-1", **more: Any) -> Any:
        dialect = Dialect201(Desk(CHARGER, self.one.book, self.one.keeper), self.one.send)
        at = datetime.fromtimestamp(self.zero_s + at_s, UTC).isoformat()
        began = datetime.fromtimestamp(self.zero_s, UTC).isoformat()
        moments = [began, at] if len(shown_wh) > 1 else [at]
        values = [
            {"timestamp": moment, "sampledValue": [{"value": wh}]}
            for moment, wh in zip(moments, shown_wh, strict=False)
        ]
        event = {
            "eventType": kind,
            "timestamp": at,
            "evse": {"id": 1},
            "transactionInfo": {"transactionId": tx, "stoppedReason": "EVDisconnected"},
            "meterValue": values,
        }
        return await dialect.answer("TransactionEvent", event | more)


async def ready(shop: Shop, stop: MakeStop) -> tuple[ChargingStop, str, Events]:
    payer = shop.add_payer(balance_minor=50_000)
    one = stop()
    one.bind(shop.add_mandate(payer, **MANDATE))
    return one, payer, Events(one)


@pytest.mark.parametrize(
    ("begun", "ended", "more"),
    [([1_000], [3_000], {}), ([1_000], [3_000], TOKEN), ([], [1_000, 3_000], {})],
    ids=["a reading each", "with the card", "both readings at the end"],
)
async def test_an_end_is_believed_when_its_beginning_comes_and_paid_once(
    shop: Shop, stop: MakeStop, begun: list[int], ended: list[int], more: dict[str, Any]
) -> None:
    one, payer, events = await ready(shop, stop)
    for _ in range(2):
        assert await events.say("Ended", 600, *ended, **more) == {}
    assert one.charges() == []
    one.journal.close()
    one.begin()
    for _ in range(2):
        assert (await events.say("Started", 0, *begun, **TOKEN))["totalCost"] == 3.6
        await one.pass_s(5)
        await events.say("Ended", 600, *ended, **more)
    [charge] = one.charges()
    assert (charge.state, charge.end_reason) == (ChargeState.PAID, "EVDisconnected")
    assert (charge.energy_wh, charge.amount_minor, charge.odd_readings) == (2_000, 300 + 60, 0)
    assert shop.payer_balance(payer) == 50_000 - 360
    assert one.journal.unread() == []
    assert one.journal.take_early_end(CHARGER, "tx-1") is None


async def test_what_is_over_when_it_begins_ends_nothing_that_runs_there(
    shop: Shop, stop: MakeStop
) -> None:
    one, _, events = await ready(shop, stop)
    await events.say("Ended", 600, 3_000)
    await events.say("Started", 900, 3_000, tx="tx-2", **TOKEN)
    await events.say("Started", 0, 1_000, **TOKEN)
    states = {charge.key: charge.state for charge in one.charges()}
    assert states == {"tx-1": ChargeState.OWED, "tx-2": ChargeState.RUNNING}


async def test_a_card_that_nobody_knows_stays_refused(shop: Shop, stop: MakeStop) -> None:
    one, _, events = await ready(shop, stop)
    await events.say("Ended", 600, 3_000)
    stranger: dict[str, Any] = {"idToken": {"idToken": "NOBODY", "type": "ISO14443"}}
    said = await events.say("Started", 0, 1_000, **stranger)
    assert said["idTokenInfo"] == {"status": "Invalid"}
    [charge] = one.charges()
    assert (charge.state, charge.energy_wh) == (ChargeState.UNSETTLED, 2_000)
    await one.settle()
    assert one.payments() == []


async def test_an_end_that_says_all_waits_for_nothing(shop: Shop, stop: MakeStop) -> None:
    one, payer, events = await ready(shop, stop)
    await events.say("Ended", 600, 1_000, 3_000, **TOKEN)
    await events.say("Started", 0, 1_000, **TOKEN)
    await one.pass_s(5)
    [charge] = one.charges()
    assert (charge.state, charge.energy_wh) == (ChargeState.PAID, 2_000)
    assert shop.payer_balance(payer) == 50_000 - charge.amount_minor


async def test_an_end_that_somebody_must_pay_is_shown_to_a_person_while_it_waits(
    shop: Shop, stop: MakeStop
) -> None:
    one, _, events = await ready(shop, stop)
    await events.say("Ended", 30, 1_000, 1_000, tx="nobody's")
    assert one.journal.unread() == [], "a cable that came and went without a card"
    await events.say("Ended", 600, 1_000, 3_000)
    [kept] = one.journal.unread()
    assert (kept.action, kept.why) == ("TransactionEvent", "an end before its beginning")
    assert '"transactionId": "tx-1"' in kept.said
    await events.say("Started", 0, 1_000, **TOKEN)
    assert one.journal.unread() == []


async def test_no_more_ends_wait_than_a_thousand_and_the_newest_stay(
    shop: Shop, stop: MakeStop
) -> None:
    one, _, events = await ready(shop, stop)
    for number in range(EARLY_ENDS_MAX + 2):
        await events.say("Ended", 600, 3_000, tx=f"tx-{number}")
    kept = [one.journal.take_early_end(CHARGER, f"tx-{number}") for number in range(3)]
    assert [early is not None for early in kept] == [False, False, True]


async def test_a_beginning_after_what_came_later_still_says_where_it_counts_from(
    shop: Shop, stop: MakeStop
) -> None:
    one, payer, events = await ready(shop, stop)
    await events.say("Updated", 300, 2_500, **TOKEN)
    await events.say("Updated", 400, 2_700)
    for _ in range(2):
        said = await events.say("Started", 0, 1_000, **TOKEN)
        assert said["totalCost"] == round((1_700 * 150 // 1_000 + 400 * 6 // 60) / 100, 2)
    [running] = one.charges()
    assert (running.start_wh, running.last_wh, running.odd_readings) == (1_000, 2_700, 0)
    await events.say("Ended", 600, 3_000)
    await one.pass_s(5)
    [charge] = one.charges()
    assert (charge.state, charge.energy_wh, charge.amount_minor) == (ChargeState.PAID, 2_000, 360)
    assert shop.payer_balance(payer) == 50_000 - 360


async def test_a_beginning_says_what_nobody_had_said_of_the_meter(
    shop: Shop, stop: MakeStop
) -> None:
    one, _, events = await ready(shop, stop)
    await events.say("Updated", 300, **TOKEN)
    await events.say("Started", 0, 1_000, **TOKEN)
    await events.say("Ended", 600, 3_000)
    [charge] = one.charges()
    assert (charge.energy_wh, charge.amount_minor) == (2_000, 360)


async def test_a_beginning_without_the_card_or_with_another_or_a_higher_reading_moves_nothing(
    shop: Shop, stop: MakeStop
) -> None:
    """A transaction counts from its first token on."""
    one, _, events = await ready(shop, stop)
    await events.say("Updated", 300, 2_000, **TOKEN)
    before = one.charges()
    other: dict[str, Any] = {"idToken": {"idToken": "ANOTHER", "type": "ISO14443"}}
    await events.say("Started", 0, 1_000, **other)
    await events.say("Started", 300, 2_500, **TOKEN)
    assert one.charges() == before
    await events.say("Started", 0, 1_000)
    assert one.charges()[0].start_wh == 2_000


async def test_what_flowed_before_a_paid_end_is_told_a_person_when_the_beginning_comes(
    shop: Shop, stop: MakeStop
) -> None:
    one, payer, events = await ready(shop, stop)
    await events.say("Updated", 300, 2_000, **TOKEN)
    await events.say("Ended", 600, 3_000)
    await one.pass_s(5)
    for _ in range(2):
        await events.say("Started", 0, 1_000, **TOKEN)
    [charge] = one.charges()
    assert (charge.state, charge.energy_wh) == (ChargeState.PAID, 1_000)
    assert shop.payer_balance(payer) == 50_000 - charge.amount_minor
    [kept] = one.journal.unread()
    assert kept.why == "a beginning after its end"


async def test_a_card_that_comes_without_a_reading_counts_from_the_one_before(
    shop: Shop, stop: MakeStop
) -> None:
    """A transaction that began with the cable (TxStartPoint *EVConnected*): the charger's first
    sample after the card comes seconds later, and what flowed till then is not free."""
    one, _, events = await ready(shop, stop)
    assert await events.say("Started", 0, 1_000) == {}
    assert await events.say("Updated", 60, 1_010) == {}
    one.journal.close()
    one.begin()
    await events.say("Updated", 120, **TOKEN)
    await events.say("Updated", 130, 1_400)
    await events.say("Ended", 720, 3_010)
    await one.pass_s(5)
    [charge] = one.charges()
    assert (charge.start_wh, charge.energy_wh, charge.state) == (1_010, 2_000, ChargeState.PAID)
    assert charge.amount_minor == 300 + 60, "time counts from the card"
    assert one.journal.take_tokenless(CHARGER, "tx-1") is None


async def test_a_card_that_comes_with_a_reading_counts_from_that(
    shop: Shop, stop: MakeStop
) -> None:
    one, _, events = await ready(shop, stop)
    await events.say("Started", 0, 1_000)
    await events.say("Updated", 120, 1_500, **TOKEN)
    assert one.charges()[0].start_wh == 1_500


async def test_an_end_with_the_card_is_settled_by_the_reading_before_it(
    shop: Shop, stop: MakeStop
) -> None:
    """The card and both readings are there, in two messages: no person is needed."""
    one, payer, events = await ready(shop, stop)
    await events.say("Started", 0, 1_000)
    for _ in range(2):
        assert await events.say("Ended", 600, 3_000, **TOKEN) == {}
    await one.pass_s(5)
    [charge] = one.charges()
    assert (charge.state, charge.energy_wh) == (ChargeState.PAID, 2_000)
    assert shop.payer_balance(payer) == 50_000 - charge.amount_minor
    assert one.journal.early_ends() == []
    assert one.journal.unread() == []


async def test_no_more_readings_before_a_token_are_kept_than_a_thousand(
    shop: Shop, stop: MakeStop
) -> None:
    one, _, events = await ready(shop, stop)
    for number in range(TOKENLESS_MAX + 1):
        await events.say("Started", 0, 1_000, tx=f"tx-{number}")
    kept = [one.journal.take_tokenless(CHARGER, f"tx-{number}") for number in range(2)]
    assert [read is not None for read in kept] == [False, True]
