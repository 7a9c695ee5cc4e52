"""Opening links: who may have one, how often and how long it opens, and from where."""

import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import ValidationError

from backend.app import public_application
from backend.config import Settings
from backend.console.totp import STEP_MS
from backend.openings.limits import LINK_LIFE_MS, LINKS_KEPT_MAX
from backend.openings.loopback import is_loopback
from backend.openings.model import ConsoleOpening, Openings, WalletOpening
from protocol.errors import CallerError
from tests.support.backend import initialised, make_backend
from tests.support.console_world import PASSWORD, code_of
from tests.support.shop import MERCHANT, Shop
from tests.support.wallet_http import OPERATOR, CountingEntropy
from tests.unit.openings.conftest import ORIGIN

OWN = {"origin": ORIGIN, "sec-fetch-site": "same-origin"}


def wallet_code(http: TestClient, payer_id: str) -> str:
    headers = {"authorization": f"Bearer token of {payer_id}"}
    told = http.post("/wallet/v1/openings", json={}, headers=headers)
    assert told.status_code == 201
    return str(told.json()["code"])


def console_code(http: TestClient, merchant_id: str = "") -> str:
    told = http.post("/operator/v1/openings", json={"merchant_id": merchant_id}, headers=OPERATOR)
    assert told.status_code == 201
    return str(told.json()["code"])


def test_a_link_opens_its_payer_s_wallet_once_and_says_so_the_second_time(
    http: TestClient, shop: Shop
) -> None:
    payer_id = shop.add_payer(balance_minor=5_000)
    code = wallet_code(http, payer_id)
    opened = http.post("/wallet/open", data={"code": code}, headers=OWN)
    assert (opened.status_code, opened.headers["location"]) == (303, "/wallet/code")
    assert opened.headers["cache-control"] == "no-store"
    assert "50.00" in http.get("/wallet/me").text
    http.cookies.clear()
    again = http.post("/wallet/open?lang=en", data={"code": code}, headers=OWN)
    assert again.status_code == 409
    assert "was used once already" in again.text
    assert "opening_used" in again.text
    assert "set-cookie" not in {name for name, value in again.headers.items() if "wallet=" in value}


def test_a_link_that_is_too_old_opens_nothing(http: TestClient, shop: Shop) -> None:
    code = wallet_code(http, shop.add_payer())
    shop.clock.at_ms += LINK_LIFE_MS
    for _ in range(2):
        refused = http.post("/wallet/open?lang=en", data={"code": code}, headers=OWN)
        assert "opening_expired" in refused.text


def test_a_link_of_the_console_opens_no_wallet_and_is_not_used_up_by_the_try(
    http: TestClient,
) -> None:
    code = console_code(http)
    wrong = http.post("/wallet/open", data={"code": code}, headers=OWN)
    assert (wrong.status_code, "opening_unknown" in wrong.text) == (404, True)
    assert http.post("/console/open", data={"code": code}, headers=OWN).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "pay.example"},
        {"host": "127.0.0.1.evil.example:8443", "origin": "https://127.0.0.1.evil.example:8443"},
        {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
        {"origin": "http://127.0.0.1:8400", "sec-fetch-site": "same-site"},
        {"origin": "null", "sec-fetch-site": "none"},
        {"x-forwarded-for": "203.0.113.9"},
    ],
)
def test_another_name_another_site_and_a_proxy_are_refused_and_use_nothing_up(
    http: TestClient, shop: Shop, changes: dict[str, str]
) -> None:
    code = wallet_code(http, shop.add_payer())
    refused = http.post("/wallet/open", data={"code": code}, headers=OWN | changes)
    assert (refused.status_code, "opening_elsewhere" in refused.text) == (421, True)
    assert "set-cookie" not in refused.headers
    assert http.post("/wallet/open", data={"code": code}, headers=OWN).status_code == 303


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"origin": ORIGIN}, 303), ({"origin": "null"}, 421), ({"origin": "https://x.example"}, 421),
     ({}, 421), ({"origin": "null", "sec-fetch-site": "same-origin"}, 303)],
)  # fmt: skip
def test_a_browser_that_does_not_say_the_site_says_the_origin(
    http: TestClient, shop: Shop, headers: dict[str, str], status: int
) -> None:
    code = wallet_code(http, shop.add_payer())
    answer = http.post("/wallet/open", data={"code": code}, headers=headers)
    assert answer.status_code == status


def test_another_machine_gets_neither_a_link_nor_its_page(app: FastAPI, shop: Shop) -> None:
    payer_id = shop.add_payer()
    with TestClient(app, base_url=ORIGIN, client=("192.0.2.7", 50_000)) as far:
        headers = {"authorization": f"Bearer token of {payer_id}"}
        assert far.post("/wallet/v1/openings", json={}, headers=headers).status_code == 421
        assert far.post("/operator/v1/openings", json={}, headers=OPERATOR).status_code == 421
        assert far.get("/console/open").status_code == 421


