"""The SDKs that merchants use, unmodified, against the running backend."""

import base64
import json
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
import typer
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from wechatpayv3 import WeChatPay, WeChatPayType
from wechatpayv3.async_ import AsyncWeChatPay
from wechatpayv3.async_ import WeChatPayType as AsyncWeChatPayType
from wechatpayv3.core import Core
from wechatpayv3.type import RequestType

from backend.coupons.service import ChooseCoupon
from backend.ledger.rules import Event, merchant_settled
from backend.merchant_api.orders.model import time_text
from backend.merchant_api.payers.service import TellOpenId
from protocol.crypto import SigningKey, sm2_x509
from tests.support.backend import MERCHANT, a_merchant
from tests.support.books import Post
from tests.support.merchant_sm2 import gmssl_of, platform_key
from tests.support.merchant_world import PAYER, PIN, MerchantWorld, merchant_world
from tests.support.sdk_scenarios import papay_scenario, payscore_scenario
from tillway.demo import phone_book
from tillway.merchant import KeyMode, SuiteName, new

pytestmark = pytest.mark.asyncio


def client(world: MerchantWorld, **more: Any) -> Any:
    own = world.own
    return WeChatPay(
        wechatpay_type=WeChatPayType.NATIVE,
        mchid=own["mchid"],
        appid=own["appid"],
        cert_serial_no=own["serial_no"],
        private_key=world.key_file("apiclient_key.pem"),
        apiv3_key=own["api_v3_key"],
        notify_url=world.server.url,
        **more,
    )


async def test_an_order_is_paid_told_queried_refunded_in_public_key_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with merchant_world(tmp_path) as world:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(world.ca))
        pay = client(
            world,
            public_key=world.key_file("pub_key.pem"),
            public_key_id=world.own["public_key_id"],
        )
        pay._core._gate_way = world.url
        await whole_scenario(world, pay)
        await sharing_scenario(world, pay)
        await favor_scenario(world, pay)
        echo = {"echo_message": "ping", "notify_url": world.server.url}
        ask = partial(pay._core.request, "/v3/security/echo", RequestType.POST, echo)
        assert (await world.run(ask))[0] == 200
        headers, body = await world.server.next()
        news = await world.run(lambda: pay.callback(headers, body))
        assert news["event_type"] == "SECURITY_ECHO.SUCCESS"
        assert news["resource"] == {"echo_message": "ping"}
        await world.run(lambda: sm2_scenario(world))
        world.leave_phone(tmp_path / "phone")
        await papay_scenario(world, pay)
        await payscore_scenario(world, pay)


def sm2_scenario(world: MerchantWorld) -> None:
    """A merchant number of the other suite, from the command line to a signed answer."""
    keys = world.keys.parent / "sm2"
    token = world.keys.parent / "token"
    new(world.url, world.ca, token, keys, MERCHANT, suite=SuiteName.SM2)
    own = json.loads((keys / "merchant.json").read_text())
    pem = "".join((keys / "apiclient_key.pem").read_text().splitlines()[1:-1])
    private = SigningKey.from_private("SM2-SM3", base64.b64decode(pem)[36:68])
    path, at, nonce = "/v3/certificates?algorithm_type=SM2", str(int(time.time())), "sm2-1"
    engine = gmssl_of(private.public.public, private.private_bytes())
    raw = bytes.fromhex(engine.sign_with_sm3(f"GET\n{path}\n{at}\n{nonce}\n\n".encode()))
    signature = base64.b64encode(sm2_x509.signature_der(raw)).decode()
    header = (
        f'WECHATPAY2-SM2-WITH-SM3 mchid="{own["mchid"]}",serial_no="{own["serial_no"]}",'
        f'nonce_str="{nonce}",timestamp="{at}",signature="{signature}"'
    )
    answer = requests.get(world.url + path, headers={"authorization": header}, timeout=10)
    assert answer.status_code == 200, answer.text
    assert answer.headers["wechatpay-signature-type"] == "WECHATPAY2-SM2-WITH-SM3"
    heads = answer.headers
    lines = f"{heads['wechatpay-timestamp']}\n{heads['wechatpay-nonce']}\n".encode()
    r, s = decode_dss_signature(base64.b64decode(heads["wechatpay-signature"]))
    platform = gmssl_of(platform_key((keys / "platform_cert.pem").read_text()))
    assert platform.verify_with_sm3(f"{r:064x}{s:064x}", lines + answer.content + b"\n")


