"""Small payments without a PIN: the limits of a payment and of a day, and the payer's own."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from backend.payments.confirm import ConfirmByPayer, ScanPayment
from backend.wallet.config import WalletSettings
from backend.wallet.model import PinFreeDay, WalletRules
from backend.wallet.pin_free import ChoosePinFree
from protocol.errors import CallerError
from tests.support.shop import Shop
from tests.unit.wallet.test_wallet_http import PIN, Phone

DAY_MS = 24 * 3_600_000


def _confirm(
    shop: Shop, payer: str, amount: int, *, has_pin: bool = False, attempt_id: str | None = None
) -> Any:
    command = ConfirmByPayer(
        payment_id=shop.show_qr(amount)["payment_id"],
        attempt_id=attempt_id or shop.id("att"),
        payer_id=payer,
        is_pin_verified=has_pin,
        rules=shop.rules,
    )
    return shop.do(command)[1]


def _asks_pin(shop: Shop, payer: str, amount: int) -> bool:
    payment_id = shop.show_qr(amount)["payment_id"]
    shown = shop.do(ScanPayment(payment_id=payment_id, payer_id=payer, rules=shop.rules))
    return bool(shown["pin_required"])


def test_one_small_payment_too_many_needs_the_pin_and_the_next_day_does_not(
    shop: Shop,
) -> None:
    payer = shop.add_payer(balance_minor=50_000)
    for _ in range(10):
        shop.clock.at_ms += 10_000  # the risk rules look at a minute
        assert not _asks_pin(shop, payer, 100)
        assert _confirm(shop, payer, 100)["state"] == "captured"
    assert _asks_pin(shop, payer, 100)
    with pytest.raises(CallerError, match="pin_required: too many payments of the day"):
        _confirm(shop, payer, 100)
    assert _confirm(shop, payer, 100, has_pin=True)["state"] == "captured"
    shop.clock.at_ms += DAY_MS
    assert _confirm(shop, payer, 100)["state"] == "captured"
    assert not _asks_pin(shop, shop.add_payer(), 100)


def test_the_sum_of_a_day_is_limited_and_neither_pin_nor_refusals_count(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=85_000)
    assert _confirm(shop, payer, 20_000, has_pin=True)["state"] == "captured"
    for _ in range(3):
        assert _confirm(shop, payer, 20_000)["state"] == "captured"
    refused = _confirm(shop, payer, 20_000)
    assert refused["error"]["code"] == "insufficient_balance"
    [row] = shop.rows(f"SELECT * FROM pin_free WHERE payer_id = '{payer}'")
    assert (row["spent_minor"], row["count"]) == (60_000, 3)


def test_two_confirmations_in_one_group_cannot_pass_the_limit_together(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=50_000)
    for _ in range(9):
        _confirm(shop, payer, 100)
    commands = [
        ConfirmByPayer(
            payment_id=shop.show_qr(100)["payment_id"],
            attempt_id=shop.id("att"),
            payer_id=payer,
            is_pin_verified=False,
            rules=shop.rules,
        )
        for _ in range(2)
    ]
    first, second = shop.apply(*commands)
    assert first.error is None
    assert isinstance(second.error, CallerError)
    assert second.error.code == "pin_required"


def test_a_payer_may_ask_for_the_pin_always_but_never_for_more_than_ours(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=50_000)
    shop.do(ChoosePinFree(payer_id=payer, currency="CNY", limit_minor=0))
    assert _asks_pin(shop, payer, 1)
    shop.do(ChoosePinFree(payer_id=payer, currency="CNY", limit_minor=100_000))
    assert not _asks_pin(shop, payer, 20_000)
    assert _asks_pin(shop, payer, 20_001)
    shop.do(ChoosePinFree(payer_id=payer, currency="CNY", limit_minor=None))
    assert not _asks_pin(shop, payer, 20_000)
    with pytest.raises(CallerError, match="amount_invalid"):
        shop.do(ChoosePinFree(payer_id=payer, currency="CNY", limit_minor=100_001))


def test_the_rules_say_the_first_reason_and_refuse_what_is_out_of_range() -> None:
    rules = WalletRules(pin_free_minor=100, pin_free_day_minor=250, pin_free_day_count=3)
    assert rules.pin_reason(100, PinFreeDay(spent_minor=150, count=2)) is None
    assert rules.pin_reason(101, PinFreeDay()) == "above the limit of one payment"
    assert rules.pin_reason(100, PinFreeDay(spent_minor=151)) == "above the limit of the day"
    assert rules.pin_reason(1, PinFreeDay(count=3)) == "too many payments of the day"
    with pytest.raises(ValueError, match="without a PIN"):
        WalletRules(pin_free_minor=100_001)
    assert WalletSettings(pin_free_day_count=9).rules().pin_free_day_count == 9


def test_a_phone_chooses_its_limit_with_the_pin(shop: Shop, http: TestClient) -> None:
    phone = Phone(shop, http)
    without = http.post("/wallet/v1/pin-free", json={"limit_minor": 0}, headers=phone.headers)
    assert without.json()["error"]["code"] == "pin_required"
    wrong = phone.post("pin-free", {"limit_minor": 0, "pin": "000000"})
    assert wrong["error"]["code"] == "pin_wrong"
    chosen = phone.post("pin-free", {"limit_minor": 0, "pin": PIN})
    assert chosen == {"currency": "CNY", "limit_minor": 0}
    left = {"day_left_minor": 100_000, "day_left_count": 10}
    assert phone.get("pin-free") == chosen | left
    body = {"payment_id": shop.show_qr(1)["payment_id"], "attempt_id": shop.id("att")}
    assert phone.post("confirm", body)["error"]["code"] == "pin_required"


def test_a_phone_sees_what_is_left_of_the_day(shop: Shop, http: TestClient) -> None:
    phone = Phone(shop, http)
    body = {"payment_id": shop.show_qr(150)["payment_id"], "attempt_id": shop.id("att")}
    phone.post("confirm", body)
    left = phone.get("pin-free")
    assert (left["limit_minor"], left["day_left_minor"], left["day_left_count"]) == (
        20_000, 99_850, 9,
    )  # fmt: skip
    shop.clock.at_ms += DAY_MS
    assert phone.get("pin-free")["day_left_count"] == 10
