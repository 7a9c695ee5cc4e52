"""What a merchant earns of an order is frozen, shared, given back, released: true to the books."""

import asyncio
import base64
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from backend.clearing.repository import ClearingRepository
from backend.merchants.service import ChangeMerchant
from backend.sharing.sweep import carry_on_sharing
from tests.support.merchant_caller import Caller, caller_of, opened
from tests.support.migrated import migrated_sqlite
from tests.support.shop import MERCHANT, OTHER_MERCHANT, Shop
from tests.support.wallet_http import OPERATOR, services_of
from tests.unit.merchant_api.test_keys_and_banks import encrypted
from tests.unit.merchant_api.test_orders_and_codes import (
    PAY,
    code_of,
    code_payment,
    openid,
    pay,
    query,
    reverse,
)
from tests.unit.merchant_api.test_partners import PAY as PARTNER_PAY
from tests.unit.merchant_api.test_partners import SHOP, bind
from tests.unit.merchant_api.test_partners import order as partner_order
from tests.unit.merchant_api.test_partners import query as partner_query
from tests.unit.merchant_api.test_sandbox import refund

SHARING = "/v3/profitsharing"
MINUTE_MS = 60_000
DAY_MS = int(timedelta(days=1).total_seconds()) * 1000
FROZEN: dict[str, Any] = {"settle_info": {"profit_sharing": True}}
OWN = f"C:MPEND:{MERCHANT}:CNY"
OTHERS = f"C:MPEND:{OTHER_MERCHANT}:CNY"


@pytest.fixture
def either(migrated_url: str) -> Iterator[Caller]:
    """A merchant's program on both databases, beside another merchant that wants news."""
    with _with_other(migrated_url) as found:
        yield found


@pytest.fixture
def sharer(tmp_path: Path) -> Iterator[Caller]:
    """The same on one."""
    with _with_other(migrated_sqlite(tmp_path / "shop.db")) as found:
        yield found


@contextmanager
def _with_other(url: str) -> Iterator[Caller]:
    shop = Shop(url)
    shop.add_merchant()
    shop.add_merchant(OTHER_MERCHANT, notify_url="https://other.example/notify")
    with pytest.MonkeyPatch.context() as patch, caller_of(shop, patch) as found:
        yield found
    shop.close()


def other_number(caller: Caller) -> str:
    """The other merchant's number."""
    csr = base64.b64encode(caller.csr()).decode()
    wanted = {"merchant_id": OTHER_MERCHANT, "csr": csr}
    path = "/operator/v1/merchant-api/accounts"
    return str(caller.http.post(path, json=wanted, headers=OPERATOR).json()["mchid"])


def paid(caller: Caller, number: str = "order-0001", total: int = 1_280) -> tuple[str, str]:
    """An order that was paid from the balance: the platform's number, and the frozen account."""
    payer_id = caller.shop.add_payer(balance_minor=total)
    body = caller.order(number, amount={"total": total}, **FROZEN)
    made = caller.ask("POST", f"{PAY}/native", body)
    payment_id = pay(caller, made.json()["code_url"], payer_id)["payment_id"]
    return query(caller, number)["transaction_id"], f"C:SHARE:{payment_id}:CNY"


def add(caller: Caller, kind: str, account: str, name: str = "") -> Any:
    body = {"appid": caller.made["appid"], "type": kind, "account": account,
            "relation_type": "PARTNER"}  # fmt: skip
    platform = caller.made["platform"]
    if name:
        body["name"] = encrypted(platform["public_key"], name)
    return caller.ask("POST", f"{SHARING}/receivers/add", body, serial=platform["public_key_id"])


def to(kind: str, account: str, amount: int) -> dict[str, Any]:
    return {"type": kind, "account": account, "amount": amount, "description": "分给合作方"}


def share(caller: Caller, transaction_id: str, number: str, *receivers: Any, last: bool) -> Any:
    body = {
        "appid": caller.made["appid"],
        "transaction_id": transaction_id,
        "out_order_no": number,
        "receivers": list(receivers),
        "unfreeze_unsplit": last,
    }
    return caller.ask("POST", f"{SHARING}/orders", body)