def test_only_who_has_shown_the_secret_gets_a_link(http: TestClient) -> None:
    wrong = {"authorization": "Bearer nobody's"}
    assert http.post("/wallet/v1/openings", json={}, headers=wrong).status_code == 401
    assert http.post("/operator/v1/openings", json={}, headers=wrong).status_code == 401


def test_the_first_press_sets_the_owner_up_and_later_ones_ask_to_sign_in(
    http: TestClient, shop: Shop
) -> None:
    begun = http.post("/console/open", data={"code": console_code(http)}, headers=OWN)
    assert "operator-owner" in begun.text
    begun = http.post("/console/open", data={"code": console_code(http)}, headers=OWN)
    found = re.search(r'name="setup" value="([A-Z2-7-]+)"', begun.text)
    secret = re.search(r'<code class="code-text">([A-Z2-7]+)</code>', begun.text)
    assert found is not None
    assert secret is not None
    code = code_of({"totp_uri": f"otpauth://totp/x?secret={secret[1]}"}, shop.clock.at_ms)
    form = {"name": "operator-owner", "setup": found[1], "code": code}
    done = http.post("/console/setup", data=form | {"password": PASSWORD, "again": PASSWORD})
    assert done.status_code == 200
    later = http.post("/console/open", data={"code": console_code(http)}, headers=OWN)
    assert (later.status_code, later.headers["location"]) == (303, "/console")
    shop.clock.at_ms += STEP_MS
    code = code_of({"totp_uri": f"otpauth://totp/x?secret={secret[1]}"}, shop.clock.at_ms)
    signed = {"name": "operator-owner", "password": PASSWORD, "code": code}
    answer = http.post("/console/sign-in", data=signed)
    assert answer.headers["location"] == "/console/today"


def test_a_shop_has_its_own_first_owner_and_an_unknown_one_has_none(http: TestClient) -> None:
    begun = http.post("/console/open", data={"code": console_code(http, MERCHANT)}, headers=OWN)
    assert f"{MERCHANT}-owner" in begun.text
    lost = http.post("/console/open", data={"code": console_code(http, "mch-none")}, headers=OWN)
    assert "merchant_unknown" in lost.text


def test_the_oldest_links_are_forgotten() -> None:
    links = Openings(lambda: 0, CountingEntropy())
    first = links.mint(WalletOpening("t")).code
    later = [links.mint(ConsoleOpening("")).code for _ in range(LINKS_KEPT_MAX)]
    with pytest.raises(CallerError) as refused:
        links.take(first, WalletOpening)
    assert refused.value.code == "opening_unknown"
    assert links.take(later[-1], ConsoleOpening) == ConsoleOpening("")


def test_no_secret_shows_when_a_link_is_printed() -> None:
    links = Openings(lambda: 0, CountingEntropy())
    link = links.mint(WalletOpening("token-of-li-na"))
    assert link.code not in repr(link)
    assert "token-of-li-na" not in repr(WalletOpening("token-of-li-na"))


@pytest.mark.parametrize(
    "changes",
    [
        {"clock_control": False},
        {"listen_host": "0.0.0.0"},  # refused
        {"listen_host": "10.0.0.7"},
        {"tls_names": ("pay.example", "localhost")},
    ],
)
def test_a_deployed_configuration_cannot_turn_links_on(changes: dict[str, object]) -> None:
    allowed = {"opening_links": True, "clock_control": True}
    assert Settings(**allowed).opening_links  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="opening_links"):
        Settings(**(allowed | changes))  # type: ignore[arg-type]


def test_without_the_setting_there_is_no_route(tmp_path: Path) -> None:
    settings, token = initialised(tmp_path)
    assert not settings.opening_links
    with TestClient(
        public_application(make_backend(settings)), base_url=ORIGIN, client=("127.0.0.1", 50_000)
    ) as http:
        bearer = {"authorization": f"Bearer {token}"}
        assert http.post("/operator/v1/openings", json={}, headers=bearer).status_code == 404
        assert http.post("/wallet/v1/openings", json={}, headers=bearer).status_code == 404
        for face in ("wallet", "console"):
            assert http.get(f"/{face}/open").status_code == 404
            assert http.post(f"/{face}/open", data={"code": "1"}, headers=OWN).status_code == 404


def test_only_the_loopback_is_the_machine_itself() -> None:
    here = ("localhost", "127.0.0.1", "127.8.8.8", "::1")
    there = ("", "localhost.example", "0.0.0.0", "10.0.0.1", "testclient")  # a name
    assert all(map(is_loopback, here))
    assert not any(map(is_loopback, there))
