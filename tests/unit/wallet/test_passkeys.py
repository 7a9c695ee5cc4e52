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

from backend.devices.model import DeviceKind
from backend.passkeys.limits import CHALLENGE_LIFE_MS, PASSKEYS_MAX
from backend.passkeys.model import (
    Assertion,
    Deed,
    KnownKey,
    Site,
    challenge_of,
    check_assertion,
)
from backend.wallet.config import WalletSettings
from backend.wallet.limits import PIN_TRIES_MAX
from backend.wallet.model import WalletRules
from backend.wallet_page.routes import router
from faces.routes import add_routes
from protocol import cbor
from protocol.errors import CallerError
from tests.support.migrated import migrated_sqlite
from tests.support.passkeys import ORIGIN, PRESENT, Authenticator
from tests.support.shop import MERCHANT, Shop, bugs_in
from tests.support.things import enrol_device
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
    drawn = phone.post("confirm", body | {"passkey": "ask"})["passkey"]
    odd = one.answer(drawn) | {"id": "A"}
    for nonsense in ("yes", {}, {"id": "AA"}, {"id": "A" * 5_000, "response": {}}, odd):
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


def test_no_finger_is_proposed_while_the_pin_that_adds_it_is_locked(
    shop: Shop, http: TestClient
) -> None:
    phone = Phone(shop, http)
    with pages_of(shop, phone) as page:
        proposed = '<a href="/wallet/passkeys">'
        assert proposed in page.get("/wallet/pin-free").text
        for _ in range(PIN_TRIES_MAX):
            phone.post("passkeys/offers", {"name": "Phone", "pin": "000000"})
        told = page.get("/wallet/pin-free?lang=en").text
        assert "the PIN is locked until" in told
        assert proposed not in told


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
    asked = wanted(phone)
    path = f"/wallet/pay/{asked['payment_id']}"
    with pages_of(shop, phone) as page:
        shown = page.get(path, params={"step": "pin"}).text
        assert "data-passkey" in shown
        form = {"page": field_of(shown, "page"), "attempt_id": asked["attempt_id"]}
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


def test_a_finger_signs_what_a_thing_may_debit(shop: Shop, http: TestClient) -> None:
    enrol_device(shop, "vend-1", DeviceKind.THING)
    phone = Phone(shop, http)
    one, _ = add(phone)
    text = {
        "mandate_id": shop.id("mdt"), "merchant_id": MERCHANT, "device": "vend-1",
        "currency": "CNY", "limit_payment_minor": 500, "limit_day_minor": 1_000,
        "valid_from_ms": shop.clock.at_ms, "valid_until_ms": shop.clock.at_ms + 86_400_000,
    }  # fmt: skip
    body = {"text": text, "passkey": "ask"}
    assert code(phone.post("mandates", {"text": text | {"fee": 1}, "passkey": "ask"})) == (
        "mandate_term_unknown"
    )
    assert code(phone.post("mandates", {"text": text})) == "mandate_signature"
    answer = one.answer(phone.post("mandates", body)["passkey"])
    more = {"text": text | {"limit_payment_minor": 1_000}, "passkey": answer}
    assert code(phone.post("mandates", more)) == "passkey_content"
    signed = {"text": text, "passkey": answer}
    assert phone.post("mandates", signed)["status"] == "active"
    assert phone.post("mandates", signed)["mandate_id"] == text["mandate_id"], "safe to repeat"
    assert code(phone.post("mandates", more)) == "idempotency_conflict"
    [row], [key] = shop.rows("SELECT signed FROM mandate"), shop.rows("SELECT * FROM passkey")
    kept = cbor.decode(row["signed"], bytes_max=4_096)
    terms = cbor.decode(kept["text"], bytes_max=4_096)
    assert terms == text | {"payer_id": phone.payer_id}
    said = Assertion(
        **{name: kept[name] for name in ("credential_id", "client_data", "authenticator_data")},
        signature=kept["signature"],
    )
    challenge = challenge_of(kept["nonce"], Deed(kind="mandate", terms=terms).text)
    known = KnownKey(public_key=key["public_key"], sign_count=0)
    assert check_assertion(said, challenge=challenge, key=known, site=Site((ORIGIN,))) == 1