async def test_the_same_in_certificate_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with merchant_world(tmp_path, KeyMode.CERTIFICATE) as world:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(world.ca))
        address = property(lambda _core: world.url, lambda _core, _value: None)
        monkeypatch.setattr(Core, "_gate_way", address, raising=False)
        pay = await world.run(lambda: client(world))  # downloads the platform's certificate
        await whole_scenario(world, pay)


async def test_the_asynchronous_client_takes_a_code_and_undoes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with merchant_world(tmp_path) as world:
        world.leave_phone(tmp_path / "phone")

        said: list[str] = []
        monkeypatch.setattr(typer, "echo", lambda words: said.append(str(words)))

        async def phone(command: Any, *words: Any) -> str:
            await world.run(lambda: command(*words, directory=tmp_path / "phone"))
            return said[-1]

        monkeypatch.setenv("SSL_CERT_FILE", str(world.ca))
        own = world.own
        pay = AsyncWeChatPay(
            wechatpay_type=AsyncWeChatPayType.NATIVE,
            mchid=own["mchid"],
            appid=own["appid"],
            cert_serial_no=own["serial_no"],
            private_key=world.key_file("apiclient_key.pem"),
            apiv3_key=own["api_v3_key"],
            notify_url=world.server.url,
            public_key=world.key_file("pub_key.pem"),
            public_key_id=own["public_key_id"],
        )
        pay._core._gate_way = world.url
        code = await phone(phone_book.code)
        async with pay:
            status, text = await pay.pay(
                pay_type=AsyncWeChatPayType.CODEPAY,
                description="一瓶水",
                out_trade_no="code-0001",
                amount={"total": 300},
                payer={"auth_code": code},
                scene_info={"store_info": {"out_id": "s1"}},
            )
            assert (status, json.loads(text).get("trade_state")) == (200, "SUCCESS"), text
            status, _ = await pay.codepay_reverse(out_trade_no="code-0001")
            assert status == 200
            _, text = await pay.query(out_trade_no="code-0001")
            assert json.loads(text)["trade_state"] == "REVOKED"
            _, text = await pay.pay("一杯茶", "code-0002", {"total": 700})
            assert "captured" in await phone(phone_book.pay, json.loads(text)["code_url"])
            amount = {"refund": 700, "total": 700, "currency": "CNY"}
            await pay.refund("back-0002", amount, out_trade_no="code-0002")
            _, text = await pay.pay("金表", "code-0004", {"total": 90_000})
            dear = await phone(phone_book.pay, json.loads(text)["code_url"])
            assert "awaiting_payer" in dear
            assert "余额" in dear
            always = {"currency": "CNY", "limit_minor": 0, "pin": PIN}  # ask for the PIN
            await phone(phone_book.wallet, "/wallet/v1/pin-free", json.dumps(always))
            shown: dict[str, Any] = {"payer": {"auth_code": await phone(phone_book.code)}}
            shown |= {"scene_info": {"store_info": {"id": "s1"}}}
            codepay = AsyncWeChatPayType.CODEPAY
            status, _ = await pay.pay("茶", "code-0003", {"total": 900}, pay_type=codepay, **shown)
            assert status == 202
            waiting, amount_minor = (await phone(phone_book.asked)).split()
            assert amount_minor == "900"
            assert "captured" in await phone(phone_book.confirm, waiting)
            assert (await pay.codepay_reverse("code-0003"))[0] == 200
        assert await phone(phone_book.balance) == "10000"
        assert (await world.wallet.balance(PAYER, "CNY"))["balance_minor"] == 10_000


