"""A fingerprint or a face in place of the PIN: what it confirms, and everything it does not."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from backend.passkeys.limits import CHALLENGE_LIFE_MS, PASSKEYS_MAX
from backend.passkeys.model import Site
from backend.wallet.config import WalletSettings
from backend.wallet.model import WalletRules
from backend.wallet_page.routes import router
from protocol.errors import CallerError
from tests.support.migrated import migrated_sqlite
from tests.support.passkeys import ORIGIN, PRESENT, Authenticator
from tests.support.shop import Shop, bugs_in
from tests.support.wallet_http import OPERATOR, client_of, services_of
from tests.unit.wallet.test_wallet_http import PIN, Phone

LARGE_MINOR = 20_001


@contextmanager
def opened(url: str) -> Iterator[Shop]:
    shop = Shop(url, wallet=WalletRules(site=Site((ORIGIN,))))
    shop.add_merchant()
    with capture_logs() as logs:
        yield shop
    shop.close()
    assert not bugs_in(logs)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with opened(migrated_sqlite(tmp_path / "backend.db")) as shop:
        yield shop


@pytest.fixture
def http(shop: Shop) -> Iterator[TestClient]:
    with client_of(shop) as client:
        yield client


def add(phone: Phone, number: int = 1, **said: Any) -> tuple[Authenticator, Any]:
    """A passkey, and what the wallet says of it."""
    one = Authenticator(f"key-{number}-{phone.payer_id}".encode(), **said)
    name = f"Phone {number}"
    offer = phone.post("passkeys/offers", {"name": name, "pin": PIN})
    if "error" in offer:
        return one, offer
    return one, phone.post("passkeys", {"name": name, "credential": one.make(offer)})


def code(answer: Any) -> str:
    return str(answer["error"]["code"])


def wanted(phone: Phone, amount_minor: int = LARGE_MINOR) -> dict[str, Any]:
    payment_id = phone.shop.show_qr(amount_minor)["payment_id"]
    return {"payment_id": payment_id, "attempt_id": phone.shop.id("att")}


def touch(phone: Phone, one: Authenticator, path: str, body: dict[str, Any]) -> Any:
    """Ask, answer, confirm."""
    asked = phone.post(path, body | {"passkey": "ask"})
    if "error" in asked:
        return asked
    return phone.post(path, body | {"passkey": one.answer(asked["passkey"])})


def test_a_finger_stands_for_the_pin_and_its_answer_is_good_once(migrated_url: str) -> None:
    with opened(migrated_url) as shop, client_of(shop) as http:
        _confirms_once(shop, http)


def _confirms_once(shop: Shop, http: TestClient) -> None:
    phone = Phone(shop, http)
    one, kept = add(phone)
    assert kept["name"] == "Phone 1"
    body = wanted(phone)
    asked = phone.post("confirm", body | {"passkey": "ask"})["passkey"]
    assert (asked["rpId"], asked["userVerification"]) == ("pay.example", "required")
    assert [known["id"] for known in asked["allowCredentials"]] == [kept["id"]]
    assert shop.payer_balance(phone.payer_id) == 50_000, "asking pays nothing"
    answer = one.answer(asked)
    assert phone.post("confirm", body | {"passkey": answer})["state"] == "captured"
    assert code(phone.post("confirm", body | {"passkey": answer})) == "passkey_challenge"
    again = touch(phone, one, "confirm", body)
    assert again["state"] == "captured", "the same attempt charges nothing more"
    assert shop.payer_balance(phone.payer_id) == 50_000 - LARGE_MINOR
    [attempt] = shop.rows("SELECT verification_kind FROM payment_attempt WHERE payer_id > ''")
    assert attempt["verification_kind"] == "consent"
    assert phone.get("passkeys")["passkeys"][0]["used_at_ms"] == shop.clock.at_ms


def test_an_answer_confirms_nothing_but_what_was_asked(shop: Shop, http: TestClient) -> None:
    phone = Phone(shop, http)
    one, _ = add(phone)
    asked, other = wanted(phone), wanted(phone)
    for changed in (
        other,
        asked | {"attempt_id": shop.id("att")},
        asked | {"instrument_id": "balance"},
    ):
        drawn = phone.post("confirm", asked | {"passkey": "ask"})["passkey"]
        answer = one.answer(drawn)
        assert code(phone.post("confirm", changed | {"passkey": answer})) == "passkey_content"
    limit = {"limit_minor": 100, "currency": "CNY"}
    drawn = phone.post("pin-free", limit | {"passkey": "ask"})["passkey"]
    answer = one.answer(drawn)
    raised = limit | {"limit_minor": 20_000, "passkey": answer}
    assert code(phone.post("pin-free", raised)) == "passkey_content"
    assert phone.post("pin-free", limit | {"passkey": answer})["limit_minor"] == 100
    assert shop.payer_balance(phone.payer_id) == 50_000


def test_what_does_not_hold_is_refused_by_its_reason(shop: Shop, http: TestClient) -> None:
    phone, stranger = Phone(shop, http), Phone(shop, http)
    one, _ = add(phone)
    theirs, _ = add(stranger)
    body = wanted(phone)

    def refused(by: Authenticator, **said: Any) -> str:
        kept = {name: getattr(by, name) for name in said}
        for name, value in said.items():
            setattr(by, name, value)
        told = code(touch(phone, by, "confirm", body))
        for name, value in kept.items():
            setattr(by, name, value)
        return told

    assert refused(theirs) == "passkey_unknown"
    assert refused(one, origin="https://pay.example.evil") == "passkey_origin"
    assert refused(one, client={"crossOrigin": True}) == "passkey_origin"
    assert refused(one, rp_id="evil.example") == "passkey_origin"
    assert refused(one, flags=PRESENT) == "passkey_unverified"
    assert refused(one, flags=0) == "passkey_unverified"
    assert refused(one, key=theirs.key) == "passkey_invalid"
    assert refused(one, client={"type": "webauthn.create"}) == "passkey_invalid"
    assert refused(one, client={"challenge": "AAAA"}) == "passkey_challenge"
    one.count = 40
    assert touch(phone, one, "confirm", body)["state"] == "captured"
    one.count = 39
    body = wanted(phone)
    assert refused(one) == "passkey_counter"
    drawn = phone.post("confirm", body | {"passkey": "ask"})["passkey"]
    shop.clock.at_ms += CHALLENGE_LIFE_MS
    late = body | {"passkey": one.answer(drawn)}
    assert code(phone.post("confirm", late)) == "passkey_challenge"
    assert shop.payer_balance(phone.payer_id) == 50_000 - LARGE_MINOR


def test_bytes_that_are_no_answer_are_refused(shop: Shop, http: TestClient) -> None:
    phone = Phone(shop, http)
    one, _ = add(phone)
    body = wanted(phone)
    for place in ("clientDataJSON", "authenticatorData", "signature"):
        for text in ("AA", "e30", "bnVsbA", "W10", "A" * 100, "_" * 64, "eyJ0eXBlIjoxfQ"):
            drawn = phone.post("confirm", body | {"passkey": "ask"})["passkey"]
            answer = one.answer(drawn)
            answer["response"][place] = text
            told = code(phone.post("confirm", body | {"passkey": answer}))
            assert told.startswith("passkey_"), (place, text, told)
    for nonsense in ("yes", {}, {"id": "AA"}, {"id": "A" * 5_000, "response": {}}):
        refused = http.post(
            "/wallet/v1/confirm", json=body | {"passkey": nonsense}, headers=phone.headers
        )
        assert refused.status_code == 422
    offer = phone.post("passkeys/offers", {"name": "x", "pin": PIN})
    for text in ("AA", "oA", "A" * 99):
        made = one.make(offer)
        made["response"]["attestationObject"] = text
        assert code(phone.post("passkeys", {"name": "x", "credential": made})) == "passkey_invalid"


def test_much_money_still_takes_the_pin(shop: Shop, http: TestClient) -> None:
    phone = Phone(shop, http, balance_minor=600_000)
    one, _ = add(phone)
    much = wanted(phone, 500_001)
    assert code(touch(phone, one, "confirm", much)) == "pin_required"
    assert touch(phone, one, "confirm", wanted(phone, 500_000))["state"] == "captured"
    voucher = {"voucher_id": shop.id("ofv"), "amount_minor": 10_000, "currency": "CNY"}
    assert code(phone.post("offline-vouchers", voucher)) == "pin_required"
    assert touch(phone, one, "offline-vouchers", voucher)["amount_minor"] == 10_000


def test_adding_takes_the_pin_and_is_bounded(shop: Shop, http: TestClient) -> None:
    phone = Phone(shop, http)
    wrong = {"name": "Phone", "pin": "000000"}
    assert code(phone.post("passkeys/offers", wrong)) == "pin_wrong"
    assert code(add(phone, flags=PRESENT)[1]) == "passkey_unverified"
    assert code(add(phone, origin="https://evil.example")[1]) == "passkey_origin"
    keys = [add(phone, number) for number in range(PASSKEYS_MAX)]
    assert code(add(phone, 9)[1]) == "passkey_limit"
    offered = keys[0][1]["id"]
    assert phone.post(f"passkeys/{offered}/name", {"name": "Mine"})["name"] == "Mine"
    left = phone.post(f"passkeys/{offered}/remove")["passkeys"]
    assert len(left) == PASSKEYS_MAX - 1
    assert phone.post(f"passkeys/{offered}/remove")["passkeys"] == left
    assert code(touch(phone, keys[0][0], "confirm", wanted(phone))) == "passkey_unknown"
    assert code(add(phone, 0)[1]) == "passkey_invalid", "a removed one never comes back"
    offer = phone.post("passkeys/offers", {"name": "A", "pin": PIN})
    renamed = {"name": "B", "credential": Authenticator(b"new").make(offer)}
    assert code(phone.post("passkeys", renamed)) == "passkey_content"
    stranger = Phone(shop, http)
    theirs = keys[1][1]["id"]
    assert code(stranger.post(f"passkeys/{theirs}/remove")) == "passkey_unknown"
    assert code(stranger.post(f"passkeys/{theirs}/name", {"name": "x"})) == "passkey_unknown"
    assert code(stranger.post("passkeys/A/remove")) == "passkey_unknown"


def test_a_lost_phone_confirms_nothing_any_more(shop: Shop, http: TestClient) -> None:
    phone = Phone(shop, http)
    one, _ = add(phone)
    made = http.post(f"/operator/v1/payers/{phone.payer_id}/tokens", headers=OPERATOR).json()
    phone.headers = {"authorization": f"Bearer {made['token']}"}
    assert phone.get("passkeys")["passkeys"] == []
    assert code(touch(phone, one, "confirm", wanted(phone))) == "passkey_unknown"


def test_a_page_takes_the_finger_for_the_form_that_it_shows(shop: Shop, http: TestClient) -> None:
    phone = Phone(shop, http)
    one, _ = add(phone)
    app = FastAPI()
    app.include_router(router(services_of(shop)))
    asked = wanted(phone)
    path = f"/wallet/pay/{asked['payment_id']}"
    with TestClient(app, base_url=ORIGIN, follow_redirects=False) as page:
        page.post("/wallet/sign-in", data={"token": phone.made["token"]})
        shown = page.get(path, params={"step": "pin"}).text
        assert "data-passkey" in shown
        token = re.search('name="page" value="([^"]+)"', shown)
        assert token is not None
        form = {"page": token[1], "attempt_id": asked["attempt_id"]}
        drawn = page.post(path, data=form | {"passkey": "ask"}).json()["passkey"]
        answered = form | {"passkey": json.dumps(one.answer(drawn))}
        assert (
            "passkey_content" in page.post(path, data=answered | {"instrument_id": "balance"}).text
        )
        for _ in range(2):
            sent = page.post(path, data=answered)
            assert sent.headers["location"] == f"/wallet/paid/{asked['payment_id']}"
        assert "field_invalid" in page.post(path, data=form | {"passkey": "[" * 3_000}).text
        host = {"host": "127.0.0.1:8443"}
        elsewhere = page.get("/wallet/pin-free", headers=host | {"cookie": page_cookie(page)}).text
        assert f'href="{ORIGIN}/wallet"' in elsewhere
        assert "data-passkey" not in elsewhere
    assert shop.payer_balance(phone.payer_id) == 50_000 - LARGE_MINOR


def page_cookie(page: TestClient) -> str:
    return f"wallet={page.cookies['wallet']}"


def test_addresses_are_named_and_have_names(http: TestClient, shop: Shop) -> None:
    settings = WalletSettings(origins=("https://pay.example", "https://app.pay.example:8443"))
    site = settings.rules().site
    assert site.rp_id == "pay.example"
    assert site.is_at("app.pay.example:8443")
    assert not site.is_at("127.0.0.1:8443")
    assert WalletSettings(origins=("http://localhost:8443",)).rules().site.rp_id == "localhost"
    for wrong in (
        "https://127.0.0.1:8443", "http://pay.example", "https://pay.example/wallet",
        "https://[::1]", "https://Pay.example", "pay.example", "https://pay.example:99999", "https://",
    ):  # fmt: skip
        with pytest.raises(ValueError, match="origin"):
            WalletSettings(origins=(wrong,))
    with pytest.raises(ValueError, match="below"):
        WalletSettings(origins=("https://pay.example", "https://other.example"))
    with pytest.raises(CallerError, match="passkey_address"):
        assert WalletSettings().rules().site.rp_id
    assert Phone(shop, http).get("passkeys") == {"passkeys": [], "origins": [ORIGIN]}