def test_the_pages_let_a_thing_debit_and_set_money_aside(shop: Shop, http: TestClient) -> None:
    enrol_device(shop, "vend-1", DeviceKind.THING)
    phone = Phone(shop, http)
    one, _ = add(phone)
    with pages_of(shop, phone) as page:
        own = {"page": field_of(page.get("/wallet/me").text, "page")}
        wish = {"merchant_id": MERCHANT, "device": "vend-1", "payment": "5", "day": "10"}
        for wrong, told in (
            ({"merchant_id": "nobody"}, "merchant_unknown"),
            ({"payment": "x"}, "amount_invalid"),
            ({"days": "999"}, "mandate_days"),
            ({"days": "366"}, "365"),
            ({"device": "vend-2"}, "mandate_device_unknown"),
            ({"payment": "11"}, "mandate_limits"),
        ):
            asked = page.get("/wallet/agree/terms", params=wish | {"days": "30"} | wrong)
            assert told in asked.text
        terms = page.get("/wallet/agree/terms", params=wish | {"days": "30", "ask": "3"}).text
        assert "晨光便利店" in terms
        begun = {name: field_of(terms, name) for name in ("mandate_id", "from_ms")}
        form = own | wish | begun | {"days": "30", "ask": "3"}
        done = answered(page, one, "/wallet/agree", form)
        assert done.headers["location"] == f"/wallet/mandates/{begun['mandate_id']}"
        listed = page.get("/wallet/offline").text
        aside = own | {"voucher_id": field_of(listed, "voucher_id"), "amount": "80"}
        assert "pin_required" in page.post("/wallet/offline", data=aside).text
        done = answered(page, one, "/wallet/offline", aside)
        voucher = page.get(done.headers["location"]).text
        assert "¥80.00" in voucher
        assert "可用" in page.get("/wallet/offline").text
    assert shop.payer_balance(phone.payer_id) == 42_000


def test_the_same_form_sent_again_is_shown_what_it_did(shop: Shop, http: TestClient) -> None:
    """The answer was lost on its way: the page does not say that nothing was done."""
    phone = Phone(shop, http)
    one, _ = add(phone)
    card = shop.add_instrument(phone.payer_id, "card", token="agr_wallet_0001")
    with pages_of(shop, phone) as page:
        own = {"page": field_of(page.get("/wallet/me").text, "page")}
        for path, name, form in (
            ("/wallet/withdraw", "withdrawal_id", {"instrument_id": card, "amount": "100"}),
            ("/wallet/offline", "voucher_id", {"amount": "80"}),
            (
                "/wallet/red-packets/new",
                "red_packet_id",
                {"kind": "equal", "total": "6", "share_count": "2"},
            ),
        ):
            begun = own | form | {name: field_of(page.get(path).text, name)}
            drawn = page.post(path, data=begun | {"passkey": "ask"}).json()["passkey"]
            whole = begun | {"passkey": json.dumps(one.answer(drawn))}
            first, again = (page.post(path, data=whole) for _ in range(2))
            assert first.status_code == again.status_code == 303, path
            assert first.headers["location"] == again.headers["location"]
            other = whole | {name: shop.id(begun[name][:3])}
            assert "passkey_challenge" in page.post(path, data=other).text
    assert shop.payer_balance(phone.payer_id) == 50_000 - 10_000 - 8_000 - 600


def answered(page: TestClient, one: Authenticator, path: str, form: dict[str, str]) -> Any:
    """The form sent as the page's script sends it."""
    drawn = page.post(path, data=form | {"passkey": "ask"}).json()["passkey"]
    return page.post(path, data=form | {"passkey": json.dumps(one.answer(drawn))})


def field_of(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found is not None, name
    return found[1]


@contextmanager
def pages_of(shop: Shop, phone: Phone) -> Iterator[TestClient]:
    """The wallet's pages, signed in."""
    app = FastAPI()
    add_routes(app, router(services_of(shop)))
    with TestClient(app, base_url=ORIGIN, follow_redirects=False) as page:
        page.post("/wallet/sign-in", data={"token": phone.made["token"]})
        yield page


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
