"""A merchant's program downloads a day's bills, on both databases: under its own numbers, with the
promised hash, and to the fen what the ledger posted."""

import gzip
import hashlib
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from backend.merchant_api.bills.model import BillKind, Ticket, open_ticket, seal_ticket
from backend.merchant_api.config import MerchantApiSettings
from backend.merchant_api.faults import ApiError
from backend.merchant_api.partners.service import Bind
from tests.support.bills import ReadBill, fee_fen, fen, give_own_money, read_bill
from tests.support.clearing import World, clearing_world
from tests.support.coupons import choose
from tests.support.merchant_caller import Caller, caller_of, opened
from tests.support.shop import MERCHANT, OTHER_MERCHANT

DAY = date(2026, 11, 24)
OURS = (f"C:MPEND:{MERCHANT}:CNY", f"C:MAVAIL:{MERCHANT}:CNY")
CODEPAY = "/v3/pay/transactions/codepay"
REFUNDS = "/v3/refund/domestic/refunds"


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    with clearing_world(migrated_url) as found:
        give_own_money(found, 100_000)
        yield found


@pytest.fixture
def caller(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Caller]:
    settings = MerchantApiSettings(refund_gap_s=0, public_url="https://api.mch.weixin.qq.com")
    with caller_of(world.shop, monkeypatch, settings=settings) as found:
        yield found


