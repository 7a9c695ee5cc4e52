"""A thing pays by itself and says why; its payer is asked where that is out of the ordinary."""

import json
from typing import Any

import pytest

from backend.mandates.model import MandateCommand
from backend.payments.confirm import ConfirmByPayer
from backend.payments.word import RefuseByPayer
from protocol.errors import CallerError
from tests.support.mandates import DAY_MS, mandate_row, outcome, payer_says, use
from tests.support.shop import START_MS, Shop

SUSPEND = MandateCommand.SUSPEND


def explained(amount_minor: int, *, began_at_ms: int = START_MS) -> dict[str, Any]:
    """A charge of so many kWh at 1.00."""
    wh = amount_minor * 10
    return {
        "thing": "charge",
        "reason": "unplugged",
        "began_at_ms": began_at_ms,
        "ended_at_ms": began_at_ms + 1,
        "readings": [{"what": "meter", "value": wh, "unit": "Wh", "at_ms": began_at_ms + 1}],
        "lines": [
            {
                "what": "energy",
                "quantity": wh,
                "unit": "Wh",
                "price_minor": 100,
                "per": 1000,
                "amount_minor": amount_minor,
            }
        ],
    }


def charge(
    shop: Shop, mandate: str, amount_minor: int, *, device: str = "vend1", **said: Any
) -> dict[str, Any]:
    explanation = explained(amount_minor, **said)
    body = shop.create_body(
        "mandate", amount_minor, mandate_id=mandate, explanation=explanation, till="charger"
    )
    answer: dict[str, Any] = shop.ask("payment.create", body, device=device)
    return answer


def standing(shop: Shop, mandate: str, device: str = "vend1") -> dict[str, Any]:
    answer: dict[str, Any] = shop.ask("mandate.query", {"mandate_id": mandate}, device=device)
    return answer


def confirm(shop: Shop, payer: str, payment_id: str, *, pin: bool = True) -> str:
    command = ConfirmByPayer(
        payment_id=payment_id,
        attempt_id=shop.id("att"),
        payer_id=payer,
        is_pin_verified=pin,
        rules=shop.rules,
    )
    return outcome(shop.do(command)[1])


def test_what_the_thing_says_is_kept_with_the_payment(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    paid = charge(shop, shop.add_mandate(payer), 640)
    assert paid["state"] == "captured"
    [row] = shop.rows(f"SELECT * FROM payment WHERE payment_id = '{paid['payment_id']}'")
    assert json.loads(row["explanation"]) == explained(640)


def test_a_thing_asks_what_it_may_take(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    mandate = shop.add_mandate(payer, limit_month_minor=2_700)
    assert standing(shop, mandate)["room_minor"] == 1_000
    use(shop, mandate, 1_000)
    use(shop, mandate, 900)
    assert standing(shop, mandate)["room_minor"] == 600, "the rest of the day"
    shop.clock.at_ms += DAY_MS
    assert standing(shop, mandate)["room_minor"] == 800, "the rest of the month"
    with pytest.raises(CallerError, match="mandate_not_found"):
        standing(shop, mandate, device="vend2")
    payer_says(shop, payer, mandate, SUSPEND)
    stopped = standing(shop, mandate)
    assert (stopped["is_active"], stopped["room_minor"]) == (False, 0)


def test_what_must_be_announced_is_no_room(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    mandate = shop.add_mandate(payer, notice_hours=24, notice_above_minor=300)
    assert standing(shop, mandate)["room_minor"] == 300


def test_another_device_neither_takes_nor_asks_the_payer(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    mandate = shop.add_mandate(payer, ask_above_minor=500)
    for amount_minor in (100, 600):
        refused = charge(shop, mandate, amount_minor, device="vend2")
        assert refused["state"] == "declined"
    assert shop.payer_balance(payer) == 10_000


def test_a_debit_above_the_signed_amount_waits_for_its_payer(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    mandate = shop.add_mandate(payer, ask_above_minor=500)
    assert charge(shop, mandate, 500)["state"] == "captured"
    held = charge(shop, mandate, 501)
    assert held["state"] == "awaiting_payer"
    assert shop.payer_balance(payer) == 9_500
    with pytest.raises(CallerError, match="pin_required"):
        confirm(shop, payer, held["payment_id"], pin=False)
    other = shop.add_payer(balance_minor=10_000)
    with pytest.raises(CallerError, match="payment_not_found"):
        confirm(shop, other, held["payment_id"])
    assert confirm(shop, payer, held["payment_id"]) == "captured"
    assert shop.payer_balance(payer) == 8_999
    assert mandate_row(shop, mandate)["spent_minor"] == 500, "allowed by the PIN, not the mandate"


def test_an_unusual_debit_waits_and_may_be_refused(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    mandate = shop.add_mandate(payer)
    for _ in range(5):
        assert charge(shop, mandate, 100)["state"] == "captured"
    assert charge(shop, mandate, 400)["state"] == "captured", "four times the mean"
    held = charge(shop, mandate, 601)
    assert held["state"] == "awaiting_payer"
    refusal = RefuseByPayer(payment_id=held["payment_id"], payer_id=payer)
    assert outcome(shop.do(refusal)[1]) == "payer_refused"
    assert shop.payer_balance(payer) == 9_100
    assert use(shop, mandate, 601)["state"] == "captured", "a machine that says nothing of itself"


def test_a_reversed_debit_is_no_part_of_what_is_usual(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    mandate = shop.add_mandate(payer)
    paid = charge(shop, mandate, 100)
    shop.ask("payment.reverse", {"payment_id": paid["payment_id"]}, device="vend1")
    row = mandate_row(shop, mandate)
    assert (row["use_count"], row["use_total_minor"]) == (0, 0)


def test_what_was_under_way_at_a_stop_is_asked_for_and_nothing_else(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    mandate = shop.add_mandate(payer)
    began_ms = shop.clock.at_ms
    shop.clock.at_ms += 60_000
    payer_says(shop, payer, mandate, SUSPEND)
    shop.clock.at_ms += 5_000
    assert outcome(charge(shop, mandate, 300, began_at_ms=shop.clock.at_ms)) == "mandate_inactive"
    assert outcome(use(shop, mandate, 300)) == "mandate_inactive"
    held = charge(shop, mandate, 300, began_at_ms=began_ms)
    assert held["state"] == "awaiting_payer"
    assert confirm(shop, payer, held["payment_id"]) == "captured"
    shop.clock.at_ms += DAY_MS
    late = charge(shop, mandate, 300, began_at_ms=began_ms)
    assert outcome(late) == "mandate_inactive", "a day later nobody is asked any more"