def left(caller: Caller, transaction_id: str) -> int:
    answer = caller.ask("GET", f"{SHARING}/transactions/{transaction_id}/amounts")
    assert answer.status_code == 200, answer.text
    return int(answer.json()["unsplit_amount"])


def unfreeze(caller: Caller, transaction_id: str, number: str) -> Any:
    body = {"transaction_id": transaction_id, "out_order_no": number, "description": "解冻"}
    return caller.ask("POST", f"{SHARING}/orders/unfreeze", body)


def give_back(caller: Caller, number: str, mchid: str, amount: int, order: str = "P1") -> Any:
    body = {"out_order_no": order, "out_return_no": number, "return_mchid": mchid,
            "amount": amount, "description": "退回"}  # fmt: skip
    return caller.ask("POST", f"{SHARING}/return-orders", body)


def test_a_payment_is_frozen_shared_refunded_given_back_and_released(either: Caller) -> None:
    shop = either.shop
    transaction_id, frozen = paid(either)
    assert (shop.balance(frozen), shop.balance(OWN)) == (1_272, 0)  # 8 fen are the fee
    mchid = other_number(either)
    payer_id = shop.add_payer(name="韩梅梅")
    person = openid(either, payer_id)
    assert add(either, "MERCHANT_ID", mchid, "晨光便利店").status_code == 200
    assert add(either, "PERSONAL_OPENID", person, "韩梅梅").status_code == 200
    parts = (to("MERCHANT_ID", mchid, 200), to("PERSONAL_OPENID", person, 100))
    early = share(either, transaction_id, "P1", *parts, last=False)
    assert code_of(early) == (400, "INVALID_REQUEST")
    shop.clock.at_ms += MINUTE_MS
    made = share(either, transaction_id, "P1", *parts, last=False)
    assert made.status_code == 200, made.text
    assert made.json()["state"] == "FINISHED"
    assert [one["result"] for one in made.json()["receivers"]] == ["SUCCESS", "SUCCESS"]
    assert share(either, transaction_id, "P1", *parts, last=False).json() == made.json()
    other = share(either, transaction_id, "P1", *parts[:1], last=False)
    assert code_of(other) == (400, "INVALID_REQUEST")
    path = f"{SHARING}/orders/P1?transaction_id={transaction_id}"
    assert either.ask("GET", path).json() == made.json()
    assert (shop.balance(OTHERS), shop.payer_balance(payer_id)) == (200, 100)
    assert left(either, transaction_id) == 972
    assert refund(either, "refund-1", 500).status_code == 200
    assert left(either, transaction_id) == 972 - 500 + 3  # with the fee's part
    back = give_back(either, "R1", mchid, 150)
    assert (back.status_code, back.json()["result"]) == (200, "SUCCESS")
    assert give_back(either, "R1", mchid, 150).json() == back.json()
    assert code_of(give_back(either, "R2", mchid, 51)) == (400, "INVALID_REQUEST")
    path = f"{SHARING}/return-orders/R1?out_order_no=P1"
    assert either.ask("GET", path).json() == back.json()
    assert (shop.balance(OTHERS), shop.balance(OWN)) == (50, 150)
    assert (earned(shop, OTHER_MERCHANT), earned(shop, MERCHANT)) == (50, 150)
    ended = unfreeze(either, transaction_id, "P2").json()
    [rest] = ended["receivers"]
    assert (rest["account"], rest["amount"]) == (either.made["mchid"], 475)
    assert (shop.balance(frozen), shop.balance(OWN)) == (0, 625)
    again = share(either, transaction_id, "P3", *parts, last=False)
    assert code_of(again) == (400, "INVALID_REQUEST")
    assert shop.verify().is_whole


