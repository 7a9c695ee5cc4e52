"""Undoing and giving back: exactly once, never too much, also when messages overtake each other."""

from typing import Any

import pytest

from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.ledger import rules as posting
from backend.ledger import service as ledger
from backend.payments.confirm import ConfirmByPayer
from protocol.errors import CallerError
from tests.support.shop import MERCHANT, OTHER_MERCHANT, Shop

MIDNIGHT_MS = 12 * 3_600_000
"""From the shop's first moment, noon, to its next business date."""
PENDING, AVAILABLE = f"C:MPEND:{MERCHANT}:CNY", f"C:MAVAIL:{MERCHANT}:CNY"


class Settle:
    """What clearing will do: pending money becomes available (and may leave)."""

    def __init__(self, amount_minor: int, *, paid_out: int = 0) -> None:
        self.amount_minor, self.paid_out = amount_minor, paid_out

    def reads(self) -> list[Read]:
        return []

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        event = posting.Event("settle", "CNY", "2026-11-24")
        moved = posting.merchant_settled(
            event, merchant_id=MERCHANT, amount_minor=self.amount_minor
        )
        ledger.post(ws, moved, now_ms)
        if self.paid_out:
            event = posting.Event("payout", "CNY", "2026-11-24")
            left = posting.payout_instructed(
                event, merchant_id=MERCHANT, amount_minor=self.paid_out
            )
            ledger.post(ws, left, now_ms)


