"""wechatpy, unmodified, against the running backend: the older interface from order to notice."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from wechatpy.exceptions import WeChatPayException
from wechatpy.pay import WeChatPay
from wechatpy.pay.api import withhold

from backend.ledger.rules import Event, merchant_settled
from backend.mandates.schemas import Signature
from backend.merchant_api.payers.service import TellOpenId
from protocol.messages.mandate import MandateText, sign_mandate
from tests.support.backend import MERCHANT, mint
from tests.support.books import Post
from tests.support.merchant_world import PAYER, MerchantWorld, merchant_world
from tillway.merchant import plan

pytestmark = pytest.mark.asyncio
TAKEN = "<xml><return_code><![CDATA[SUCCESS]]></return_code></xml>"


@contextmanager
def client(world: MerchantWorld) -> Iterator[Any]:
    own = world.own
    pay = WeChatPay(
        appid=own["appid"],
        api_key=own["api_v2_key"],
        mch_id=own["mchid"],
        mch_cert=str(world.keys / "apiclient_cert.pem"),
        mch_key=str(world.keys / "apiclient_key.pem"),
    )
    pay.API_BASE_URL = world.url + "/"
    # A client that keeps its connection does not say farewell, and the server waits for it to.
    pay._http.headers["Connection"] = "close"
    yield pay
    pay._http.close()


async def test_orders_codes_and_refunds_from_the_first_call_to_the_last_notice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with merchant_world(tmp_path) as world:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(world.ca))
        world.server.answer = TAKEN
        with client(world) as pay:
            await an_order(world, pay)
            await its_refund(world, pay)
            await a_code(world, pay)
            await a_red_packet(world, pay)
            monkeypatch.setattr(withhold, "get_external_ip", lambda: "203.0.113.9")
            await a_contract(world, pay)
        assert (await world.wallet.balance(PAYER, "CNY"))["balance_minor"] == 10_000 - 980 - 500


async def a_contract(world: MerchantWorld, pay: Any) -> None:
    """The payer follows the merchant's link, signs, is debited, and is let go."""
    token, own, news = world.keys.parent / "token", world.own, world.server.url
    terms: dict[str, Any] = {
        "plan_id": 123, "name": "会员", "limit_payment": 900, "limit_day": 900,
    }  # fmt: skip
    await world.run(lambda: plan(world.url, world.ca, token, own["mchid"], notice_hours=0, **terms))
    link = pay.withhold.apply_signing(123, "code-1", "李娜", news)
    follow = lambda: requests.get(link["base_url"], link["data"], allow_redirects=False)  # noqa: E731  # a test's own server
    page = (await world.run(follow)).headers["location"]
    contract_id = page.partition("pre_entrustweb_id=")[2]
    desk = world.served.backend.merchant_api.contracts
    text = MandateText.from_map((await desk.shown_to(PAYER, contract_id))["text"])
    signed = Signature(signed=sign_mandate(text, world.payer_key).hex())
    await desk.sign(PAYER, contract_id, signed)
    _, body = await world.server.next()
    assert "<change_type><![CDATA[ADD]]></change_type>" in body
    shown = await world.run(lambda: pay.withhold.query_signing(contract_id=contract_id))
    assert (shown["contract_state"], shown["contract_code"]) == ("0", "code-1")
    debit = ("十二月", 500, contract_id, news, "debit-0001")
    await world.run(lambda: pay.withhold.apply_deduct(*debit))
    _, body = await world.server.next()
    assert pay.parse_payment_result(body)["total_fee"] == 500
    found = await world.run(lambda: pay.withhold.query_order(out_trade_no="debit-0001"))
    assert (found["trade_state"], found["trade_type"]) == ("SUCCESS", "PAP")
    end = lambda: pay.withhold.apply_cancel_signing(  # noqa: E731
        contract_id=contract_id, contract_termination_remark="退订"
    )
    assert (await world.run(end))["contract_id"] == contract_id
    _, body = await world.server.next()
    assert "<change_type><![CDATA[DELETE]]></change_type>" in body


