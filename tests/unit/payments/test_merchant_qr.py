"""The payer scans the merchant's code: shown, scanned, confirmed, expired, closed."""

from collections.abc import Callable
from typing import Any

import pytest

from backend.payments.confirm import ConfirmByPayer, ScanPayment
from backend.payments.service import ExpirePayment
from backend.wallet.model import scanned_payment_id
from protocol import cbor
from protocol.errors import CallerError
from tests.support.shop import MERCHANT, Shop


def scan(shop: Shop, answer: dict[str, Any], payer: str = "pyr_1") -> Any:
    payment_id = scanned_payment_id(answer["code_url"])
    return shop.do(ScanPayment(payment_id=payment_id, payer_id=payer, rules=shop.rules))


def confirm(shop: Shop, answer: dict[str, Any], payer: str, **changes: Any) -> Any:
    fields = {
        "payment_id": answer["payment_id"],
        "attempt_id": shop.id("att"),
        "payer_id": payer,
        "is_pin_verified": False,
        "rules": shop.rules,
    }
    return shop.do(ConfirmByPayer(**(fields | changes)))[1]


def pushes(shop: Shop) -> list[dict[str, Any]]:
    rows = shop.rows("SELECT * FROM outbox_push ORDER BY store, seq")
    return [row | {"body": cbor.decode(bytes(row["body"]), bytes_max=9999)} for row in rows]


def test_a_code_is_shown_scanned_and_paid_and_the_till_is_told(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=5_000)
    shown = shop.show_qr(1_000)
    assert shown["state"] == "awaiting_payer"
    assert shown["code_expires_at_ms"] == shop.clock.at_ms + shop.rules.code_life_ms
    asked = scan(shop, shown)
    assert (asked["merchant_id"], asked["amount_minor"], asked["pin_required"]) == (
        MERCHANT,
        1_000,
        False,
    )
    assert confirm(shop, shown, payer)["state"] == "captured"
    (push,) = pushes(shop)
    assert (push["device"], push["message_type"], push["seq"]) == ("pos1", "payment.result", 1)
    assert push["body"]["state"] == "captured"
    assert shop.payer_balance(payer) == 4_000


def test_a_confirmation_repeated_charges_once(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=5_000)
    shown = shop.show_qr(1_000)
    attempt_id = shop.id("att")
    for _ in range(2):
        assert confirm(shop, shown, payer, attempt_id=attempt_id)["state"] == "captured"
    assert confirm(shop, shown, payer)["state"] == "captured"
    assert shop.payer_balance(payer) == 4_000
    assert len(pushes(shop)) == 1


def test_two_payers_race_and_one_pays(shop: Shop) -> None:
    payers = [shop.add_payer(balance_minor=5_000) for _ in range(2)]
    shown = shop.show_qr(1_000)
    outcomes = shop.apply(
        *(
            ConfirmByPayer(
                payment_id=shown["payment_id"],
                attempt_id=shop.id("att"),
                payer_id=payer,
                is_pin_verified=False,
                rules=shop.rules,
            )
            for payer in payers
        )
    )
    assert outcomes[0].error is None
    assert outcomes[1].error is not None
    assert [shop.payer_balance(payer) for payer in payers] == [4_000, 5_000]


def test_too_little_balance_leaves_the_code_for_another_payer(shop: Shop) -> None:
    poor, rich = shop.add_payer(balance_minor=10), shop.add_payer(balance_minor=5_000)
    shown = shop.show_qr(1_000)
    refused = confirm(shop, shown, poor)
    assert (refused["state"], refused["error"]["code"]) == (
        "awaiting_payer",
        "insufficient_balance",
    )
    assert confirm(shop, shown, rich)["state"] == "captured"


def test_a_refused_try_repeated_is_refused_again_whatever_came_after(shop: Shop) -> None:
    poor, rich = shop.add_payer(balance_minor=10), shop.add_payer(balance_minor=5_000)
    shown, attempt_id = shop.show_qr(1_000), shop.id("att")
    first = confirm(shop, shown, poor, attempt_id=attempt_id)
    assert first["error"]["code"] == "insufficient_balance"
    assert confirm(shop, shown, poor, attempt_id=attempt_id) == first
    shop.top_up(poor, 5_000)
    assert confirm(shop, shown, poor, attempt_id=attempt_id) == first
    assert confirm(shop, shown, rich)["state"] == "captured"
    later = confirm(shop, shown, poor, attempt_id=attempt_id)
    assert later["error"]["code"] == "insufficient_balance"
    assert "payer_masked" not in later
    assert shop.payer_balance(poor) == 5_010


