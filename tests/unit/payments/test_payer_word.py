"""Payments by code that wait for their payer's PIN: when, how they end, and by whose word."""

from collections.abc import Iterator
from typing import Any

import pytest

from backend.payments.confirm import ConfirmByPayer
from backend.payments.limits import PAYER_WORD_MS
from backend.payments.repository import PaymentRepository
from backend.payments.service import ExpirePayment
from backend.payments.word import RefuseByPayer
from backend.wallet.model import WalletRules
from backend.wallet.pin_free import ChoosePinFree
from backend.wallet.service import SetPayerStatus
from protocol.errors import CallerError
from tests.support.shop import Shop, shop_of_two

LARGE_MINOR = 100_001


@pytest.fixture
def strict(migrated_url: str) -> Iterator[Shop]:
    """A shop whose payers have three payments a day without a PIN."""
    with shop_of_two(migrated_url, wallet=WalletRules(pin_free_day_count=3)) as shop:
        yield shop


def confirm(shop: Shop, payer: str, payment_id: str, **changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "payment_id": payment_id, "attempt_id": shop.id("att"), "payer_id": payer,
        "is_pin_verified": True, "rules": shop.rules,
    }  # fmt: skip
    answer: dict[str, Any] = shop.do(ConfirmByPayer(**(fields | changes)))[1]
    return answer


def test_a_large_payment_by_code_waits_and_the_pin_pays_it_once(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=200_000)
    asked = shop.pay(payer, LARGE_MINOR)
    assert (asked["state"], asked["payer_masked"]) == ("awaiting_payer", "李*")
    assert "code_url" not in asked
    assert asked["code_expires_at_ms"] == shop.clock.at_ms + PAYER_WORD_MS
    payment_id, attempt_id = asked["payment_id"], shop.id("att")
    with pytest.raises(CallerError, match="pin_required"):
        confirm(shop, payer, payment_id, is_pin_verified=False)
    assert shop.payer_balance(payer) == 200_000
    for _ in range(2):
        paid = confirm(shop, payer, payment_id, attempt_id=attempt_id)
        assert paid["state"] == "captured"
    assert shop.payer_balance(payer) == 200_000 - LARGE_MINOR
    [attempt] = shop.rows("SELECT * FROM payment_attempt WHERE outcome = 'captured'")
    assert (attempt["method"], attempt["verification_kind"]) == ("pay_code", "pin")
    assert shop.rows("SELECT * FROM pin_free") == []
    assert shop.verify().is_whole


def test_only_the_payer_whose_code_it_was_is_asked(shop: Shop) -> None:
    payer, other = (shop.add_payer(balance_minor=200_000) for _ in range(2))
    payment_id = shop.pay(payer, LARGE_MINOR)["payment_id"]
    payments = PaymentRepository(shop.reader)
    [row] = payments.asked_of(payer, shop.clock.at_ms)
    assert row["payment_id"] == payment_id
    assert payments.asked_of(other, shop.clock.at_ms) == []
    with pytest.raises(CallerError, match="payment_not_found"):
        confirm(shop, other, payment_id)
    with pytest.raises(CallerError, match="payment_not_found"):
        shop.do(RefuseByPayer(payment_id=payment_id, payer_id=other))
    assert confirm(shop, payer, payment_id)["state"] == "captured"


def test_the_payer_refuses_and_the_till_is_told(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=200_000)
    payment_id = shop.pay(payer, LARGE_MINOR)["payment_id"]
    for _ in range(2):
        _, refused = shop.do(RefuseByPayer(payment_id=payment_id, payer_id=payer))
        assert (refused["state"], refused["error"]["code"]) == ("declined", "payer_refused")
    with pytest.raises(CallerError, match="payment_closed"):
        confirm(shop, payer, payment_id)
    [push] = shop.rows("SELECT * FROM outbox_push")
    assert push["device"] == "pos1"


def test_a_reversed_or_expired_one_cannot_be_confirmed(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=400_000)
    first, second = (shop.pay(payer, LARGE_MINOR)["payment_id"] for _ in range(2))
    assert shop.ask("payment.reverse", {"payment_id": first})["state"] == "reversed"
    with pytest.raises(CallerError, match="payment_closed"):
        confirm(shop, payer, first)
    shop.clock.at_ms += PAYER_WORD_MS
    with pytest.raises(CallerError, match="payment_expired"):
        confirm(shop, payer, second)
    assert PaymentRepository(shop.reader).asked_of(payer, shop.clock.at_ms) == []
    assert shop.do(ExpirePayment(payment_id=second)) is True
    assert shop.ask("payment.query", {"payment_id": second})["state"] == "expired"
    assert shop.payer_balance(payer) == 400_000


def test_what_is_refused_for_want_of_money_can_be_confirmed_again(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10)
    payment_id = shop.pay(payer, LARGE_MINOR)["payment_id"]
    refused = confirm(shop, payer, payment_id)
    assert (refused["state"], refused["error"]["code"]) == (
        "awaiting_payer", "insufficient_balance",
    )  # fmt: skip
    shop.top_up(payer, LARGE_MINOR)
    assert confirm(shop, payer, payment_id)["state"] == "captured"


def test_codes_and_confirmations_count_in_one_day(strict: Shop) -> None:
    payer = strict.add_payer(balance_minor=50_000)
    shown = strict.show_qr(100)["payment_id"]
    assert confirm(strict, payer, shown, is_pin_verified=False)["state"] == "captured"
    states = [strict.pay(payer, 100)["state"] for _ in range(3)]
    assert states == ["captured", "captured", "awaiting_payer"]
    finger = {"kind": "fingerprint", "score": 180, "slot": 3}
    assert strict.pay(payer, 100, verification=finger)["state"] == "captured"
    strict.clock.at_ms += 24 * 3_600_000
    assert strict.pay(payer, 100)["state"] == "captured"


def test_two_codes_in_one_group_cannot_pass_the_day_together(strict: Shop) -> None:
    payer = strict.add_payer(balance_minor=50_000)
    for _ in range(2):
        strict.pay(payer, 100)
    bodies = [strict.create_body("pay_code", 100, pay_code=strict.code(payer)) for _ in range(2)]
    commands = [strict.command(strict.request("payment.create", body)) for body in bodies]
    states = [outcome.value()[1]["state"] for outcome in strict.apply(*commands)]
    assert states == ["captured", "awaiting_payer"]


def test_a_payer_s_own_limit_holds_for_codes_and_a_declined_one_does_not_count(
    strict: Shop,
) -> None:
    payer = strict.add_payer(balance_minor=150)
    strict.do(ChoosePinFree(payer_id=payer, currency="CNY", limit_minor=200))
    assert strict.pay(payer, 201)["state"] == "awaiting_payer"
    assert strict.pay(payer, 200)["error"]["code"] == "insufficient_balance"
    [row] = strict.rows("SELECT * FROM pin_free")
    assert (row["spent_minor"], row["count"]) == (0, 0)
    assert strict.pay(payer, 100)["state"] == "captured"


def test_a_frozen_payer_is_not_asked(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=200_000)
    shop.do(SetPayerStatus(payer_id=payer, is_frozen=True))
    assert shop.pay(payer, LARGE_MINOR)["error"]["code"] == "payer_frozen"
