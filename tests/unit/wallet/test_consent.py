"""What a phone signs in place of the PIN: one payment, one attempt, now, and not for everything."""

from typing import Any

from fastapi.testclient import TestClient

from backend.wallet.config import WalletSettings
from protocol.crypto import SigningKey, generate
from protocol.limits import CONSENT_AGE_MS_MAX
from protocol.messages.consent import ConsentText, sign_consent
from tests.support.shop import MERCHANT, OTHER_MERCHANT, Shop
from tests.unit.wallet.test_wallet_http import Phone

LARGE_MINOR = 20_001


def consent(phone: Phone, asked: str, *, key: SigningKey | None = None, **changes: Any) -> Any:
    """A confirmation with a consent, and what the phone is told."""
    attempt_id = phone.shop.id("att")
    fields: dict[str, Any] = {
        "payment_id": asked, "attempt_id": attempt_id, "payer_id": phone.payer_id,
        "merchant_id": MERCHANT, "amount_minor": LARGE_MINOR, "currency": "CNY",
        "signed_at_ms": phone.shop.clock.at_ms,
    }  # fmt: skip
    signed = sign_consent(ConsentText(**(fields | changes)), key or phone.key)
    body = {"payment_id": asked, "attempt_id": attempt_id, "consent": signed.hex()}
    return phone.post("confirm", body)


def test_a_finger_on_the_phone_stands_for_the_pin(shop: Shop, http: TestClient) -> None:
    phone = Phone(shop, http)
    payment_id = shop.show_qr(LARGE_MINOR)["payment_id"]
    assert consent(phone, payment_id)["state"] == "captured"
    [attempt] = shop.rows("SELECT verification_kind FROM payment_attempt WHERE payer_id > ''")
    assert attempt["verification_kind"] == "consent"
    assert shop.rows("SELECT * FROM pin_free") == []


def test_it_gives_the_word_for_a_payment_by_code(shop: Shop, http: TestClient) -> None:
    phone = Phone(shop, http, balance_minor=300_000)
    body = shop.create_body("pay_code", 100_001, pay_code=phone.post("pay-code")["pay_code"])
    assert shop.ask("payment.create", body)["state"] == "awaiting_payer"
    paid = consent(phone, body["payment_id"], amount_minor=100_001)
    assert paid["state"] == "captured"


def test_what_is_not_of_this_payment_is_no_consent(shop: Shop, http: TestClient) -> None:
    phone = Phone(shop, http)
    asked, other = (shop.show_qr(LARGE_MINOR)["payment_id"] for _ in range(2))
    for changes in (
        {"payment_id": other},
        {"attempt_id": shop.id("att")},
        {"amount_minor": LARGE_MINOR - 1},
        {"currency": "USD"},
        {"merchant_id": OTHER_MERCHANT},
        {"payer_id": "pyr_somebody"},
        {"signed_at_ms": 0},
        {"key": generate("SM2-SM3")},
        {"term": 1},
    ):
        assert consent(phone, asked, **changes)["error"]["code"] == "consent_invalid", changes
    assert shop.payer_balance(phone.payer_id) == 50_000


def test_it_ages_and_is_not_for_much(shop: Shop, http: TestClient) -> None:
    phone = Phone(shop, http, balance_minor=600_000)
    payment_id = shop.show_qr(LARGE_MINOR)["payment_id"]
    old = shop.clock.at_ms - CONSENT_AGE_MS_MAX
    assert consent(phone, payment_id, signed_at_ms=old - 1)["error"]["code"] == "consent_invalid"
    assert consent(phone, payment_id, signed_at_ms=old)["state"] == "captured"
    much = shop.show_qr(500_001)["payment_id"]
    assert consent(phone, much, amount_minor=500_001)["error"]["code"] == "pin_required"
    nonsense = {"payment_id": much, "attempt_id": shop.id("att"), "consent": "d2"}
    assert phone.post("confirm", nonsense)["error"]["code"] == "consent_invalid"
    assert WalletSettings(consent_minor=1).rules().consent_minor == 1
