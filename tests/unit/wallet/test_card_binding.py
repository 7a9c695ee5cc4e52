"""A bank card is added by its number: who may, what stays of it, and how often one tries."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from backend.http_errors import status_of
from backend.instruments.binding import CardBinding
from backend.instruments.binding_routes import wallet_router
from backend.instruments.issuers import bank_of, card_number, luhn_digit
from backend.instruments.limits import BINDING_LIFE_MS
from backend.instruments.service import RemoveInstrument
from backend.rate_limit import RateLimit
from backend.wallet_page.routes import router
from faces.routes import add_routes
from protocol.errors import CallerError, TillwayError
from tests.support.shop import Shop
from tests.support.wallet_http import services_of

NUMBER, PHONE, CODE = "6222021234567894", "13800138000", "246810"
AGREEMENT = "SGN" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ234"


@dataclass
class FakeBank:
    """One card, of one name."""

    name: str = ""
    asked: list[str] = field(default_factory=list)

    async def send_code(self, own_id: str, *, account: str, name: str, phone: str) -> bool:
        self.asked.append(own_id)
        return (account, name, phone) == (NUMBER, self.name, PHONE)

    async def agree(self, own_id: str, *, code: str) -> str | None:
        return AGREEMENT if own_id in self.asked and code == CODE else None


@pytest.fixture
def bank() -> FakeBank:
    return FakeBank()


@pytest.fixture
def http(shop: Shop, bank: FakeBank) -> Iterator[TestClient]:
    services, app = services_of(shop), FastAPI()
    tries = RateLimit(
        now_ms=shop.clock.now_ms, window_ms=60_000, each_max=5, all_max=100, callers_max=10
    )
    binding = CardBinding(services, bank, tries)
    add_routes(app, wallet_router(services, binding))
    add_routes(app, router(services, binding=binding))

    @app.exception_handler(TillwayError)
    async def on_refusal(_: Request, error: TillwayError) -> JSONResponse:
        return JSONResponse({"error": error.to_wire()}, status_code=status_of(error))

    with TestClient(app, base_url="https://wallet.example", follow_redirects=False) as client:
        yield client


def payer_of(shop: Shop, bank: FakeBank) -> dict[str, str]:
    """A payer whose card the bank has; the headers of the wallet's calls."""
    payer_id = shop.add_payer()
    [row] = shop.rows(f"SELECT name FROM payer WHERE payer_id = '{payer_id}'")
    bank.name = row["name"]
    return {"authorization": f"Bearer token of {payer_id}"}


