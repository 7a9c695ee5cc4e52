"""What a charger says and nobody can read holds up nothing for long, and is kept for a person."""

from collections.abc import Callable
from typing import Any

import pytest

from hub.ocpp.dialect import CallRefusedError, Desk
from hub.ocpp.limits import UNREAD_KEPT_MAX, UNREAD_TRIES
from hub.ocpp.model import ChargeState
from hub.ocpp.v16 import Dialect16
from protocol.framing import ocppj
from protocol.framing.ocppj import Call, CallError, CallResult
from tests.support.charging import CARD, CHARGER, ChargingStop
from tests.support.shop import Shop
from tests.unit.hub_ocpp.conftest import MakeStop

pytestmark = pytest.mark.asyncio
MANDATE: dict[str, Any] = {
    "device": "charger-1",
    "limit_payment_minor": 5_000,
    "limit_day_minor": 20_000,
}
TIMES_SAID_S = 60
"""What a charger takes to say something three times, and what waits behind it."""
Payload = dict[str, Any]


def at_the_end(one: ChargingStop, **changes: Any) -> Callable[[str, Payload], Payload]:
    """Every end that the charger says is spoilt so."""

    def spoil(action: str, payload: Payload) -> Payload:
        is_end = action == "StopTransaction" or payload.get("eventType") == "Ended"
        return payload | changes if is_end else payload

    return spoil


async def charge_once(one: ChargingStop, seconds: int = 300) -> None:
    await one.do("plug", 1, 11_000)
    await one.do("tap", CARD, None)
    await one.pass_s(seconds)
    await one.do("unplug", 1)
    await one.pass_s(TIMES_SAID_S)


async def ready(shop: Shop, stop: MakeStop) -> tuple[ChargingStop, str]:
    payer = shop.add_payer(balance_minor=50_000)
    one = stop()
    one.bind(shop.add_mandate(payer, **MANDATE))
    await one.power_on()
    return one, payer


async def test_an_end_that_nobody_can_read_is_paid_by_the_latest_reading_and_the_next_comes(
    shop: Shop, stop: MakeStop
) -> None:
    one, payer = await ready(shop, stop)
    one.spoils = at_the_end(one, timestamp="yesterday")
    await charge_once(one)
    [first] = one.charges()
    assert (first.state, first.end_reason) == (ChargeState.PAID, "end_unreadable")
    assert 850 < first.energy_wh <= 916
    [kept] = one.journal.unread()
    assert "timestamp" in kept.why
    assert "yesterday" in kept.said
    one.spoils = lambda _, payload: payload
    await charge_once(one)
    second, _ = one.charges()
    assert second.state is ChargeState.PAID
    assert 916 <= second.energy_wh <= 917
    paid_minor = first.amount_minor + second.amount_minor
    assert shop.payer_balance(payer) == 50_000 - paid_minor


async def test_a_beginning_that_nobody_can_read_is_ended_and_the_next_comes(
    shop: Shop, stop: MakeStop
) -> None:
    one, _ = await ready(shop, stop)

    def spoil(action: str, payload: Payload) -> Payload:
        is_begin = action == "StartTransaction" or payload.get("eventType") == "Started"
        return payload | {"timestamp": {}} if is_begin else payload

    one.spoils = spoil
    await charge_once(one)
    assert one.payments() == []
    one.spoils = lambda _, payload: payload
    await charge_once(one)
    assert [charge.state for charge in one.charges()] == [ChargeState.PAID]


async def test_an_end_of_no_charge_of_ours_is_acknowledged_and_kept_for_a_person(
    shop: Shop, stop: MakeStop
) -> None:
    """Its beginning never came through, or the journal is another: energy that nobody paid for."""
    one, _ = await ready(shop, stop)
    dialect = Dialect16(Desk(CHARGER, one.book, one.keeper), one.send)
    end = {"meterStop": 5_000, "timestamp": "2026-11-23T04:00:00Z"}
    for _ in range(2):
        assert await dialect.answer("StopTransaction", end | {"transactionId": 77}) == {}
    [kept] = one.journal.unread()
    assert (kept.action, kept.why) == ("StopTransaction", "no charge of ours")
    assert '"meterStop": 5000' in kept.said
    begun = await dialect.lay_aside("StartTransaction", {})
    assert await dialect.answer("StopTransaction", end | begun) == {}
    assert len(one.journal.unread()) == 1, "its beginning is kept"


