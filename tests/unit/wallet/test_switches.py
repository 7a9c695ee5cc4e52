"""A tester's switches: real reasons, per payer, and nothing at all where they are not allowed."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from backend.wallet.model import WalletRules
from backend.wallet.pin_free import ChoosePinFree
from backend.wallet.service import SetPayerStatus
from backend.wallet.switch_desk import AnswerDroppedError, SwitchDesk
from backend.wallet.switches import SetSwitch, Switch
from backend.wallet_page.routes import router
from faces.routes import add_routes
from protocol.errors import CallerError
from tests.support.shop import Shop, shop_of_two
from tests.support.wallet_http import client_of, services_of


@pytest.fixture
def lab(migrated_url: str) -> Iterator[Shop]:
    """A shop whose payers may make their payments fail."""
    with shop_of_two(migrated_url, wallet=WalletRules(failure_switches=True)) as shop:
        yield shop


def turn(shop: Shop, payer: str, switch: Switch, *, is_on: bool = True) -> frozenset[Switch]:
    found: frozenset[Switch] = shop.do(SetSwitch(payer_id=payer, switch=switch, is_on=is_on))
    return found


def outcome(shop: Shop, payer: str, amount_minor: int = 500) -> tuple[str, str | None]:
    answer = shop.pay(payer, amount_minor)
    return answer["state"], answer.get("error", {}).get("code")


def test_each_switch_has_its_own_reason_touches_one_payer_and_leaves_no_trace(lab: Shop) -> None:
    payer, other = (lab.add_payer(balance_minor=5_000) for _ in range(2))
    for switch, told in (
        (Switch.EMPTY, ("declined", "insufficient_balance")),
        (Switch.FROZEN, ("declined", "payer_frozen")),
        (Switch.PIN, ("awaiting_payer", None)),
    ):
        for _ in range(2):
            assert turn(lab, payer, switch) == {switch}
        assert outcome(lab, payer) == told
        assert outcome(lab, other, 100) == ("captured", None)
        assert turn(lab, payer, switch, is_on=False) == frozenset()
        assert outcome(lab, payer, 100) == ("captured", None)
    assert lab.payer_balance(payer) == 5_000 - 300
    assert lab.verify().is_whole


def test_the_payer_s_own_limit_comes_back_and_an_operator_s_freeze_is_not_lifted(
    lab: Shop,
) -> None:
    payer = lab.add_payer(balance_minor=5_000)
    lab.do(ChoosePinFree(payer_id=payer, currency="CNY", limit_minor=321))
    turn(lab, payer, Switch.PIN)
    turn(lab, payer, Switch.PIN, is_on=False)
    [row] = lab.rows("SELECT chosen_minor FROM pin_free")
    assert row["chosen_minor"] == 321
    lab.do(SetPayerStatus(payer_id=payer, is_frozen=True))
    with pytest.raises(CallerError, match="payer_frozen"):
        turn(lab, payer, Switch.FROZEN)
    turn(lab, payer, Switch.FROZEN, is_on=False)
    assert outcome(lab, payer) == ("declined", "payer_frozen")


def test_a_card_is_asked_for_an_agreement_that_its_bank_does_not_know(lab: Shop) -> None:
    payer = lab.add_payer(balance_minor=5_000)
    lab.add_instrument(payer, "card", token="agr_wallet_0001", is_default=True)
    turn(lab, payer, Switch.BANK)
    assert outcome(lab, payer)[0] == "processing"
    [saga] = lab.rows("SELECT token FROM saga WHERE kind = 'pay'")
    assert saga["token"] == "agr_switched_to_decline"


def test_what_is_late_or_dropped_has_been_paid(lab: Shop) -> None:
    waits: list[int] = []

    async def sleep(seconds: int) -> None:
        waits.append(seconds)

    desk = SwitchDesk(services_of(lab), sleep=sleep)
    payer = lab.add_payer(balance_minor=5_000)
    asyncio.run(desk.before_answer(payer))
    turn(lab, payer, Switch.SLOW)
    asyncio.run(desk.before_answer(payer))
    assert waits == [8]
    turn(lab, payer, Switch.DROP)
    with client_of(lab) as http:
        payment_id = lab.show_qr(500)["payment_id"]
        turn(lab, payer, Switch.SLOW, is_on=False)
        with pytest.raises(AnswerDroppedError):
            http.post(
                "/wallet/v1/confirm",
                json={"payment_id": payment_id, "attempt_id": lab.id("att")},
                headers={"authorization": f"Bearer token of {payer}"},
            )
    assert lab.payer_balance(payer) == 4_500


def test_a_drop_is_said_to_be_of_confirming_for_a_shown_code_has_nothing_to_drop(
    lab: Shop,
) -> None:
    payer = lab.add_payer(balance_minor=5_000)
    turn(lab, payer, Switch.DROP)
    with pages_of(lab) as browser:
        browser.post("/wallet/sign-in", data={"token": f"token of {payer}"})
        assert outcome(lab, payer) == ("captured", None)
        assert browser.get("/wallet/bills").text.count("5.00") == 1
        page = browser.get("/wallet/switches?lang=en").text
    assert "Confirming pays, and the phone hears nothing" in page


def pages_of(shop: Shop) -> TestClient:
    app = FastAPI()
    add_routes(app, router(services_of(shop)))
    return TestClient(app, base_url="https://wallet.example", follow_redirects=False)


def test_switches_are_turned_by_page_and_by_api_and_every_page_says_so(lab: Shop) -> None:
    payer = lab.add_payer(balance_minor=5_000)
    by: dict[str, Any] = {"headers": {"authorization": f"Bearer token of {payer}"}}
    with pages_of(lab) as browser, client_of(lab) as http:
        browser.post("/wallet/sign-in", data={"token": f"token of {payer}"})
        assert "data-failing" not in browser.get("/wallet/me").text
        found = re.search(r'name="page" value="([0-9a-f]{64})"', browser.get("/wallet/me").text)
        assert found is not None
        sent = browser.post("/wallet/switches/empty", data={"page": found[1], "is_on": "yes"})
        assert sent.headers["location"] == "/wallet/switches"
        for path in ("me", "code", "bills", "switches"):
            page = browser.get(f"/wallet/{path}?lang=en").text
            assert "Failing on purpose: Empty balance<" in page, path
        told = http.get("/wallet/v1/switches", **by).json()["switches"]
        assert [name for name, is_on in told.items() if is_on] == ["empty"]
        wanted = {"switch": "empty", "is_on": False}
        assert not any(
            http.post("/wallet/v1/switches", json=wanted, **by).json()["switches"].values()
        )
        bad = http.post("/wallet/v1/switches", json={"switch": "x", "is_on": True}, **by)
        assert bad.status_code >= 400


def test_without_the_setting_there_is_no_switch_no_page_and_no_word_of_it(
    shop: Shop, http: TestClient
) -> None:
    payer = shop.add_payer(balance_minor=5_000)
    turn(shop, payer, Switch.EMPTY)  # a row from a time when it was allowed
    assert outcome(shop, payer) == ("captured", None)
    by = {"authorization": f"Bearer token of {payer}"}
    assert http.get("/wallet/v1/switches", headers=by).status_code == 404
    with pages_of(shop) as browser:
        browser.post("/wallet/sign-in", data={"token": f"token of {payer}"})
        assert browser.get("/wallet/switches").status_code == 404
        assert "switches" not in browser.get("/wallet/me").text
