"""Contracts and services as the payer's wallet shows them: terms, state, and where to stop."""

import json
import re

from fastapi import FastAPI
from fastapi.testclient import TestClient

from backend.wallet_page.routes import router
from faces.routes import add_routes
from tests.support.merchant_caller import Caller
from tests.support.passkeys import ORIGIN, Authenticator
from tests.support.wallet_http import services_of
from tests.unit.merchant_api import test_papay, test_payscore


def field_of(page: str) -> str:
    found = re.search(r'name="page" value="(\w+)"', page)
    assert found is not None
    return found[1]


def sign(browser: TestClient, one: Authenticator, page: str, own: dict[str, str]) -> None:
    """As the page's script does, and once more with an answer to something else."""
    asked = browser.post(f"{page}/sign", data=own | {"passkey": "ask"}).json()["passkey"]
    other = one.answer({"challenge": "b3RoZXI"})
    told = browser.post(f"{page}/sign", data=own | {"passkey": json.dumps(other)}).text
    assert "passkey_challenge" in told
    assert "mandate_signature" in browser.post(f"{page}/sign", data=own).text
    signed = own | {"passkey": json.dumps(one.answer(asked))}
    for _ in range(2):
        assert browser.post(f"{page}/sign", data=signed).headers["location"] == page


def test_a_payer_sees_the_terms_and_stops_a_contract_and_nobody_else_sees_them(
    caller: Caller,
) -> None:
    shop = caller.shop
    payer, other = shop.add_payer(balance_minor=5_000), shop.add_payer()
    assert test_papay.add_plan(caller).status_code == 201
    made = caller.ask("POST", test_papay.SIGN, test_papay.contract(caller)).json()
    contract_id = str(made["pre_entrustweb_id"])
    app = FastAPI()
    parts = caller.parts
    add_routes(app, router(services_of(shop), None, (parts.contracts, parts.agreed)))
    with TestClient(app, base_url=ORIGIN, follow_redirects=False) as browser:
        browser.post("/wallet/sign-in", data={"token": f"token of {payer}"})
        proposed = browser.get(f"/wallet/contracts/{contract_id}").text
        assert "待签名" in proposed
        assert all(
            figure in proposed for figure in ("¥50.00", "¥80.00", "¥100.00", "¥20.00", "24 小时")
        )
        one = Authenticator(b"her finger")
        assert "data-passkey" not in proposed
        one.add(shop, payer)
        own = {"page": field_of(browser.get(f"/wallet/contracts/{contract_id}").text)}
        for asked, place in (
            (made["redirect_url"], f"contracts/{contract_id}"),
            (f"order_id={contract_id}", f"services/{contract_id}"),
        ):
            scanned = browser.post("/wallet/scan", data=own | {"content": asked})
            assert scanned.headers["location"] == f"/wallet/{place}"
        nonsense = own | {"content": f"xorder_id={contract_id}"}
        assert "code_not_payable" in browser.post("/wallet/scan", data=nonsense).text
        sign(browser, one, f"/wallet/contracts/{contract_id}", own)
        assert "生效中" in browser.get(f"/wallet/contracts/{contract_id}").text
        assert test_papay.sign(caller, payer, contract_id).status_code == 200, "the same text"
        assert "连续包月会员" in browser.get("/wallet/contracts").text
        assert (
            f"/wallet/mandates/{contract_id}"
            in browser.get(f"/wallet/contracts/{contract_id}").text
        )
        browser.post(f"/wallet/mandates/{contract_id}/terminate", data=own)
        assert "已停止" in browser.get(f"/wallet/contracts/{contract_id}").text
        test_payscore.open_service(caller)
        made = caller.ask("POST", test_payscore.ORDERS, test_payscore.asked(caller)).json()
        order_id = str(made["order_id"])
        sign(browser, one, f"/wallet/services/{order_id}", own)
        told = browser.get(f"/wallet/services/{order_id}").text
        assert "充电宝租借" in told
        assert "服务中" in told
        assert "¥99.00" in told
        assert order_id in browser.get("/wallet/services").text
        browser.post("/wallet/sign-in", data={"token": f"token of {other}"})
        for path in (f"contracts/{contract_id}", f"services/{order_id}"):
            assert browser.get(f"/wallet/{path}").status_code >= 400, path