async def whole_scenario(world: MerchantWorld, pay: Any) -> None:
    """Order, pay, callback, query, two partial refunds, close."""

    async def ask(call: Any, **words: Any) -> tuple[int, dict[str, Any]]:
        status, text = await world.run(lambda: call(**words))
        return status, json.loads(text or "null")

    order = {"description": "一杯咖啡 coffee", "out_trade_no": "order-0001",
             "amount": {"total": 1_280}, "attach": "桌 7"}  # fmt: skip
    status, made = await ask(pay.pay, **order)
    assert status == 200
    assert made["code_url"].startswith("weixin://wxpay/bizpayurl?pr=")
    assert await ask(pay.pay, **order) == (200, made)  # the same order again is the same order
    _, before = await ask(pay.query, out_trade_no="order-0001")
    assert before["trade_state"] == "NOTPAY"
    assert "transaction_id" not in before

    paid = await world.pay(made["code_url"])
    assert paid["state"] == "captured"
    headers, body = await world.server.next()
    news = await world.run(lambda: pay.callback(headers, body))
    assert news["event_type"] == "TRANSACTION.SUCCESS"
    told = news["resource"]
    assert (told["out_trade_no"], told["amount"]["payer_total"]) == ("order-0001", 1_280)

    _, found = await ask(pay.query, out_trade_no="order-0001")
    assert found == told
    assert found["trade_state"] == "SUCCESS"
    assert found["attach"] == "桌 7"
    assert await ask(pay.query, transaction_id=found["transaction_id"]) == (200, found)

    for number, part in ((1, 300), (2, 980)):
        words = {"out_refund_no": f"refund-{number}", "out_trade_no": "order-0001",
                 "amount": {"refund": part, "total": 1_280, "currency": "CNY"},
                 "notify_url": world.server.url}  # fmt: skip
        status, refund = await ask(pay.refund, **words)
        assert (status, refund["status"]) == (200, "SUCCESS")
        assert await ask(pay.refund, **words) == (200, refund)
        assert await ask(pay.query_refund, out_refund_no=f"refund-{number}") == (200, refund)
        headers, body = await world.server.next()
        news = await world.run(partial(pay.callback, headers, body))
        assert news["event_type"] == "REFUND.SUCCESS"
        assert news["resource"]["refund_status"] == "SUCCESS"
        assert news["resource"]["amount"]["refund"] == part
    _, after = await ask(pay.query, out_trade_no="order-0001")
    assert after["trade_state"] == "REFUND"

    status, error = await ask(pay.refund, **words | {"out_refund_no": "refund-3"})
    assert (status, error["code"]) == (400, "INVALID_REQUEST")

    await ask(pay.pay, **order | {"out_trade_no": "order-0002"})
    status, text = await world.run(lambda: pay.close(out_trade_no="order-0002"))
    assert (status, text) == (204, "") or (status, text) == (204, b"")
    _, closed = await ask(pay.query, out_trade_no="order-0002")
    assert closed["trade_state"] == "CLOSED"
    status, error = await ask(pay.close, out_trade_no="order-0001")
    assert (status, error["code"]) == (400, "ORDER_PAID")
    balance = await world.wallet.balance(PAYER, "CNY")
    assert balance["balance_minor"] == 10_000  # all came back


async def sharing_scenario(world: MerchantWorld, pay: Any) -> None:
    """An order is shared with a payer and another merchant, which gives back; the rest is freed."""

    async def ask(call: Any, **words: Any) -> dict[str, Any]:
        status, text = await world.run(lambda: call(**words))
        assert status == 200, text
        found: dict[str, Any] = json.loads(text)
        return found

    submit = world.served.backend.writer.submit
    await submit(a_merchant("mch_partner"))
    keys, token = world.keys.parent / "partner", world.keys.parent / "token"
    await world.run(lambda: new(world.url, world.ca, token, keys, "mch_partner"))
    mchid = json.loads((keys / "merchant.json").read_text())["mchid"]
    openid = "o" + "x" * 27
    await submit(TellOpenId(openid=openid, appid=world.own["appid"], payer_id=PAYER))
    add = pay.profitsharing_add_receiver
    words: dict[str, Any] = {"account_type": "PERSONAL_OPENID", "account": openid, "name": "Li Na"}
    await ask(add, relation_type="STAFF", **words)
    await ask(add, account_type="MERCHANT_ID", account=mchid, relation_type="PARTNER")
    order = {"description": "分账", "out_trade_no": "shared-0001", "amount": {"total": 1_000}}
    made = await ask(pay.pay, settle_info={"profit_sharing": True}, **order)
    await world.pay(made["code_url"], 2)
    await world.server.next()
    number = (await ask(pay.query, out_trade_no="shared-0001"))["transaction_id"]
    amounts = partial(ask, pay.profitsharing_amount_query, transaction_id=number)
    before = (await amounts())["unsplit_amount"]
    part = {"type": "PERSONAL_OPENID", "account": openid, "amount": 100, "description": "x"}
    other = {"type": "MERCHANT_ID", "account": mchid, "amount": 200, "description": "y"}
    names = {"transaction_id": number, "out_order_no": "share-1"}
    shared = await ask(
        pay.profitsharing_order, receivers=[part, other], unfreeze_unsplit=False, **names
    )
    assert shared["state"] == "FINISHED"
    assert await ask(pay.profitsharing_order_query, **names) == shared
    assert (await amounts())["unsplit_amount"] == before - 300
    names = {"out_order_no": "share-1", "out_return_no": "back-1"}
    words = {"return_mchid": mchid, "amount": 50, "description": "z"}
    back = await ask(pay.profitsharing_return, **names, **words)
    assert await ask(pay.profitsharing_return_query, **names) == back
    end = {"transaction_id": number, "out_order_no": "share-2", "description": "完结"}
    await ask(pay.profitsharing_unfreeze, **end)
    assert (await amounts())["unsplit_amount"] == 0
    most = await ask(pay.profitsharing_config_query, sub_mchid=world.own["mchid"])
    assert most["max_ratio"] == 3_000