def test_a_reversed_payment_gives_back_all_and_the_fee(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    paid = shop.pay(payer, 1_280)
    body = {"payment_id": paid["payment_id"]}
    assert shop.ask("payment.reverse", body)["state"] == "reversed"
    assert shop.ask("payment.reverse", body)["state"] == "reversed"
    assert shop.payer_balance(payer) == 10_000
    for account in (PENDING, "C:UNSWEPT:CNY", "O:DUE_CLIENT:CNY", "O:MDR:CNY"):
        assert shop.balance(account) == 0
    assert shop.verify().is_whole


def test_a_payment_reversed_before_it_arrives_is_never_charged(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    body = shop.create_body("pay_code", 500, pay_code=shop.code(payer))
    reversed_first = shop.ask("payment.reverse", {"payment_id": body["payment_id"]})
    assert (reversed_first["state"], reversed_first["amount_minor"]) == ("reversed", 0)
    assert shop.ask("payment.create", body)["state"] == "reversed"
    assert shop.payer_balance(payer) == 10_000


def test_a_payment_in_part_given_back_is_not_reversed(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    paid = shop.pay(payer, 1_000)
    shop.refund(paid["payment_id"], 1)
    answer = shop.ask("payment.reverse", {"payment_id": paid["payment_id"]})
    assert (answer["state"], answer["error"]["code"]) == ("partially_refunded", "payment_state")


def reverse(shop: Shop, payment_id: str, **options: Any) -> tuple[str, str]:
    """What a reversal answers: state and error."""
    answer = shop.ask("payment.reverse", {"payment_id": payment_id}, **options)
    return answer["state"], answer.get("error", {}).get("code", "")


def test_a_settled_payment_is_not_reversed_but_refunded(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    paid = shop.pay(payer, 1_000)
    shop.do(Settle(994))
    assert reverse(shop, paid["payment_id"]) == ("captured", "merchant_balance_short")
    assert (shop.balance(AVAILABLE), shop.payer_balance(payer)) == (994, 9_000)
    assert shop.refund(paid["payment_id"], 1_000)["state"] == "succeeded"
    assert (shop.balance(AVAILABLE), shop.payer_balance(payer)) == (0, 10_000)
    assert shop.verify().is_whole


def test_a_payment_is_reversed_on_its_own_day_only(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    early, late = shop.pay(payer, 1_000), shop.pay(payer, 2_000)
    shop.clock.at_ms += MIDNIGHT_MS - 1
    assert reverse(shop, early["payment_id"]) == ("reversed", "")
    shop.clock.at_ms += 1
    shop.pay(payer, 3_000)
    assert reverse(shop, late["payment_id"]) == ("captured", "reverse_too_late")
    assert shop.payer_balance(payer) == 5_000
    assert shop.refund(late["payment_id"], 2_000)["state"] == "succeeded"
    assert shop.verify().is_whole


def test_the_day_of_a_shown_code_is_the_day_it_was_paid(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    shop.clock.at_ms += MIDNIGHT_MS - 1
    shown = shop.show_qr(1_000)
    shop.clock.at_ms += 1
    confirm = ConfirmByPayer(
        payment_id=shown["payment_id"], attempt_id=shop.id("att"), payer_id=payer,
        is_pin_verified=True, rules=shop.rules,
    )  # fmt: skip
    assert shop.do(confirm)[1]["state"] == "captured"
    assert reverse(shop, shown["payment_id"]) == ("reversed", "")


def test_a_refused_reversal_stays_refused_for_its_request(shop: Shop) -> None:
    paid = shop.pay(shop.add_payer(balance_minor=10_000), 1_000)
    request = shop.request("payment.reverse", {"payment_id": paid["payment_id"]}, device="pos2")
    first = shop.do(shop.command(request))
    assert first[1]["error"]["code"] == "payment_other_device"
    assert reverse(shop, paid["payment_id"]) == ("reversed", "")
    assert shop.do(shop.command(request)) == first


def test_another_device_neither_reverses_nor_closes_a_payment(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    paid, shown = shop.pay(payer, 1_000)["payment_id"], shop.show_qr(500)["payment_id"]
    assert reverse(shop, paid, device="vend9") == ("captured", "payment_other_device")
    assert reverse(shop, shown, device="vend9") == ("awaiting_payer", "payment_other_device")
    closed = shop.ask("payment.close", {"payment_id": shown}, device="vend9")
    assert (closed["state"], closed["error"]["code"]) == ("awaiting_payer", "payment_other_device")
    assert shop.payer_balance(payer) == 9_000
    assert shop.ask("payment.close", {"payment_id": shown})["state"] == "closed"
    assert reverse(shop, shown, device="vend9") == ("closed", "")


def test_a_merchant_whose_money_has_left_cannot_reverse_or_refund(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    paid = shop.pay(payer, 1_000)
    shop.do(Settle(994, paid_out=994))
    answer = shop.ask("payment.reverse", {"payment_id": paid["payment_id"]})
    assert (answer["state"], answer["error"]["code"]) == ("captured", "merchant_balance_short")
    failed = shop.refund(paid["payment_id"], 1_000)
    assert (failed["state"], failed["error"]["code"]) == ("failed", "merchant_balance_short")
    assert shop.payer_balance(payer) == 9_000
    assert shop.verify().is_whole


def test_a_paid_payment_is_not_closed(shop: Shop) -> None:
    paid = shop.pay(shop.add_payer(balance_minor=10_000), 1_000)
    answer = shop.ask("payment.close", {"payment_id": paid["payment_id"]})
    assert (answer["state"], answer["error"]["code"]) == ("captured", "payment_state")


def test_a_refund_gives_back_a_part_with_its_fee(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    paid = shop.pay(payer, 10_000)
    answer = shop.refund(paid["payment_id"], 5_000)
    assert (answer["type"], answer["state"]) == ("refund.result", "succeeded")
    found = shop.ask("payment.query", {"payment_id": paid["payment_id"]})
    assert (found["state"], found["refunded_minor"]) == ("partially_refunded", 5_000)
    assert (shop.payer_balance(payer), shop.balance(PENDING)) == (5_000, 4_970)
    assert shop.refund(paid["payment_id"], 5_000)["state"] == "succeeded"
    found = shop.ask("payment.query", {"payment_id": paid["payment_id"]})
    assert (found["state"], shop.balance("C:UNSWEPT:CNY")) == ("refunded", 0)


def test_fifty_refunds_give_back_the_fee_exactly_and_the_next_is_refused(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_100)
    paid = shop.pay(payer, 10_100)
    for _ in range(50):
        assert shop.refund(paid["payment_id"], 200)["state"] == "succeeded"
    assert shop.refund(paid["payment_id"], 1)["error"]["code"] == "refund_count_exceeded"
    assert shop.rows("SELECT refund_count FROM payment") == [{"refund_count": 50}]
    assert shop.verify().is_whole


def test_a_refund_is_never_more_than_the_rest(shop: Shop) -> None:
    paid = shop.pay(shop.add_payer(balance_minor=10_000), 1_000)
    shop.refund(paid["payment_id"], 600)
    refused = shop.refund(paid["payment_id"], 401)
    assert (refused["state"], refused["error"]["code"]) == ("failed", "refund_exceeds")
    assert shop.refund(paid["payment_id"], 400)["state"] == "succeeded"
    assert shop.refund(paid["payment_id"], 1)["error"]["code"] == "refund_exceeds"


def test_a_refund_comes_from_pending_money_first_then_from_available(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    first = shop.pay(payer, 1_000)
    shop.do(Settle(994))
    second = shop.pay(payer, 300)
    shop.refund(second["payment_id"], 200)
    shop.refund(first["payment_id"], 600)
    shop.refund(first["payment_id"], 400)
    sources = shop.rows("SELECT amount_minor, source FROM refund")
    assert {row["amount_minor"]: row["source"] for row in sources} == {
        200: "MPEND", 600: "MPEND+MAVAIL", 400: "MAVAIL"
    }  # fmt: skip
    assert (shop.balance(PENDING), shop.balance(AVAILABLE)) == (0, 99)
    assert shop.payer_balance(payer) == 9_900
    assert shop.verify().is_whole


def test_the_last_fen_of_a_refund_may_come_from_the_returned_fee_alone(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=84)
    paid = shop.pay(payer, 84)
    assert shop.refund(paid["payment_id"], 83)["state"] == "succeeded"
    assert (shop.balance(PENDING), shop.balance("C:UNSWEPT:CNY")) == (0, 1)
    assert shop.refund(paid["payment_id"], 1)["state"] == "succeeded"
    assert (shop.payer_balance(payer), shop.balance("C:UNSWEPT:CNY")) == (84, 0)


def test_the_same_refund_again_moves_nothing(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    paid = shop.pay(payer, 1_000)
    body = {"refund_id": shop.id("rfd"), "payment_id": paid["payment_id"], "amount_minor": 300,
            "currency": "CNY", "till": "t"}  # fmt: skip
    for _ in range(3):
        assert shop.ask("refund.create", body)["state"] == "succeeded"
    with pytest.raises(CallerError, match="idempotency_conflict"):
        shop.ask("refund.create", body | {"amount_minor": 301})
    assert shop.payer_balance(payer) == 9_300
    found = shop.ask("refund.query", {"refund_id": body["refund_id"]})
    assert (found["state"], found["amount_minor"]) == ("succeeded", 300)


def test_a_failed_refund_stays_failed(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    paid = shop.pay(payer, 1_000)
    shop.do(Settle(994, paid_out=994))
    body = {"refund_id": shop.id("rfd"), "payment_id": paid["payment_id"], "amount_minor": 300,
            "currency": "CNY", "till": "t"}  # fmt: skip
    assert shop.ask("refund.create", body)["state"] == "failed"
    shop.pay(payer, 5_000)
    assert shop.ask("refund.create", body)["state"] == "failed"
    assert shop.refund(paid["payment_id"], 300)["state"] == "succeeded"


def test_what_was_not_paid_cannot_be_refunded(shop: Shop) -> None:
    declined = shop.pay(shop.add_payer(), 100)
    assert shop.refund(declined["payment_id"], 1)["error"]["code"] == "payment_state"
    with pytest.raises(CallerError, match="payment_not_found"):
        shop.refund(shop.id("pay"), 1)
    with pytest.raises(CallerError, match="refund_not_found"):
        shop.ask("refund.query", {"refund_id": shop.id("rfd")})


def test_a_refund_is_refused_after_a_year(shop: Shop) -> None:
    paid = shop.pay(shop.add_payer(balance_minor=10_000), 1_000)
    shop.clock.at_ms += 366 * 24 * 3_600_000
    assert shop.refund(paid["payment_id"], 1)["error"]["code"] == "refund_too_late"


@pytest.mark.parametrize("message_type", ["payment.query", "payment.close", "payment.reverse"])
def test_another_merchants_payment_is_not_found(shop: Shop, message_type: str) -> None:
    paid = shop.pay(shop.add_payer(balance_minor=10_000), 1_000)
    with pytest.raises(CallerError, match="payment_not_found"):
        shop.ask(message_type, {"payment_id": paid["payment_id"]}, merchant_id=OTHER_MERCHANT)
    with pytest.raises(CallerError, match="payment_not_found"):
        shop.refund(paid["payment_id"], 1, merchant_id=OTHER_MERCHANT)