def by_code(caller: Caller, payer: str, number: str, total: int) -> dict[str, Any]:
    """A payment by code, taken by the program."""
    order = caller.order(number) | {
        "amount": {"total": total},
        "attach": "桌 7, 窗边",
        "payer": {"auth_code": caller.shop.code(payer)},
        "scene_info": {"store_info": {"id": "s1"}},
    }
    answer = caller.ask("POST", CODEPAY, order)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def refund(caller: Caller, number: str, order: str, part: int, total: int) -> dict[str, Any]:
    amount = {"refund": part, "total": total, "currency": "CNY"}
    asked = {"out_trade_no": order, "out_refund_no": number, "amount": amount}
    answer = caller.ask("POST", REFUNDS, asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def fetched(caller: Caller, url: str) -> httpx2.Response:
    """The file behind an address. It is not signed, so its answer is not checked."""
    parts = urlsplit(url)
    assert f"{parts.scheme}://{parts.netloc}" == "https://api.mch.weixin.qq.com"
    target = f"{parts.path}?{parts.query}"
    return caller.http.get(
        target, headers={"authorization": caller.authorization("GET", target, b"")}
    )


def bill(caller: Caller, query: str) -> ReadBill:
    """A bill, asked for, downloaded plain and packed, its hash compared, read."""
    promised = caller.ask("GET", f"/v3/bill/{query}").json()
    unpacked = caller.ask("GET", f"/v3/bill/{query}&tar_type=").json()  # as wechatpayv3 asks
    assert "tartype" not in unpacked["download_url"]
    packed = caller.ask("GET", f"/v3/bill/{query}&tar_type=GZIP").json()
    assert packed["hash_type"] == "SHA1"
    assert packed["hash_value"] == promised["hash_value"]
    answer = fetched(caller, promised["download_url"])
    assert answer.status_code == 200, answer.text
    assert "wechatpay-signature" not in answer.headers
    assert hashlib.sha1(answer.content).hexdigest() == promised["hash_value"]
    assert gzip.decompress(fetched(caller, packed["download_url"]).content) == answer.content
    return read_bill(answer.content)


def refused(caller: Caller, query: str) -> str:
    """The refusal's code; 400, signed."""
    answer = caller.ask("GET", f"/v3/bill/{query}")
    assert answer.status_code == 400
    return str(answer.json()["code"])


def posted(world: World, day: date) -> int:
    """What the ledger posted for the merchant on a day, by its transfers alone."""
    rows = world.shop.rows("SELECT * FROM ledger_transfer WHERE kind IN ('posted', 'post')")
    signs = [(row, (row["credit"] in OURS) - (row["debit"] in OURS)) for row in rows]
    return sum(
        sign * row["amount_minor"] for row, sign in signs if row["business_date"] == f"{day}"
    )


@pytest.mark.asyncio
async def test_a_day_of_a_program_and_a_till_stands_in_its_bills_to_the_fen(
    world: World, caller: Caller
) -> None:
    payer = await world.payer_since_yesterday()
    choose(world.shop, payer, 2_500)
    first = by_code(caller, payer, "code-0001", 10_000)
    by_code(caller, payer, "code-0002", 700)
    names = {name: caller.made[name] for name in ("appid", "mchid")}
    undone = caller.ask("POST", "/v3/pay/transactions/out-trade-no/code-0002/reverse", names)
    assert undone.status_code == 200
    at_the_till = world.sell(payer, 333)
    back = refund(caller, "refund-1", "code-0001", 4_000, 10_000)
    assert refused(caller, f"tradebill?bill_date={DAY}") == "STATEMENT_CREATING"
    world.next_day()
    assert refused(caller, f"tradebill?bill_date={DAY}") == "STATEMENT_CREATING"
    assert (await world.day_end.run(DAY))["state"] == "closed"

    trade = bill(caller, f"tradebill?bill_date={DAY}&bill_type=ALL")
    rows = {(row["商户订单号"], row["交易状态"]): row for row in trade.rows}
    assert set(rows) == {
        ("code-0001", "SUCCESS"), ("code-0001", "REFUND"), ("code-0002", "SUCCESS"),
        ("code-0002", "REVOKED"), (at_the_till, "SUCCESS"),
    }  # fmt: skip
    paid, returned = rows["code-0001", "SUCCESS"], rows["code-0001", "REFUND"]
    assert (paid["微信订单号"], paid["用户标识"]) == (
        first["transaction_id"], first["payer"]["openid"],
    )  # fmt: skip
    assert (paid["公众账号ID"], paid["交易类型"]) == (caller.made["appid"], "MICROPAY")
    assert paid["商户数据包"] == "桌 7， 窗边"
    assert {row["商户号"] for row in trade.rows} == {caller.made["mchid"]}
    assert (returned["微信退款单号"], returned["商户退款单号"]) == (back["refund_id"], "refund-1")
    assert (paid["应结订单金额"], paid["代金券金额"]) == ("100.00", "25.00")
    summary = trade.summary
    net = fen(summary["应结订单总金额"]) - fen(summary["退款总金额"])
    assert net - fee_fen(summary["手续费总金额"]) == posted(world, DAY)

    flow = bill(caller, f"fundflowbill?bill_date={DAY}&account_type=BASIC")
    moved = fen(flow.summary["收入金额"]) - fen(flow.summary["支出金额"])
    assert moved == posted(world, DAY) == fen(flow.rows[-1]["账户结余(元)"])
    numbers = {(row["微信支付业务单号"], row["业务凭证号"]) for row in flow.rows}
    assert (back["refund_id"], first["transaction_id"]) in numbers
    assert (first["transaction_id"], first["transaction_id"]) in numbers
    success = bill(caller, f"tradebill?bill_date={DAY}&bill_type=SUCCESS")
    assert len(success.rows) == 3

    assert (
        refused(caller, f"fundflowbill?bill_date={DAY}&account_type=FEES") == "NO_STATEMENT_EXIST"
    )
    before = DAY - timedelta(days=1)
    assert refused(caller, f"tradebill?bill_date={before}") == "NO_STATEMENT_EXIST"
    assert refused(caller, f"tradebill?bill_date={before - timedelta(days=1)}") == (
        "NO_STATEMENT_EXIST"
    )
    for wrong in (DAY + timedelta(days=2), DAY - timedelta(days=93), "yesterday", "2026-02-30"):
        assert refused(caller, f"tradebill?bill_date={wrong}") == "PARAM_ERROR"
    assert refused(caller, f"tradebill?bill_date={DAY}&bill_type=NONE") == "PARAM_ERROR"

    await the_address_is_the_caller_s_and_lives_five_minutes(world, caller)


async def the_address_is_the_caller_s_and_lives_five_minutes(world: World, caller: Caller) -> None:
    asked = caller.ask("GET", f"/v3/bill/fundflowbill?bill_date={DAY}").json()["download_url"]
    token = asked.partition("token=")[2]
    assert fetched(caller, asked).status_code == 200
    for forged in (token[:-1], "A" + token[1:], "x", "%E4%BD%A0"):
        target = f"/v3/billdownload/file?token={forged}"
        answer = caller.ask("GET", target)  # a refusal is signed
        assert (answer.status_code, answer.json()["code"]) == (400, "PARAM_ERROR")
    world.shop.clock.at_ms += 5 * 60 * 1_000
    answer = fetched(caller, asked)
    caller.check(answer)
    assert (answer.status_code, answer.json()["detail"]["field"]) == (400, "/token")


@pytest.mark.asyncio
async def test_a_service_provider_reads_what_it_has_asked_for_itself(
    world: World, caller: Caller
) -> None:
    """The caller is the merchant; another merchant's program is appointed to act for it."""
    world.add_merchant(OTHER_MERCHANT)
    provider = opened(Caller, caller.http, world.shop, caller.parts, OTHER_MERCHANT)
    sp_mchid, sub_mchid = provider.made["mchid"], caller.made["mchid"]
    query = f"tradebill?bill_date={DAY}&sub_mchid={sub_mchid}"
    assert provider.ask("GET", f"/v3/bill/{query}").json()["code"] == "NO_AUTH"
    world.shop.do(Bind(sp_mchid=sp_mchid, sub_mchid=sub_mchid, is_on=True))
    payer = await world.payer_since_yesterday()
    by_code(caller, payer, "own-00001", 1_000)
    world.sell(payer, 300)
    order = {
        "sp_appid": provider.made["appid"],
        "sp_mchid": sp_mchid,
        "sub_mchid": sub_mchid,
        "description": "咖啡",
        "out_trade_no": "provider-1",
        "amount": {"total": 500},
        "payer": {"auth_code": world.shop.code(payer)},
        "scene_info": {"store_info": {"id": "s1"}},
    }
    answer = provider.ask("POST", "/v3/pay/partner/transactions/codepay", order)
    assert answer.status_code == 200, answer.text
    world.next_day()
    assert (await world.day_end.run(DAY))["state"] == "closed"

    (row,) = bill(provider, query).rows
    assert (row["商户号"], row["特约商户号"], row["商户订单号"]) == (
        sp_mchid, sub_mchid, "provider-1",
    )  # fmt: skip
    assert len(bill(caller, f"tradebill?bill_date={DAY}").rows) == 3
    assert refused(provider, f"tradebill?bill_date={DAY}") == "NO_STATEMENT_EXIST"
    url = provider.ask("GET", f"/v3/bill/{query}").json()["download_url"]
    world.shop.do(Bind(sp_mchid=sp_mchid, sub_mchid=sub_mchid, is_on=False))
    assert fetched(provider, url).json()["code"] == "NO_AUTH"


def test_a_ticket_is_of_one_merchant_number_and_ends() -> None:
    ticket = Ticket(
        mchid="1600000001",
        sub_mchid="",
        kind=BillKind.TRADE,
        day=f"{DAY}",
        bill_type="ALL",
        expires_at_ms=9,
    )
    token = seal_ticket(b"key", ticket)
    assert open_ticket(b"key", token, mchid="1600000001", now_ms=8) == ticket
    for key, mchid, now_ms, code in (
        (b"key", "1600000002", 8, "NO_AUTH"),
        (b"key", "1600000001", 9, "PARAM_ERROR"),
        (b"another", "1600000001", 8, "PARAM_ERROR"),
    ):
        with pytest.raises(ApiError) as refusal:
            open_ticket(key, token, mchid=mchid, now_ms=now_ms)
        assert refusal.value.fault.code == code