def field_of(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found is not None, name
    return found[1]


def wanted(shop: Shop, **changes: str) -> dict[str, str]:
    return {"instrument_id": shop.id("ins"), "number": NUMBER, "phone": PHONE} | changes


def test_a_card_is_added_by_its_number_and_its_bank_s_code(
    http: TestClient, shop: Shop, bank: FakeBank
) -> None:
    headers = payer_of(shop, bank)
    asked = wanted(shop, number="6222 0212 3456 7894")
    begun = http.post("/wallet/v1/cards", json=asked, headers=headers).json()
    assert (begun["bank"], begun["last4"]) == ("中国工商银行", "7894")
    path = f"/wallet/v1/cards/{asked['instrument_id']}/code"
    wrong = http.post(path, json={"code": "1", "seal": begun["seal"]}, headers=headers)
    assert wrong.json()["error"]["code"] == "card_code_wrong"
    done = http.post(path, json={"code": CODE, "seal": begun["seal"]}, headers=headers)
    assert (done.status_code, done.json()["last4"]) == (201, "7894")
    again = http.post(path, json={"code": CODE, "seal": begun["seal"]}, headers=headers)
    assert again.status_code == 201
    assert len(shop.rows("SELECT * FROM instrument")) == 1


def test_a_card_that_the_wallet_has_is_not_added_again_until_it_is_removed(
    http: TestClient, shop: Shop, bank: FakeBank
) -> None:
    headers = payer_of(shop, bank)
    first, second, third = wanted(shop), wanted(shop), wanted(shop)

    def begin(asked: dict[str, str]) -> Any:
        return http.post("/wallet/v1/cards", json=asked, headers=headers).json()

    def bring(asked: dict[str, str], seal: str) -> Any:
        path = f"/wallet/v1/cards/{asked['instrument_id']}/code"
        return http.post(path, json={"code": CODE, "seal": seal}, headers=headers)

    seals = [begin(asked)["seal"] for asked in (first, second)]
    assert bring(first, seals[0]).status_code == 201
    shop.clock.at_ms += 60_000
    late = bring(second, seals[1])
    assert (late.status_code, late.json()["error"]["code"]) == (400, "card_known")
    assert begin(third)["error"]["code"] == "card_known"
    assert bank.asked == [first["instrument_id"], second["instrument_id"]]
    shop.do(
        RemoveInstrument(
            instrument_id=first["instrument_id"], payer_id=headers["authorization"].split()[-1]
        )
    )
    assert begin(third)["last4"] == "7894"
    mine = {"authorization": f"Bearer token of {shop.add_payer(name=bank.name)}"}
    other = http.post("/wallet/v1/cards", json=wanted(shop), headers=mine).json()
    assert other["last4"] == "7894"
    marks = [row["number_mark"] for row in shop.rows("SELECT number_mark FROM instrument")]
    assert re.fullmatch(r"[0-9a-f]{64}", marks[0])


def test_the_pages_lead_there_and_never_show_the_number_again(
    http: TestClient, shop: Shop, bank: FakeBank
) -> None:
    token = payer_of(shop, bank)["authorization"].removeprefix("Bearer ")
    http.post("/wallet/sign-in", data={"token": token})
    form = http.get("/wallet/cards/new").text
    assert bank.name in form
    typed = {name: field_of(form, name) for name in ("page", "instrument_id")}
    typed |= {"number": NUMBER[:-1] + "0", "phone": PHONE}
    with capture_logs() as logs:
        refused = http.post("/wallet/cards/new", data=typed)
        assert "card_number_invalid" in refused.text
        asked = http.post("/wallet/cards/new", data=typed | {"number": NUMBER})
        assert "中国工商银行 ···· 7894" in asked.text
        back = {name: field_of(asked.text, name) for name in ("page", "instrument_id", "seal")}
        wrong = http.post("/wallet/cards/new/code", data=back | {"code": "000000"})
        assert "card_code_wrong" in wrong.text
        done = http.post("/wallet/cards/new/code", data=back | {"code": CODE})
        assert done.headers["location"] == "/wallet/cards"
    cards = http.get("/wallet/cards").text
    assert "7894" in cards
    for shown in (refused.text, asked.text, wrong.text, cards, json.dumps(logs, default=str)):
        assert NUMBER[:12] not in shown
    for table in ("instrument", "channel_token", "instrument_channel", "payer"):
        assert NUMBER[:12] not in repr(shop.rows(f"SELECT * FROM {table}"))  # ours


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"number": "6222021234567890"}, "card_number_invalid"),
        ({"number": "12"}, "card_number_invalid"),
        ({"number": "4111111111111111"}, "card_refused"),
        ({"phone": "13900139000"}, "card_refused"),
        ({"instrument_id": "pay_1"}, "id_invalid"),
    ],
)
def test_what_is_no_card_of_the_payer_s_is_refused(
    http: TestClient, shop: Shop, bank: FakeBank, changes: dict[str, str], code: str
) -> None:
    headers = payer_of(shop, bank)
    told = http.post("/wallet/v1/cards", json=wanted(shop, **changes), headers=headers)
    assert (told.status_code, told.json()["error"]["code"]) == (400, code)
    assert NUMBER not in told.text


def test_another_s_seal_an_old_one_and_a_changed_one_add_nothing(
    http: TestClient, shop: Shop, bank: FakeBank
) -> None:
    headers, asked = payer_of(shop, bank), wanted(shop)
    seal = http.post("/wallet/v1/cards", json=asked, headers=headers).json()["seal"]
    other = {"authorization": f"Bearer token of {shop.add_payer()}"}

    def told(seal: str, who: dict[str, str]) -> Any:
        path = f"/wallet/v1/cards/{asked['instrument_id']}/code"
        return http.post(path, json={"code": CODE, "seal": seal}, headers=who).json()

    for wrong, who in ((seal, other), ("x" + seal, headers), ("no seal", headers)):
        assert told(wrong, who)["error"]["code"] == "card_binding_over"
    shop.clock.at_ms += BINDING_LIFE_MS
    assert told(seal, headers)["error"]["code"] == "card_binding_over"


def test_codes_are_not_guessed(http: TestClient, shop: Shop, bank: FakeBank) -> None:
    headers, asked = payer_of(shop, bank), wanted(shop)
    seal = http.post("/wallet/v1/cards", json=asked, headers=headers).json()["seal"]
    path = f"/wallet/v1/cards/{asked['instrument_id']}/code"
    codes = [
        http.post(path, json={"code": f"{guess:06}", "seal": seal}, headers=headers).status_code
        for guess in range(6)
    ]
    assert codes == [400] * 4 + [503] * 2


def test_a_number_is_told_by_its_last_digit_and_its_bank_by_the_first_six() -> None:
    assert luhn_digit("7992739871") == "3"
    assert card_number("4111-1111-1111-1111") == "4111111111111111"
    assert bank_of("6225881234567890") == "招商银行"
    assert bank_of("4111111111111111") == "银行卡"
    with pytest.raises(CallerError):
        card_number("４111111111111111")
