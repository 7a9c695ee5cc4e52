"""The front page's doors: who may act, in which order, and what a page never holds."""

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from protocol.errors import CallerError
from tests.support.front_shop import PAY_CODE, FakeTill, Program, fake_shop
from tillway.front.app import build_app
from tillway.front.guide import Guide, Step
from tillway.front.limits import AMOUNT_MINOR_MAX


@pytest.fixture
def http() -> Iterator[TestClient]:
    with TestClient(build_app(fake_shop(Program())), base_url="http://127.0.0.1") as client:
        yield client


def token(http: TestClient) -> dict[str, str]:
    found = re.search(r'name="page-token" content="([^"]+)"', http.get("/").text)
    assert found is not None
    return {"x-page-token": found[1]}


def test_a_name_that_is_not_loopback_is_refused(http: TestClient) -> None:
    assert http.get("/", headers={"host": "pay.example"}).status_code == 421
    assert http.get("/").status_code == 200


def test_without_the_page_s_own_token_nothing_is_done(http: TestClient) -> None:
    assert http.post("/guide/key", json={"amount_minor": 1280}).status_code == 401
    done = http.post("/guide/key", json={"amount_minor": 1280}, headers=token(http))
    assert done.json()["step"] == "show"


@pytest.mark.parametrize("amount", [0, -1, AMOUNT_MINOR_MAX + 1, 12.8, "1280", None])
def test_an_amount_out_of_bounds_is_refused_in_words(http: TestClient, amount: object) -> None:
    refused = http.post("/guide/key", json={"amount_minor": amount}, headers=token(http))
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "amount_invalid"


def test_a_body_above_its_bound_is_refused(http: TestClient) -> None:
    assert http.post("/guide/key", content=b" " * 2_000, headers=token(http)).status_code == 413


def test_a_page_loads_nothing_from_outside_and_holds_no_code(http: TestClient) -> None:
    known = token(http)
    http.post("/guide/key", json={"amount_minor": 1280}, headers=known)
    http.post("/guide/show", headers=known)
    page = http.get("/")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert PAY_CODE not in page.text
    picture = re.search(r"/guide/code-\d+\.png", page.text)
    assert picture is not None
    assert http.get(picture[0]).content.startswith(b"\x89PNG")
    http.post("/guide/scan", headers=known)
    assert http.get(picture[0]).status_code == 404


def test_steps_come_in_their_order_and_starting_over_is_always_possible() -> None:
    guide = Guide(fake_shop(Program()))
    for too_early in (guide.show, guide.scan, guide.look):
        with pytest.raises(CallerError, match="payment_state"):
            too_early()
    guide.key_in(1280)
    guide.show()
    guide.scan()
    assert guide.step is Step.RECEIPT
    assert guide.code == b""
    guide.start_over()
    assert (guide.step, guide.payment_id, guide.receipt) == (Step.KEY, "", b"")
    assert isinstance(guide.shop.till, FakeTill)
    assert guide.shop.till.state == ""