async def an_order(world: MerchantWorld, pay: Any) -> None:
    order = {"trade_type": "NATIVE", "body": "一杯咖啡 coffee", "total_fee": 1_280,
             "notify_url": world.server.url, "client_ip": "203.0.113.9",
             "out_trade_no": "order-0001", "attach": "桌 7"}  # fmt: skip
    made = await world.run(lambda: pay.order.create(**order))
    assert made["code_url"].startswith("weixin://wxpay/bizpayurl?pr=")
    assert (await world.pay(made["code_url"]))["state"] == "captured"
    _, body = await world.server.next()
    news = pay.parse_payment_result(body)
    assert (news["out_trade_no"], news["total_fee"], news["attach"]) == (
        "order-0001", 1_280, "桌 7",
    )  # fmt: skip
    found = await world.run(lambda: pay.order.query(out_trade_no="order-0001"))
    assert (found["trade_state"], found["transaction_id"]) == ("SUCCESS", news["transaction_id"])
    assert pay.check_signature(found)
    with pytest.raises(WeChatPayException) as refusal:
        await world.run(lambda: pay.order.close("order-0001"))
    assert refusal.value.errcode == "ORDERPAID"


async def its_refund(world: MerchantWorld, pay: Any) -> None:
    words = {"total_fee": 1_280, "refund_fee": 300, "out_refund_no": "refund-1",
             "out_trade_no": "order-0001", "notify_url": world.server.url}  # fmt: skip
    granted = await world.run(lambda: pay.refund.apply(**words))
    _, body = await world.server.next()
    told = pay.parse_refund_notify_result(body)
    assert (told["refund_id"], told["refund_fee"]) == (granted["refund_id"], 300)
    found = await world.run(lambda: pay.refund.query(out_refund_no="refund-1"))
    assert (found["refund_status_0"], found["refund_fee_0"]) == ("SUCCESS", "300")
    pay.mch_cert = None
    with pytest.raises(WeChatPayException) as refusal:
        await world.run(lambda: pay.refund.apply(**words))
    assert refusal.value.errcode == "CA_ERROR"
    pay.mch_cert = str(world.keys / "apiclient_cert.pem")


async def a_code(world: MerchantWorld, pay: Any) -> None:
    code = (await world.wallet.pay_code(PAYER))["pay_code"]
    words = {"body": "一瓶水", "total_fee": 300, "auth_code": code, "out_trade_no": "code-0001",
             "client_ip": "203.0.113.9"}  # fmt: skip
    found = await world.run(lambda: pay.micropay.create(**words))
    assert (found["trade_type"], found["cash_fee"]) == ("MICROPAY", "300")
    undone = await world.run(lambda: pay.order.reverse(out_trade_no="code-0001"))
    assert undone["recall"] == "N"
    after = await world.run(lambda: pay.order.query(out_trade_no="code-0001"))
    assert after["trade_state"] == "REVOKED"


async def a_red_packet(world: MerchantWorld, pay: Any) -> None:
    """Of what the merchant has earned and the settlement run has made available."""
    submit, openid = world.served.backend.services.submit, "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
    event = Event(mint("pyo", 1), "CNY", "2026-11-24")
    await submit(Post(merchant_settled(event, merchant_id=MERCHANT, amount_minor=900)))
    await submit(TellOpenId(openid=openid, appid=pay.appid, payer_id=PAYER))
    words = {"user_id": openid, "total_amount": 500, "send_name": "店", "act_name": "新年",
             "wishing": "恭喜发财", "remark": "谢谢", "client_ip": "203.0.113.9",
             "out_trade_no": "pack-1"}  # fmt: skip
    sent = await world.run(lambda: pay.redpack.send(**words))
    found = await world.run(lambda: pay.redpack.query("pack-1"))
    assert (found["status"], found["detail_id"]) == ("SENT", sent["send_listid"])
    with pytest.raises(WeChatPayException) as refusal:
        await world.run(lambda: pay.redpack.send(**words | {"out_trade_no": "pack-2"}))
    assert refusal.value.errcode == "NOTENOUGH"
