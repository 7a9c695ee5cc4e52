"""What a merchant's program does by the SDK with contracts and services."""

import json
from typing import Any

from wechatpayv3.type import RequestType

from tests.support.merchant_world import MerchantWorld
from tillway.demo import phone_book
from tillway.merchant import plan


async def papay_scenario(world: MerchantWorld, pay: Any) -> None:
    """A plan from the command line, a contract that the payer signs, a debit, the end. The client
    has no words for contracts, but signs, checks and opens them."""

    async def ask(path: str, body: object = None) -> tuple[int, Any]:
        kind = RequestType.GET if body is None else RequestType.POST
        status, text = await world.run(lambda: pay._core.request(path, kind, body))
        return status, json.loads(text or "null")

    async def told() -> tuple[str, Any]:
        headers, body = await world.server.next()
        news = await world.run(lambda: pay.callback(headers, body))
        return news["event_type"], news["resource"]

    terms: dict[str, Any] = {
        "plan_id": 12_535, "name": "会员", "limit_payment": 2_000, "limit_day": 2_000,
    }  # fmt: skip
    token, own = world.keys.parent / "token", world.own
    await world.run(lambda: plan(world.url, world.ca, token, own["mchid"], notice_hours=0, **terms))
    wanted = {"sign_scene": "SIGN_SCENE_QRCODE", "appid": own["appid"], "plan_id": 12_535,
              "out_contract_code": "c-1", "contract_display_account": "李娜",
              "contract_notify_url": world.server.url}  # fmt: skip
    _, made = await ask("/v3/papay/sign/contracts/pre-entrust-sign", wanted)
    contract_id = made["pre_entrustweb_id"]
    await world.run(lambda: phone_book.sign(contract_id, world.keys.parent / "phone"))
    event, signed = await told()
    assert (event, signed["contract_id"]) == ("PAPAY.SIGN", contract_id)
    debit = {"appid": own["appid"], "out_trade_no": "debit-0001", "description": "十二月",
             "transaction_notify_url": world.server.url, "contract_id": contract_id,
             "amount": {"total": 1_500, "currency": "CNY"}}  # fmt: skip
    assert (await ask("/v3/papay/pay/transactions/apply", debit))[0] == 200
    event, paid = await told()
    assert (event, paid["trade_type"]) == ("TRANSACTION.SUCCESS", "AUTH")
    path = "/v3/papay/sign/contracts/plan-id/12535/out-contract-code/c-1"
    assert await ask(path + "/terminate", {"contract_termination_remark": "退订"}) == (204, None)
    assert (await told())[0] == "PAPAY.TERMINATE"
    assert (await ask(path))[1]["contract_state"] == "TERMINATED"


async def payscore_scenario(world: MerchantWorld, pay: Any) -> None:
    """A service order on the same plan's terms, by the client's own calls, from the payer's
    agreement to the refund."""

    async def ask(call: Any, *words: Any, **more: Any) -> dict[str, Any]:
        status, text = await world.run(lambda: call(*words, **more))
        assert status == 200, text
        found: dict[str, Any] = json.loads(text)
        return found

    async def told() -> str:
        headers, body = await world.server.next()
        news = await world.run(lambda: pay.callback(headers, body))
        return str(news["event_type"])

    fund, cost = {"name": "DEPOSIT", "amount": 2_000}, [{"name": "租金", "amount": 700}]
    began = {"start_time": "OnAccept"}
    made = await ask(pay.payscore_create, "svc-1", "12535", "充电宝", began, fund)
    order_id, phone = made["order_id"], world.keys.parent / "phone"
    await world.run(lambda: phone_book.sign(order_id, phone, is_service=True))
    assert await told() == "PAYSCORE.USER_CONFIRM"
    await ask(pay.payscore_complete, "svc-1", "12535", cost, 700)
    assert await told() == "PAYSCORE.USER_PAID"
    shown = await ask(pay.payscore_query, "12535", out_order_no="svc-1")
    assert (shown["state"], shown["collection"]["state"]) == ("DONE", "USER_PAID")
    number = shown["collection"]["details"][0]["transaction_id"]
    amount = {"refund": 300, "total": 700, "currency": "CNY"}
    await ask(pay.payscore_refund, number, "svc-refund-1", amount)
    assert await told() == "REFUND.SUCCESS"
    await ask(pay.payscore_create, "svc-2", "12535", "充电宝", began, fund)
    cancelled = await ask(pay.payscore_cancel, "svc-2", "12535", "用户取消")
    assert cancelled["state"] == "REVOKED"