def test_another_payers_attempt_is_a_conflict_and_tells_nothing(shop: Shop) -> None:
    payer, other = shop.add_payer(balance_minor=5_000), shop.add_payer(balance_minor=5_000)
    shown, attempt_id = shop.show_qr(1_000), shop.id("att")
    confirm(shop, shown, payer, attempt_id=attempt_id)
    with pytest.raises(CallerError, match="idempotency_conflict"):
        confirm(shop, shown, other, attempt_id=attempt_id)
    (made,) = shop.rows("SELECT attempt_id FROM payment_attempt WHERE payer_id IS NULL")
    with pytest.raises(CallerError, match="idempotency_conflict"):
        confirm(shop, shown, other, attempt_id=made["attempt_id"])


def test_a_large_amount_needs_the_pin(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=50_000)
    shown = shop.show_qr(20_001)
    assert scan(shop, shown)["pin_required"]
    with pytest.raises(CallerError, match="pin_required"):
        confirm(shop, shown, payer)
    assert confirm(shop, shown, payer, is_pin_verified=True)["state"] == "captured"


def test_an_overdue_code_cannot_be_paid_and_the_sweep_tells_the_till(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=5_000)
    shown = shop.show_qr(1_000)
    assert not shop.do(ExpirePayment(payment_id=shown["payment_id"]))
    shop.clock.at_ms += shop.rules.code_life_ms
    acts: tuple[Callable[[], Any], ...] = (
        lambda: scan(shop, shown),
        lambda: confirm(shop, shown, payer),
    )
    for act in acts:
        with pytest.raises(CallerError, match="payment_expired"):
            act()
    assert shop.do(ExpirePayment(payment_id=shown["payment_id"]))
    assert not shop.do(ExpirePayment(payment_id=shown["payment_id"]))
    assert [push["body"]["state"] for push in pushes(shop)] == ["expired"]
    with pytest.raises(CallerError, match="payment_expired"):
        confirm(shop, shown, payer)


def test_a_query_sees_that_the_time_has_passed(shop: Shop) -> None:
    shown = shop.show_qr(1_000)
    shop.clock.at_ms += shop.rules.code_life_ms
    found = shop.ask("payment.query", {"payment_id": shown["payment_id"]})
    assert found["state"] == "expired"


def test_a_closed_code_cannot_be_paid(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=5_000)
    shown = shop.show_qr(1_000)
    body = {"payment_id": shown["payment_id"]}
    assert shop.ask("payment.close", body)["state"] == "closed"
    assert shop.ask("payment.close", body)["state"] == "closed"
    with pytest.raises(CallerError, match="payment_closed"):
        confirm(shop, shown, payer)
    assert shop.payer_balance(payer) == 5_000


def test_who_scans_a_paid_code_again_is_not_sent_for_another(shop: Shop) -> None:
    payer, other = (shop.add_payer(balance_minor=5_000) for _ in range(2))
    shown = shop.show_qr(1_000)
    confirm(shop, shown, payer)
    for whoever in (payer, other):
        with pytest.raises(CallerError, match="payment_paid"):
            scan(shop, shown, whoever)
    with pytest.raises(CallerError, match="payment_paid"):
        confirm(shop, shown, other)
    shop.refund(shown["payment_id"], 400)
    with pytest.raises(CallerError, match="payment_paid"):
        scan(shop, shown, payer)
    assert [shop.payer_balance(one) for one in (payer, other)] == [4_400, 5_000]


@pytest.mark.parametrize("text", ["", "https://x", "tillway://pay?id=", "tillway://pay?id=pay_1"])
def test_another_text_is_not_a_payment_code(text: str) -> None:
    with pytest.raises(CallerError, match="field_invalid"):
        scanned_payment_id(text)


def test_pushes_of_a_store_are_numbered_without_gaps(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=5_000)
    for amount in (100, 200, 300):
        confirm(shop, shop.show_qr(amount), payer)
    assert [push["seq"] for push in pushes(shop)] == [1, 2, 3]
