"""The wallet opens what a merchant's page or app has signed, and nothing else."""

import base64
import hashlib
from typing import Any

import pytest

from protocol.errors import CallerError
from tests.support.merchant_caller import Caller
from tests.unit.merchant_api.test_orders_and_codes import PAY, openid


def signed(caller: Caller, *lines: str) -> str:
    message = "".join(f"{line}\n" for line in lines).encode()
    return base64.b64encode(caller.sign(message)).decode()


def page(caller: Caller, prepay_id: str) -> dict[str, str]:
    """As a page's script is given it by its server."""
    appid, package = caller.made["appid"], f"prepay_id={prepay_id}"
    sign_type = {"rsa": "RSA", "sm2": "SM2"}[caller.suite]
    return {
        "appId": appid,
        "timeStamp": "1795000000",
        "nonceStr": "n1",
        "package": package,
        "signType": sign_type,
        "paySign": signed(caller, appid, "1795000000", "n1", package),
    }


def app(caller: Caller, prepay_id: str) -> dict[str, str]:
    """As an app is given it by its server."""
    appid = caller.made["appid"]
    return {
        "appid": appid,
        "partnerid": caller.made["mchid"],
        "prepayid": prepay_id,
        "package": "Sign=WXPay",
        "noncestr": "n1",
        "timestamp": "1795000000",
        "sign": signed(caller, appid, "1795000000", "n1", prepay_id),
    }


def by_key(caller: Caller, fields: dict[str, str]) -> str:
    """MD5 with the APIv2 key."""
    text = "&".join(f"{name}={fields[name]}" for name in sorted(fields))
    text += f"&key={caller.made['api_v2_key']}"
    return hashlib.md5(text.encode()).hexdigest().upper()  # the interface's


def open_in_wallet(caller: Caller, payer_id: str, way: str, body: dict[str, str]) -> Any:
    heads = {"authorization": f"Bearer token of {payer_id}"}
    return caller.http.post(f"/wallet/v1/open-{way}", json=body, headers=heads)


def made(caller: Caller, payer_id: str, way: str) -> str:
    if way == "app":
        answer = caller.ask("POST", f"{PAY}/app", caller.order("order-app"))
    else:
        body = caller.order("order-page", payer={"openid": openid(caller, payer_id)})
        answer = caller.ask("POST", f"{PAY}/jsapi", body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["prepay_id"])


def check_both(caller: Caller) -> None:
    payer_id = caller.shop.add_payer(balance_minor=5_000)
    for way, sign in (("page", page), ("app", app)):
        body = sign(caller, made(caller, payer_id, way))
        shown = open_in_wallet(caller, payer_id, way, body)
        assert shown.status_code == 200, shown.text
        assert shown.json()["amount_minor"] == 1_280


def test_a_page_and_an_app_open_their_payments(caller: Caller) -> None:
    check_both(caller)


def test_they_do_with_keys_of_the_other_suite(sm2_caller: Caller) -> None:
    check_both(sm2_caller)


def test_they_do_by_the_older_interfaces_signature(caller: Caller) -> None:
    payer_id = caller.shop.add_payer(balance_minor=5_000)
    body = page(caller, made(caller, payer_id, "page")) | {"signType": "MD5"}
    del body["paySign"]
    body["paySign"] = by_key(caller, body)
    assert open_in_wallet(caller, payer_id, "page", body).status_code == 200
    body = app(caller, made(caller, payer_id, "app"))
    del body["sign"]
    body["sign"] = by_key(caller, body)
    assert open_in_wallet(caller, payer_id, "app", body).status_code == 200


@pytest.mark.parametrize(
    ("way", "changes"),
    [
        ("page", {"nonceStr": "n2"}),
        ("page", {"timeStamp": "1795000001"}),
        ("page", {"appId": "wx0"}),
        ("page", {"signType": "MD5"}),
        ("page", {"paySign": "AAAA"}),
        ("app", {"noncestr": "n2"}),
        ("app", {"partnerid": "1600000000"}),
        ("app", {"appid": "wx0"}),
        ("app", {"sign": "AAAA"}),
    ],
)
def test_what_was_changed_opens_nothing(caller: Caller, way: str, changes: dict[str, str]) -> None:
    payer_id = caller.shop.add_payer(balance_minor=5_000)
    sign = {"page": page, "app": app}[way]
    body = sign(caller, made(caller, payer_id, way)) | changes
    with pytest.raises(CallerError, match="call_up_unproven"):
        open_in_wallet(caller, payer_id, way, body)


def test_an_order_is_opened_the_way_it_was_made_for(caller: Caller) -> None:
    payer_id = caller.shop.add_payer(balance_minor=5_000)
    of_page, of_app = (made(caller, payer_id, way) for way in ("page", "app"))
    for way, body in (("page", page(caller, of_app)), ("app", app(caller, of_page))):
        with pytest.raises(CallerError, match="payment_not_found"):
            open_in_wallet(caller, payer_id, way, body)
    wrong_day = of_page[:2] + "20200101" + of_page[10:]
    with pytest.raises(CallerError, match="call_up_unproven"):
        open_in_wallet(caller, payer_id, "page", page(caller, wrong_day))
    for package in ("prepay_id=", "x", of_page):
        body = page(caller, of_page) | {"package": package}
        with pytest.raises(CallerError, match="field_invalid"):
            open_in_wallet(caller, payer_id, "page", body)