async def test_a_line_that_is_no_json_is_answered_under_its_id_and_then_acknowledged(
    shop: Shop, stop: MakeStop
) -> None:
    one, _ = await ready(shop, stop)
    action = "StopTransaction" if one.version == "1.6" else "TransactionEvent"
    answers = []
    for number in range(UNREAD_TRIES):
        line = f'[2,"again-{number}","{action}",{{"meterStop":NaN,"transactionId":1}}]'
        bad = ocppj.decode(line.encode())
        assert isinstance(bad, ocppj.BadMessage)
        answers.append(await one.answering.answer_bad(bad, line))
    code = "FormationViolation" if one.version == "1.6" else "FormatViolation"
    *refused, last = answers
    assert refused == [
        CallError(f"again-{number}", code, "not JSON") for number in range(UNREAD_TRIES - 1)
    ]
    assert isinstance(last, CallResult)
    assert last.message_id == f"again-{UNREAD_TRIES - 1}"
    assert "NaN" in one.journal.unread()[0].said


async def test_other_calls_are_refused_however_often_they_are_said(
    shop: Shop, stop: MakeStop
) -> None:
    one, _ = await ready(shop, stop)
    for _ in range(2 * UNREAD_TRIES):
        assert isinstance(await one.answering.answer(Call("m", "Authorize", {})), CallError)
        bad = ocppj.BadMessage("", "not JSON")
        answer = await one.answering.answer_bad(bad, "{}")
        assert isinstance(answer, CallError)
        assert answer.message_id == "-1"
    assert one.journal.unread() == []


async def test_what_no_disk_could_keep_is_never_acknowledged(shop: Shop, stop: MakeStop) -> None:
    one, _ = await ready(shop, stop)
    [action] = one.dialect.ordered & {"StopTransaction", "TransactionEvent"}
    with one.full_disk():
        answers = [
            await one.answering.answer(Call("m", action, {})) for _ in range(3 * UNREAD_TRIES)
        ]
    assert all(isinstance(answer, CallError) for answer in answers)
    assert isinstance(answers[-1], CallError)
    assert (answers[-1].code, answers[-1].description) == ("InternalError", "busy")


async def test_what_is_missing_has_the_code_of_its_version(shop: Shop, stop: MakeStop) -> None:
    one, _ = await ready(shop, stop)
    with pytest.raises(CallRefusedError) as refused:
        await one.dialect.answer("Authorize", {})
    spelt = {"1.6": "OccurenceConstraintViolation", "2.0.1": "OccurrenceConstraintViolation"}
    assert refused.value.code == spelt[one.version]


async def test_times_without_a_zone_and_fields_of_null_are_read(shop: Shop, stop: MakeStop) -> None:
    one, _ = await ready(shop, stop)
    meant = at_the_end(one, reason=None, evse=None)

    def spoil(action: str, payload: Payload) -> Payload:
        if "timestamp" not in payload:
            return payload
        return meant(action, payload | {"timestamp": payload["timestamp"].removesuffix("Z")})

    one.spoils = spoil
    await charge_once(one)
    [charge] = one.charges()
    assert (charge.state, charge.energy_wh) == (ChargeState.PAID, 916)
    assert charge.end_reason != "end_unreadable"


async def test_an_end_with_the_readings_of_half_a_day_is_read(shop: Shop, stop: MakeStop) -> None:
    one, _ = await ready(shop, stop)
    many = [
        {"timestamp": "2026-01-01T00:00:00Z", "sampledValue": [{"value": 0.0}]}
        for _ in range(4_320)
    ]

    def spoil(action: str, payload: Payload) -> Payload:
        if "meterValue" in payload and payload.get("eventType", "Ended") == "Ended" and many:
            said, many[:] = [*many, *payload["meterValue"]], []  # once
            return payload | {"meterValue": said}
        return payload

    one.spoils = spoil
    await charge_once(one)
    [charge] = one.charges()
    assert (charge.state, charge.energy_wh) == (ChargeState.PAID, 916)
    assert many == []
    assert one.journal.unread() == []


async def test_no_more_is_kept_than_a_hundred_and_the_newest_stay(
    shop: Shop, stop: MakeStop
) -> None:
    one, _ = await ready(shop, stop)
    action = next(iter(one.dialect.ordered))
    for number in range(UNREAD_KEPT_MAX + 5):
        for _ in range(UNREAD_TRIES):
            await one.answering.answer(Call("m", action, {"transactionId": [number]}))
    kept = one.journal.unread()
    assert len(kept) == UNREAD_KEPT_MAX
    assert str(UNREAD_KEPT_MAX + 4) in kept[-1].said