def test_a_merchant_that_receives_is_told(sharer: Caller) -> None:
    transaction_id, _ = paid(sharer)
    mchid = other_number(sharer)
    add(sharer, "MERCHANT_ID", mchid)
    sharer.shop.clock.at_ms += MINUTE_MS
    assert (
        share(sharer, transaction_id, "P1", to("MERCHANT_ID", mchid, 9), last=True).status_code
        == 200
    )
    told = [body for _, body in sharer.callbacks() if body["event_type"] == "PROFITSHARING"]
    assert [body["resource"]["original_type"] for body in told] == ["profitsharing"]


def test_who_was_not_added_and_what_is_too_much_are_refused(sharer: Caller) -> None:
    transaction_id, frozen = paid(sharer)
    mchid = other_number(sharer)
    sharer.shop.clock.at_ms += MINUTE_MS
    part = to("MERCHANT_ID", mchid, 100)
    assert code_of(share(sharer, transaction_id, "P1", part, last=True)) == (403, "NO_AUTH")
    wrong = add(sharer, "MERCHANT_ID", mchid, "别家店")
    assert wrong.json()["detail"]["field"] == "/name"
    assert code_of(add(sharer, "MERCHANT_ID", "1699999999")) == (400, "PARAM_ERROR")
    assert code_of(add(sharer, "MERCHANT_ID", sharer.made["mchid"])) == (400, "PARAM_ERROR")
    add(sharer, "MERCHANT_ID", mchid)
    above = share(sharer, transaction_id, "P1", to("MERCHANT_ID", mchid, 385), last=False)
    assert code_of(above) == (403, "RULE_LIMIT")
    twice = share(sharer, transaction_id, "P1", part, part, last=False)
    assert code_of(twice) == (400, "PARAM_ERROR")
    refund(sharer, "refund-1", 1_200)
    short = share(sharer, transaction_id, "P1", to("MERCHANT_ID", mchid, 384), last=False)
    assert code_of(short) == (403, "NOT_ENOUGH")
    body = {"appid": sharer.made["appid"], "type": "MERCHANT_ID", "account": mchid}
    assert sharer.ask("POST", f"{SHARING}/receivers/delete", body).status_code == 200
    gone = share(sharer, transaction_id, "P1", to("MERCHANT_ID", mchid, 1), last=False)
    assert code_of(gone) == (403, "NO_AUTH")
    sharer.shop.do(ChangeMerchant(merchant_id=MERCHANT, status="closed"))
    add(sharer, "MERCHANT_ID", mchid)
    stopped = share(sharer, transaction_id, "P1", to("MERCHANT_ID", mchid, 1), last=False)
    assert code_of(stopped) == (403, "NO_AUTH")
    path = f"{SHARING}/merchant-configs/{sharer.made['mchid']}"
    assert sharer.ask("GET", path).json()["max_ratio"] == 3_000
    assert sharer.shop.balance(frozen) == 1_272 - 1_200 + 7  # of the fee of 8


def test_an_order_that_did_not_ask_for_it_is_not_shared(sharer: Caller) -> None:
    payer_id = sharer.shop.add_payer(balance_minor=1_280)
    made = sharer.ask("POST", f"{PAY}/native", sharer.order())
    pay(sharer, made.json()["code_url"], payer_id)
    transaction_id = query(sharer)["transaction_id"]
    assert sharer.shop.balance(OWN) == 1_272
    assert code_of(unfreeze(sharer, transaction_id, "P1")) == (400, "INVALID_REQUEST")
    assert code_of(unfreeze(sharer, "4200", "P1")) == (404, "ORDER_NOT_EXIST")


def test_what_nobody_shares_is_released_after_thirty_days(sharer: Caller) -> None:
    _, frozen = paid(sharer)
    sharer.shop.clock.at_ms += 30 * DAY_MS - 1
    assert asyncio.run(carry_on_sharing(services_of(sharer.shop))) == 0
    sharer.shop.clock.at_ms += 1
    assert asyncio.run(carry_on_sharing(services_of(sharer.shop))) == 1
    assert (sharer.shop.balance(frozen), sharer.shop.balance(OWN)) == (0, 1_272)
    assert asyncio.run(carry_on_sharing(services_of(sharer.shop))) == 0


