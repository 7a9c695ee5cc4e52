"""Paying with the payer's code: every way it can end, and that it ends once."""

import pytest

from backend.risk.lists.service import SetBlock
from backend.wallet.service import SetPayerStatus
from protocol.errors import CallerError
from tests.support.shop import MERCHANT, OTHER_MERCHANT, Shop


def test_a_payment_by_code_moves_the_money_and_the_fee(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    answer = shop.pay(payer, 1_280)
    assert answer["type"] == "payment.result"
    assert answer["state"] == "captured"
    assert answer["payer_masked"] == "李*"
    assert answer["paid_at_ms"] == shop.clock.at_ms
    assert shop.payer_balance(payer) == 8_720
    assert shop.balance(f"C:MPEND:{MERCHANT}:CNY") == 1_272
    assert shop.balance("C:UNSWEPT:CNY") == shop.balance("O:DUE_CLIENT:CNY") == 8
    assert shop.verify().is_whole


def test_the_payment_keeps_its_plan_its_verdict_and_its_timeline(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    shop.pay(payer, 1_280)
    (row,) = shop.rows("SELECT fee_minor, fee_plan_version, risk, event_count FROM payment")
    assert (row["fee_minor"], row["fee_plan_version"], row["event_count"]) == (8, 1, 1)
    assert '"action":"allow"' in row["risk"]
    (event,) = shop.rows("SELECT event, state_before, state_after, actor FROM payment_event")
    assert tuple(event.values()) == ("PaymentCaptured", "created", "captured", "device:pos1")


def test_the_full_code_stands_nowhere_in_the_database(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    code = shop.code(payer)
    shop.ask("payment.create", shop.create_body("pay_code", 100, pay_code=code))
    tables = ("payment", "payment_attempt", "payment_event", "request", "pay_code_route")
    found = repr([shop.rows(f"SELECT * FROM {table}") for table in tables])
    assert code not in found
    assert f"{code[:2]}****…{code[-4:]}" in found


def test_the_same_request_again_gets_the_first_answer(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    body = shop.create_body("pay_code", 500, pay_code=shop.code(payer))
    request = shop.request("payment.create", body)
    first = shop.do(shop.command(request))
    shop.clock.at_ms += 3_600_000
    assert shop.do(shop.command(request)) == first
    assert shop.payer_balance(payer) == 9_500


def test_a_repeat_in_the_same_group_charges_once(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    body = shop.create_body("pay_code", 500, pay_code=shop.code(payer))
    request, other = shop.request("payment.create", body), shop.request("payment.create", body)
    outcomes = shop.apply(*(shop.command(one) for one in (request, request, other)))
    assert [outcome.value()[1]["state"] for outcome in outcomes] == ["captured"] * 3
    assert shop.payer_balance(payer) == 9_500


def test_the_same_payment_under_a_new_request_id_tells_its_state(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    body = shop.create_body("pay_code", 500, pay_code=shop.code(payer))
    shop.ask("payment.create", body)
    shop.refund(body["payment_id"], 500)
    assert shop.ask("payment.create", body)["state"] == "refunded"


def test_other_content_under_a_used_id_is_a_conflict(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    body = shop.create_body("pay_code", 500, pay_code=shop.code(payer))
    request_id = shop.id("req")
    shop.ask("payment.create", body, request_id=request_id)
    with pytest.raises(CallerError, match="idempotency_conflict"):
        shop.ask("payment.create", body | {"amount_minor": 501}, request_id=request_id)
    with pytest.raises(CallerError, match="idempotency_conflict"):
        shop.ask("payment.create", body | {"amount_minor": 501})
    with pytest.raises(CallerError, match="idempotency_conflict"):
        shop.ask("payment.create", shop.create_body("pay_code", 5, pay_code=shop.code(payer),
                                                    attempt_id=body["attempt_id"]))  # fmt: skip
    assert shop.payer_balance(payer) == 9_500


def test_too_little_balance_declines_and_moves_nothing(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=300)
    answer = shop.pay(payer, 301)
    assert (answer["state"], answer["error"]["code"]) == ("declined", "insufficient_balance")
    assert shop.payer_balance(payer) == 300


def test_a_declined_payment_stays_declined(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=300)
    body = shop.create_body("pay_code", 301, pay_code=shop.code(payer))
    shop.ask("payment.create", body)
    shop.top_up(payer, 1_000)
    assert shop.ask("payment.create", body)["state"] == "declined"
    assert shop.payer_balance(payer) == 1_300


def test_a_code_pays_once_even_after_a_decline(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=300)
    code = shop.code(payer)
    for amount, error in ((301, "insufficient_balance"), (100, "pay_code_used")):
        answer = shop.ask("payment.create", shop.create_body("pay_code", amount, pay_code=code))
        assert answer["error"]["code"] == error


def test_a_newer_code_uses_up_the_older_ones(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=1_000)
    older, newer = shop.code(payer), shop.code(payer)
    first = shop.ask("payment.create", shop.create_body("pay_code", 100, pay_code=newer))
    second = shop.ask("payment.create", shop.create_body("pay_code", 100, pay_code=older))
    assert (first["state"], second["error"]["code"]) == ("captured", "pay_code_used")


def test_an_old_code_is_expired_and_a_made_up_one_invalid(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=1_000)
    code = shop.code(payer)
    shop.clock.at_ms += 120_000
    old = shop.ask("payment.create", shop.create_body("pay_code", 100, pay_code=code))
    made_up = shop.ask(
        "payment.create", shop.create_body("pay_code", 100, pay_code="134711000000000000")
    )
    assert (old["state"], old["error"]["code"]) == ("declined", "pay_code_expired")
    assert (made_up["state"], made_up["error"]["code"]) == ("declined", "pay_code_invalid")


def test_a_code_does_not_age_in_the_spool(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=1_000)
    body = shop.create_body("pay_code", 100, pay_code=shop.code(payer))
    request = shop.request("payment.create", body)
    shop.clock.at_ms += 4 * 60_000
    assert shop.do(shop.command(request))[1]["state"] == "captured"


def test_a_device_that_sends_many_wrong_codes_must_wait(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=1_000)
    for number in range(10):
        body = shop.create_body("pay_code", 1, pay_code=f"1300000000{number:08d}")
        assert shop.ask("payment.create", body)["error"]["code"] == "pay_code_invalid"
    assert shop.pay(payer, 1)["error"]["code"] == "pay_code_attempts"
    body = shop.create_body("pay_code", 1, pay_code=shop.code(payer))
    assert shop.ask("payment.create", body, device="pos2")["state"] == "captured"
    shop.clock.at_ms += 10 * 60_000
    assert shop.pay(payer, 1)["state"] == "captured"


def test_a_large_payment_with_a_finger_asks_nobody(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=200_000)
    finger = {"kind": "fingerprint", "score": 180, "slot": 3}
    assert shop.pay(payer, 100_001, verification=finger)["state"] == "captured"
    (attempt,) = shop.rows(
        "SELECT verification_kind, verification_score FROM payment_attempt"
        " WHERE outcome = 'captured'"
    )
    assert tuple(attempt.values()) == ("fingerprint", 180)


def test_risk_declines_with_its_reason(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=1_000_000)
    finger = {"kind": "fingerprint", "score": 180, "slot": 3}
    assert shop.pay(payer, 500_001, verification=finger)["error"]["code"] == "risk_declined"
    shop.do(SetBlock(payer_id=payer, is_on=True, reason="stolen phone"))
    assert shop.pay(payer, 100)["error"]["code"] == "risk_declined"
    rules = [row["risk"] for row in shop.rows("SELECT risk FROM payment ORDER BY payment_id")]
    assert any("amount_over_cap" in rule for rule in rules)
    assert any("payer_blocked" in rule for rule in rules)
    shop.do(SetBlock(payer_id=payer, is_on=False, reason="phone found"))
    assert shop.pay(payer, 100)["state"] == "captured"


def test_too_many_payments_in_a_minute_are_slowed_down(shop: Shop) -> None:
    payers = [shop.add_payer(balance_minor=1_000) for _ in range(1)]
    codes = []
    for _ in range(3):
        codes += [shop.code(payers[0]) for _ in range(4)]
        shop.clock.at_ms += 30_000
    shop.clock.at_ms -= 30_000
    answers = [
        shop.ask("payment.create", shop.create_body("pay_code", 1, pay_code=code))
        for code in codes[:11]
    ]
    assert [answer["state"] for answer in answers] == ["captured"] * 10 + ["declined"]
    assert answers[-1]["error"]["code"] == "risk_velocity"
    shop.clock.at_ms += 60_000
    assert shop.pay(payers[0], 1)["state"] == "captured"


def test_a_frozen_payer_cannot_pay(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=1_000)
    shop.do(SetPayerStatus(payer_id=payer, is_frozen=True))
    assert shop.pay(payer, 1)["error"]["code"] == "payer_frozen"


def test_a_device_cannot_charge_for_another_merchant(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=1_000)
    body = shop.create_body("pay_code", 1, pay_code=shop.code(payer))
    with pytest.raises(CallerError, match="merchant_unknown"):
        shop.ask("payment.create", body, merchant_id=OTHER_MERCHANT)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount_minor": 0}, "amount_invalid"),
        ({"amount_minor": -5}, "amount_invalid"),
        ({"currency": "XXX"}, "currency_unsupported"),
        ({"currency": "USD"}, "currency_mismatch"),
        ({"pay_code": "12"}, "field_invalid"),
        ({"pay_code": None}, "field_invalid"),
        ({"payment_id": "pay_1"}, "id_invalid"),
    ],
)
def test_a_bad_body_is_refused_by_its_own_code(
    shop: Shop, changes: dict[str, object], code: str
) -> None:
    payer = shop.add_payer(balance_minor=1_000)
    body = shop.create_body("pay_code", 1, pay_code=shop.code(payer)) | changes
    with pytest.raises(CallerError, match=code):
        shop.ask("payment.create", body)
    assert shop.rows("SELECT * FROM payment") == []
