"""Who may use the wallet's pages, and whose forms count."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from backend.http_errors import LostPages, install
from backend.observability.metrics import Metrics
from backend.wallet.limits import PIN_LOCK_MS
from backend.wallet_page.routes import router
from faces.routes import add_routes
from tests.support.shop import Shop
from tests.support.wallet_http import add_wallet, services_of


@pytest.fixture
def browser(shop: Shop) -> Iterator[TestClient]:
    app, lost = FastAPI(), LostPages()
    install(app, Metrics(), lost)
    add_routes(app, router(services_of(shop), lost=lost))
    with TestClient(app, base_url="https://wallet.example", follow_redirects=False) as client:
        yield client


def sign_in(shop: Shop, browser: TestClient) -> str:
    """A payer's id; the browser has the session."""
    payer_id = shop.add_payer(balance_minor=5_000)
    answer = browser.post("/wallet/sign-in", data={"token": f"token of {payer_id}"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/wallet/code")
    told = answer.headers["set-cookie"]
    assert all(word in told for word in ("HttpOnly", "Secure", "SameSite=strict", "Path=/wallet"))
    return payer_id


def page_token(browser: TestClient) -> str:
    found = re.search(r'name="page" value="([0-9a-f]{64})"', browser.get("/wallet/me").text)
    assert found is not None
    return found[1]


def test_without_a_session_every_page_asks_who_is_there(browser: TestClient) -> None:
    for path in ("code", "bills", "me", "pay/pay_1", "mandates", "red-packets"):
        answer = browser.get(f"/wallet/{path}")
        assert (answer.status_code, answer.headers["location"]) == (303, "/wallet"), path
    assert "wallet" not in browser.cookies
    wrong = browser.post("/wallet/sign-in", data={"token": "nobody's"})
    assert "令牌无效" in wrong.text
    assert "set-cookie" not in wrong.headers


def test_who_was_paying_when_the_session_ended_goes_on_with_that_payment(
    shop: Shop, browser: TestClient
) -> None:
    payer_id = sign_in(shop, browser)
    payment_id = shop.show_qr(500)["payment_id"]
    paying = f"/wallet/pay/{payment_id}"
    form = {"page": page_token(browser), "attempt_id": shop.id("att")}
    browser.cookies.clear()
    out = browser.post(paying, data=form)
    assert out.headers["location"] == f"/wallet?on=/pay/{payment_id}"
    asked = browser.get(out.headers["location"] + "&lang=en").text
    assert "Sign in again to go on with this payment" in asked
    again = {"token": "nobody's", "on": f"/pay/{payment_id}"}
    assert (
        f'name="on" value="/pay/{payment_id}"' in browser.post("/wallet/sign-in", data=again).text
    )
    again["token"] = f"token of {payer_id}"
    assert browser.post("/wallet/sign-in", data=again).headers["location"] == paying
    assert shop.payer_balance(payer_id) == 5_000
    for elsewhere in ("//evil.example", "/me", "/pay/x", "@evil.example"):
        assert 'name="on"' not in browser.get("/wallet", params={"on": elsewhere}).text
        sent = browser.post("/wallet/sign-in", data=again | {"on": elsewhere})
        assert sent.headers["location"] == "/wallet/code", elsewhere


@pytest.mark.parametrize(
    ("content", "place", "told"),
    [
        (
            "rpk_01M8MNXFXJRPF3DQRNPBP71WJB",
            "/wallet/red-packets/rpk_01M8MNXFXJRPF3DQRNPBP71WJB",
            "",
        ),
        ("tillway://offline?payment_id=pay_1&amount_minor=2000", "", "offline_wish_scanned"),
        ("https://qr.alipay.com/fkx123", "", "code_not_payable"),
        ("rpk_1", "", "code_not_payable"),
    ],
)
def test_a_pasted_text_goes_to_its_page_or_is_told_what_it_is(
    shop: Shop, browser: TestClient, content: str, place: str, told: str
) -> None:
    sign_in(shop, browser)
    answer = browser.post("/wallet/scan", data={"page": page_token(browser), "content": content})
    assert answer.headers.get("location", "") == place
    assert told in answer.text


def test_a_form_needs_its_page_and_its_site(shop: Shop, browser: TestClient) -> None:
    sign_in(shop, browser)
    token = page_token(browser)
    bad: list[dict[str, Any]] = [
        {"data": {}},
        {"data": {"page": "0" * 64}},
        {"data": {"page": token}, "headers": {"sec-fetch-site": "cross-site"}},
        {"data": {"page": token}, "headers": {"sec-fetch-site": "same-site"}},
    ]
    for changes in bad:
        answer = browser.post("/wallet/sign-out", **changes)
        assert answer.headers["location"] == "/wallet", changes
        sign_in(shop, browser)
        token = page_token(browser)
    large = browser.post("/wallet/scan", data={"page": token, "content": "x" * 5_000})
    assert large.status_code == 400
    assert "field_invalid" in large.text


def test_pages_carry_the_strict_policy_and_are_kept_by_nobody(
    shop: Shop, browser: TestClient
) -> None:
    sign_in(shop, browser)
    page = browser.get("/wallet/code?lang=en")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert "<script>" not in page.text
    assert "style=" not in page.text
    [style] = set(re.findall(r'href="(/wallet/static/[0-9a-f]+/wallet/wallet.css)"', page.text))
    assert browser.get(style).headers["x-content-type-options"] == "nosniff"


def test_a_page_loaded_again_shows_the_same_code_until_it_is_used_or_old(
    shop: Shop, browser: TestClient
) -> None:
    sign_in(shop, browser)

    def code(query: str = "") -> str:
        found = re.search(r'data-code="(\d{18})"', browser.get(f"/wallet/code{query}").text)
        assert found is not None
        return found[1]

    first = code()
    assert [code() for _ in range(6)] == [first] * 6
    other = code("?new=1")
    assert other != first
    body = shop.create_body("pay_code", 1_000, pay_code=other)
    assert shop.ask("payment.create", body)["state"] == "captured"
    fresh = code()
    assert fresh not in {first, other}
    shop.clock.at_ms += 70_000
    assert code() != fresh


def test_the_same_page_sent_twice_pays_once(shop: Shop, browser: TestClient) -> None:
    payer_id = sign_in(shop, browser)
    payment_id = shop.show_qr(1_280)["payment_id"]
    page = browser.get(f"/wallet/pay/{payment_id}").text
    found = re.search(r'name="attempt_id" value="(att_\w{26})"', page)
    assert found is not None
    form = {"page": page_token(browser), "attempt_id": found[1]}
    for _ in range(2):
        answer = browser.post(f"/wallet/pay/{payment_id}", data=form)
        assert answer.headers["location"] == f"/wallet/paid/{payment_id}"
    assert shop.payer_balance(payer_id) == 5_000 - 1_280
    again = browser.get(f"/wallet/pay/{payment_id}")
    assert again.headers["location"] == f"/wallet/paid/{payment_id}"
    strange = browser.post(f"/wallet/pay/{payment_id}", data=form | {"attempt_id": "x"})
    assert strange.status_code in {303, 400}


def test_a_red_packet_is_sent_with_the_pin_and_each_mistake_is_told(
    shop: Shop, browser: TestClient, http: TestClient
) -> None:
    made = add_wallet(http, shop, balance_minor=5_000)
    browser.post("/wallet/sign-in", data={"token": made["token"]})
    good = {
        "page": page_token(browser), "red_packet_id": shop.id("rpk"), "kind": "equal",
        "total": "10.01", "share_count": "2", "wish": "新年好", "pin": "246810",
    }  # fmt: skip
    for changes, code in (
        ({"total": "ten"}, "amount_invalid"),
        ({"share_count": "²"}, "field_invalid"),
        ({"kind": "other"}, "field_invalid"),
        ({"pin": "111111"}, "pin_wrong"),
        ({"total": "400.00"}, "insufficient_balance"),
    ):
        told = browser.post("/wallet/red-packets/new", data=good | changes)
        assert code in told.text, changes
        assert "新年好" in told.text
    assert shop.payer_balance(made["payer_id"]) == 5_000
    sent = browser.post("/wallet/red-packets/new", data=good)
    assert shop.payer_balance(made["payer_id"]) == 5_000 - 1_001
    assert "新年好" in browser.get(sent.headers["location"]).text
    receiver = sign_in(shop, browser)
    packet = {"page": page_token(browser), "red_packet_id": good["red_packet_id"]}
    for _ in range(2):
        assert browser.post("/wallet/red-packets", data=packet).status_code == 303
    assert shop.payer_balance(receiver) == 5_000 + 501
    unknown = browser.post("/wallet/red-packets", data=packet | {"red_packet_id": "rpk_1"})
    assert (unknown.status_code, "red_packet_not_found" in unknown.text) == (404, True)


def test_what_a_payer_chooses_and_pauses_is_kept_and_nobody_else_can(
    shop: Shop, browser: TestClient
) -> None:
    payer_id, other = sign_in(shop, browser), shop.add_payer()
    page = {"page": page_token(browser)}
    card = shop.add_instrument(payer_id, "card", token="agr_wallet_0001", is_default=False)
    browser.post("/wallet/cards", data=page | {"instrument_id": card})
    [row] = shop.rows(f"SELECT * FROM payer WHERE payer_id = '{payer_id}'")
    assert row["default_instrument_id"] == card
    mandate_id, foreign = shop.add_mandate(payer_id), shop.add_mandate(other, device="vend2")
    for command, status in (("suspend", "suspended_by_payer"), ("resume", "active")):
        browser.post(f"/wallet/mandates/{mandate_id}/{command}", data=page)
        [row] = shop.rows(f"SELECT * FROM mandate WHERE mandate_id = '{mandate_id}'")
        assert row["status"] == status
    for path, code in (
        (f"mandates/{foreign}/terminate", "mandate_not_found"),
        (f"mandates/{mandate_id}/dance", "field_invalid"),
        ("notices/ntc_1/refuse", "notice_not_found"),
        (f"transfers/{shop.id('mtr')}/take", "not_found"),
        (f"pay/{shop.id('pay')}/refuse", "payment_not_found"),
    ):
        told = browser.post(f"/wallet/{path}", data=page)
        assert code in told.text, (path, told.text[-300:])
        assert told.status_code >= 400
    assert browser.get(f"/wallet/mandates/{foreign}").status_code == 404


def test_a_things_payment_explains_itself_in_the_bill_and_where_it_is_asked(
    shop: Shop, browser: TestClient
) -> None:
    payer_id = sign_in(shop, browser)
    mandate_id = shop.add_mandate(payer_id, ask_above_minor=200)
    for amount_minor in (167, 201):
        lines = [
            {"what": "energy", "quantity": 916, "unit": "Wh", "price_minor": 150, "per": 1000,
             "amount_minor": amount_minor},
        ]  # fmt: skip
        said = {"thing": "charge", "reason": "owner_stopped", "began_at_ms": 1, "ended_at_ms": 2,
                "readings": [], "lines": lines}  # fmt: skip
        body = shop.create_body("mandate", amount_minor, mandate_id=mandate_id, explanation=said)
        paid = shop.ask("payment.create", body, device="vend1")
        page = "bills" if amount_minor == 167 else "pay"
        text = browser.get(f"/wallet/{page}/{paid['payment_id']}").text
        assert "您停用了授权" in text
        assert "0.916 kWh × 1.50" in text
    assert "2.00" in browser.get(f"/wallet/mandates/{mandate_id}").text


def test_an_address_that_is_no_page_has_one_for_a_browser_and_json_for_a_program(
    shop: Shop, browser: TestClient
) -> None:
    page = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    stranger = browser.get("/wallet/nowhere?lang=en", headers=page)
    assert (stranger.status_code, "no such page" in stranger.text) == (404, True)
    assert 'href="/wallet" data-back' in stranger.text
    assert "frame-ancestors" in stranger.headers["content-security-policy"]
    sign_in(shop, browser)
    told = browser.get("/wallet/nowhere?lang=zh", headers=page)
    assert (told.status_code, "没有这个页面" in told.text) == (404, True)
    assert browser.get("/wallet/sign-out", headers=page).status_code == 405
    for path, headers in (("nowhere", {"accept": "*/*"}), ("v1/nowhere", page)):
        answer = browser.get(f"/wallet/{path}", headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "route_unknown")
    assert browser.get("/elsewhere", headers=page).json()["error"]["code"] == "route_unknown"


def test_a_locked_pin_is_asked_for_by_no_page(
    shop: Shop, browser: TestClient, http: TestClient
) -> None:
    made = add_wallet(http, shop, balance_minor=90_000)
    browser.post("/wallet/sign-in", data={"token": made["token"]})
    payment_id = shop.show_qr(60_000)["payment_id"]
    pages = [f"/wallet/pay/{payment_id}?step=pin", "/wallet/pin-free", "/wallet/red-packets/new"]
    for path in pages:
        assert 'name="pin"' in browser.get(path).text, path
    form = {"page": page_token(browser)}
    for tried in range(5):
        assert ('name="pin"' in browser.get(pages[0]).text) is True, tried
        form["attempt_id"] = shop.id("att")
        last = browser.post(f"/wallet/pay/{payment_id}?lang=en", data=form | {"pin": "000000"})
    assert "data-pinpad" not in last.text
    assert 'name="pin"' not in last.text
    assert last.text.count("the PIN is locked until") == 1
    for path in pages:
        told = browser.get(f"{path}{'&' if '?' in path else '?'}lang=en").text
        assert told.count("the PIN is locked until") == 1, path
        assert 'name="pin"' not in told, path
    shop.clock.at_ms += PIN_LOCK_MS
    assert 'name="pin"' in browser.get(pages[1]).text