def test_a_code_payment_that_is_shared_is_undone_with_what_is_frozen(sharer: Caller) -> None:
    payer_id = sharer.shop.add_payer(balance_minor=5_000)
    code = sharer.shop.code(payer_id)
    assert code_payment(sharer, code, **FROZEN).status_code == 200
    assert sharer.shop.balance(OWN) == 0
    assert reverse(sharer).status_code == 200
    assert sharer.shop.payer_balance(payer_id) == 5_000
    assert sharer.shop.verify().is_whole


def test_a_service_provider_shares_its_merchants_money_with_whom_it_added_for_it(
    sharer: Caller,
) -> None:
    shop = sharer.shop
    shop.add_merchant(SHOP)
    sub = opened(Caller, sharer.http, shop, sharer.parts, SHOP)
    bind(sharer, sub)
    payer_id = shop.add_payer(balance_minor=1_280)
    made = sharer.ask("POST", f"{PARTNER_PAY}/native", partner_order(sharer, sub, **FROZEN))
    payment_id = pay(sharer, made.json()["code_url"], payer_id)["payment_id"]
    transaction_id = partner_query(sharer, sub)["transaction_id"]
    shop.clock.at_ms += MINUTE_MS
    mchid, acting = other_number(sharer), {"sub_mchid": sub.made["mchid"]}
    add(sharer, "MERCHANT_ID", mchid)  # for itself only
    body = {
        "appid": sharer.made["appid"],
        "transaction_id": transaction_id,
        "out_order_no": "P1",
        "receivers": [to("MERCHANT_ID", mchid, 100)],
        "unfreeze_unsplit": True,
    }
    ask = partial(sharer.ask, "POST", f"{SHARING}/orders")
    assert code_of(ask(body)) == (404, "ORDER_NOT_EXIST")
    assert code_of(ask(body | acting)) == (403, "NO_AUTH")
    assert left(sharer, transaction_id) == 1_272
    new = {"appid": sharer.made["appid"], "type": "MERCHANT_ID", "account": mchid,
           "relation_type": "PARTNER"}  # fmt: skip
    sharer.ask("POST", f"{SHARING}/receivers/add", new | acting)
    done = ask(body | acting)
    assert done.status_code == 200, done.text
    assert [one["account"] for one in done.json()["receivers"]] == [mchid, sub.made["mchid"]]
    assert shop.balance(f"C:MPEND:{SHOP}:CNY") == 1_172
    assert shop.balance(f"C:SHARE:{payment_id}:CNY") == 0
    path = f"{SHARING}/return-orders"
    back = {"out_order_no": "P1", "out_return_no": "R1", "return_mchid": mchid, "amount": 40,
            "description": "退回"}  # fmt: skip
    assert sharer.ask("POST", path, back | acting).status_code == 200
    bind(sharer, sub, is_on=False)
    assert code_of(ask(body | acting)) == (403, "NO_AUTH")
    # What it did for that merchant is not its own: with the appointment, all of it has ended.
    by_id = {"order_id": done.json()["order_id"], "out_return_no": "R2"}
    for late in (back | {"out_return_no": "R2"}, back | by_id):
        assert code_of(sharer.ask("POST", path, late)) == (404, "RESOURCE_NOT_EXISTS")
    seen = sharer.ask("GET", f"{path}/R1?out_order_no=P1")
    assert code_of(seen) == (404, "RESOURCE_NOT_EXISTS")
    amounts = sharer.ask("GET", f"{SHARING}/transactions/{transaction_id}/amounts")
    assert code_of(amounts) == (403, "NO_AUTH")
    assert shop.balance(OTHERS) == 60


def earned(shop: Shop, merchant_id: str) -> int:
    """What the clearing takes for a merchant's earnings that wait."""
    found = asyncio.run(ClearingRepository(shop.reader).pending("2026-01-01", merchant_id))
    return sum(sum(one.earned_minor.values()) for one in found)
