"""A payer's new PIN: with the present one, by the interface and on the page."""

import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from backend.wallet.limits import PIN_LOCK_MS, PIN_TRIES_MAX
from backend.wallet.model import is_weak_pin
from backend.wallet_page.routes import router
from faces.routes import add_routes
from tests.support.shop import Shop
from tests.support.wallet_http import services_of
from tests.unit.wallet.test_wallet_http import PIN, Phone

NEW = "739205"


def taken(phone: Phone, pin: str) -> bool:
    """Whether a payment takes a PIN."""
    payment_id = phone.shop.show_qr(100)["payment_id"]
    body = {"payment_id": payment_id, "attempt_id": phone.shop.id("att"), "pin": pin}
    return "error" not in phone.post("confirm", body)


def test_a_new_pin_takes_the_present_one_and_then_stands_alone(
    shop: Shop, http: TestClient
) -> None:
    phone = Phone(shop, http)
    for pin, new, code in (
        ("000000", NEW, "pin_wrong"), (PIN, PIN, "pin_weak"), (PIN, "111111", "pin_weak"),
        (PIN, "123456", "pin_weak"), (PIN, "987654", "pin_weak"),
        (PIN, "12a456", "field_invalid"),
    ):  # fmt: skip
        answer = phone.post("pin", {"pin": pin, "new_pin": new})
        assert answer["error"]["code"] == code, (pin, new)
        assert new not in str(answer)
    assert taken(phone, PIN)
    assert phone.post("pin", {"pin": PIN, "new_pin": NEW}) == {"payer_id": phone.payer_id}
    assert taken(phone, NEW)
    assert not taken(phone, PIN)


@pytest.mark.parametrize("pin", ["121212", "246810", "112233", "901234"])
def test_what_only_looks_like_a_run_is_a_pin(pin: str) -> None:
    assert not is_weak_pin(pin)


def test_a_locked_pin_is_not_changed_until_its_time_is_over(shop: Shop, http: TestClient) -> None:
    phone = Phone(shop, http)
    for _ in range(PIN_TRIES_MAX):
        phone.post("pin", {"pin": "000000", "new_pin": NEW})
    assert phone.post("pin", {"pin": PIN, "new_pin": NEW})["error"]["code"] == "pin_locked"
    shop.clock.at_ms += PIN_LOCK_MS
    assert phone.post("pin", {"pin": PIN, "new_pin": NEW}) == {"payer_id": phone.payer_id}


def test_the_page_changes_the_pin_and_says_so(shop: Shop, http: TestClient) -> None:
    phone, app = Phone(shop, http), FastAPI()
    add_routes(app, router(services_of(shop)))
    with TestClient(app, base_url="https://wallet.example", follow_redirects=False) as browser:
        browser.post("/wallet/sign-in", data={"token": phone.made["token"]})
        me = browser.get("/wallet/me").text
        assert 'href="/wallet/pin-change"' in me
        found = re.search(r'name="page" value="([0-9a-f]{64})"', me)
        assert found is not None
        form = {"page": found[1], "pin": PIN, "new_pin": NEW, "again": "739206"}
        unlike = browser.post("/wallet/pin-change?lang=en", data=form).text
        assert "The two new PINs differ" in unlike
        assert NEW not in unlike
        wrong = browser.post("/wallet/pin-change", data=form | {"again": NEW, "pin": "000000"})
        assert "4 tries are left" in wrong.text
        done = browser.post("/wallet/pin-change", data=form | {"again": NEW})
        assert done.headers["location"] == "/wallet/pin-change?done=yes"
        assert "The PIN is changed." in browser.get(done.headers["location"]).text
    assert taken(phone, NEW)
