"""Vouchers over HTTP: given with the PIN, signed by the backend, seen by payer and operators."""

import asyncio
from typing import Any

from fastapi.testclient import TestClient

from backend.payments.expiry import close_vouchers
from protocol.messages.offline import OfflineWish, TokenText, open_voucher, read_token, sign_token
from tests.support.offline import BACKEND_KEY, HOUR_MS
from tests.support.shop import Shop
from tests.support.wallet_http import OPERATOR, services_of
from tests.unit.wallet.test_wallet_http import PIN, Phone


def fetched(phone: Phone, amount_minor: int = 8_000, **changes: Any) -> Any:
    wanted = {"voucher_id": phone.shop.id("ofv"), "amount_minor": amount_minor, "pin": PIN}
    return phone.post("offline-vouchers", wanted | changes)


def spend(phone: Phone, voucher: dict[str, Any], amount_minor: int, number: int) -> Any:
    """A till's request with the phone's token."""
    body = phone.shop.create_body("offline_token", amount_minor)
    wish = OfflineWish.from_map({name: body[name] for name in OfflineWish.model_fields})
    asked = OfflineWish.from_text(wish.to_text())
    text = TokenText(
        voucher_id=voucher["voucher_id"], number=number, signed_at_ms=0, **asked.to_map()
    )
    token = sign_token(text, phone.key, voucher=bytes.fromhex(voucher["signed"]))
    read_token(token).verify(BACKEND_KEY.public)
    accepted = {"offline_token": token, "accepted_at_ms": phone.shop.clock.at_ms}
    return phone.shop.ask("payment.create", body | accepted)


def test_the_voucher_is_signed_by_the_backend_for_the_payers_key(
    shop: Shop, http: TestClient
) -> None:
    phone = Phone(shop, http)
    voucher = fetched(phone)
    text = open_voucher(bytes.fromhex(voucher["signed"]), BACKEND_KEY.public)
    assert (text.public, text.amount_minor, text.payer_masked) == (
        phone.key.public.public, 8_000, "韩**",
    )  # fmt: skip
    assert phone.get("balance")["available_minor"] == 42_000
    assert phone.get("offline-vouchers")["vouchers"] == [voucher]


def test_a_wrong_pin_sets_nothing_aside_and_a_second_voucher_is_refused(
    shop: Shop, http: TestClient
) -> None:
    phone = Phone(shop, http)
    assert fetched(phone, pin="000000")["error"]["code"] == "pin_wrong"
    assert phone.get("balance")["available_minor"] == 50_000
    fetched(phone)
    assert fetched(phone)["error"]["code"] == "offline_voucher_open"


def test_a_payer_sees_what_came_back_and_nobody_elses_voucher(shop: Shop, http: TestClient) -> None:
    phone, other = Phone(shop, http), Phone(shop, http)
    voucher = fetched(phone)
    assert spend(phone, voucher, 2_600, 0)["state"] == "captured"
    shown = phone.get(f"offline-vouchers/{voucher['voucher_id']}")
    assert shown["spent_minor"] == 2_600
    assert [(one["bearer"], one["amount_minor"]) for one in shown["returns"]] == [
        ("set_aside", 2_600)
    ]
    theirs = other.get(f"offline-vouchers/{voucher['voucher_id']}")
    assert theirs["error"]["code"] == "offline_voucher_not_found"


def test_operators_see_who_bears_what_was_spent_twice(shop: Shop, http: TestClient) -> None:
    phone = Phone(shop, http, balance_minor=8_000)
    voucher = fetched(phone)
    for number in (0, 0):
        spend(phone, voucher, 4_000, number)
    assert http.get("/operator/v1/offline/returns?bearer=house").status_code == 401
    found = http.get("/operator/v1/offline/returns?bearer=house", headers=OPERATOR).json()
    [borne] = found["returns"]
    assert (borne["payer_id"], borne["amount_minor"]) == (phone.payer_id, 4_000)
    path = f"/operator/v1/offline/vouchers/{voucher['voucher_id']}"
    whole = http.get(path, headers=OPERATOR).json()
    assert (whole["state"], len(whole["returns"])) == ("overspent", 2)


def test_the_sweep_gives_back_what_nobody_can_bring_any_more(shop: Shop, http: TestClient) -> None:
    phone = Phone(shop, http)
    spend(phone, fetched(phone), 2_600, 0)
    services = services_of(shop)
    assert asyncio.run(close_vouchers(services)) == 0
    shop.clock.at_ms += 97 * HOUR_MS
    assert asyncio.run(close_vouchers(services)) == 1
    assert asyncio.run(close_vouchers(services)) == 0
    assert phone.get("balance")["available_minor"] == 47_400
    assert shop.verify().is_whole