async def favor_scenario(world: MerchantWorld, pay: Any) -> None:
    """What the merchant has earned pays for a stock: started, paused, restarted, given out, used,
    told, by the client's own calls."""

    async def ask(call: Any, *words: Any, **more: Any) -> dict[str, Any]:
        status, text = await world.run(lambda: call(*words, **more))
        assert status == 200, text
        found: dict[str, Any] = json.loads(text)
        return found

    own, now_ms = world.own["mchid"], int(time.time()) * 1000
    event = Event("pyo_favor", "CNY", "2026-11-28")
    settled = merchant_settled(event, merchant_id=MERCHANT, amount_minor=300)
    await world.served.backend.writer.submit(Post(settled))
    await ask(pay.marketing_favor_callback_update)
    rule = {"max_coupons": 1, "max_amount": 300, "max_coupons_per_user": 1,
            "natural_person_limit": False, "prevent_api_abuse": False}  # fmt: skip
    worth = {"coupon_amount": 300, "transaction_minimum": 500}
    used_for = {"fixed_normal_coupon": worth, "available_merchants": [own]}
    times = (time_text(now_ms - 86_400_000), time_text(now_ms + 86_400_000))
    made = await ask(
        pay.marketing_favor_stock_create, "减三元", own, *times, rule, used_for, "stock-1"
    )
    stock_id = made["stock_id"]
    await ask(pay.marketing_favor_stock_start, own, stock_id)
    await ask(pay.marketing_favor_stock_pause, own, stock_id)
    await ask(pay.marketing_favor_stock_restart, own, stock_id)
    shown = await ask(pay.marketing_favor_stock_detail, own, stock_id)
    assert (await ask(pay.marketing_favor_stock_list, own, status="running"))["data"] == [shown]
    assert (await ask(pay.marketing_favor_stock_merchant, own, stock_id))["data"] == [own]
    openid = "o" + "x" * 27  # known since the sharing
    given = await ask(pay.marketing_favor_stock_send, stock_id, openid, "send-1", own)
    coupon_id = given["coupon_id"]
    await world.served.backend.writer.submit(ChooseCoupon(payer_id=PAYER, coupon_id=coupon_id))
    code = (await world.wallet.pay_code(PAYER))["pay_code"]
    _, text = await world.run(
        lambda: pay.pay(
            description="一瓶水",
            out_trade_no="favor-0001",
            amount={"total": 800},
            payer={"auth_code": code},
            scene_info={"store_info": {"out_id": "s1"}},
            pay_type=WeChatPayType.CODEPAY,
        )
    )
    paid = json.loads(text)
    assert paid["amount"]["payer_total"] == 500, paid
    assert paid["promotion_detail"][0]["merchant_contribute"] == 300
    headers, body = await world.server.next()
    news = await world.run(lambda: pay.callback(headers, body))
    assert news["event_type"] == "COUPON.USE"
    coupon = await ask(pay.marketing_favor_coupon_detail, coupon_id, openid)
    assert (coupon, coupon["status"]) == (news["resource"], "USED")
    listed = await ask(pay.marketing_favor_user_coupon, openid, stock_id, "USED")
    assert listed["data"] == [coupon]
