"""A merchant's own coupons: made, set aside for, given out, used, refunded, ended, on both
databases; after each story the books are whole."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from backend.channels.model import ChannelAnswer
from backend.coupons.service import ChooseCoupon
from backend.coupons.stocks.model import (
    TRANSITIONS,
    Stock,
    StockState,
    StockStep,
    next_state,
    refusal,
)
from backend.coupons.stocks.service import SendCoupon
from backend.merchant_api.orders.model import time_text
from backend.payments.by_channel import ResolvePayment
from backend.payments.confirm import ConfirmByPayer
from backend.payments.expiry import end_stocks, expire_coupons
from backend.sagas.model import Ask
from backend.sagas.ports import Word
from backend.sagas.service import ClaimSagas
from backend.wallet.model import scanned_payment_id
from protocol.errors import CallerError
from tests.support.channel_world import CARD_TOKEN
from tests.support.disputes import OWED, collect, cover, settle
from tests.support.merchant_caller import AT_ONCE, Caller, caller_of
from tests.support.migrated import migrated_sqlite
from tests.support.shop import MERCHANT, Shop
from tests.support.wallet_http import services_of
from tests.unit.merchant_api.test_orders_and_codes import (
    PAY,
    code_of,
    code_payment,
    openid,
    query,
    reverse,
)
from tests.unit.merchant_api.test_sandbox import refund

FAVOR = "/v3/marketing/favor"
DAY_MS = int(timedelta(days=1).total_seconds()) * 1000
AVAILABLE, PENDING = f"C:MAVAIL:{MERCHANT}:CNY", f"C:MPEND:{MERCHANT}:CNY"
EARNED = 9_940
"""What a sale of 100 yuan leaves once it is settled."""


@pytest.fixture
def either(migrated_url: str) -> Iterator[Caller]:
    """A merchant that has sold something, and has the money, on both databases."""
    with _with_money(migrated_url) as found:
        yield found


@pytest.fixture
def caller(tmp_path: Path) -> Iterator[Caller]:
    """The same on one."""
    with _with_money(migrated_sqlite(tmp_path / "shop.db")) as found:
        yield found


@contextmanager
def _with_money(url: str) -> Iterator[Caller]:
    shop = Shop(url)
    shop.add_merchant()
    assert shop.pay(shop.add_payer(balance_minor=10_000), 10_000)["state"] == "captured"
    settle(shop)
    assert shop.balance(AVAILABLE) == EARNED
    with (
        pytest.MonkeyPatch.context() as patch,
        caller_of(shop, patch, settings=AT_ONCE) as found,
    ):
        yield found
    assert shop.verify().is_whole
    shop.close()


def wanted(caller: Caller, number: str = "stock-1", **changes: Any) -> dict[str, Any]:
    own, now_ms = caller.made["mchid"], caller.shop.clock.at_ms
    return {
        "stock_name": "双十一减三元",
        "belong_merchant": own,
        "available_begin_time": time_text(now_ms),
        "available_end_time": time_text(now_ms + 5 * DAY_MS),
        "stock_use_rule": {"max_coupons": 4, "max_amount": 1_200, "max_coupons_per_user": 2},
        "coupon_use_rule": {
            "fixed_normal_coupon": {"coupon_amount": 300, "transaction_minimum": 800},
            "available_merchants": [own],
        },
        "pattern_info": {"description": "满八元可用"},
        "stock_type": "NORMAL",
        "out_request_no": number,
        **changes,
    }


def make(caller: Caller, **changes: Any) -> str:
    made = caller.ask("POST", f"{FAVOR}/coupon-stocks", wanted(caller, **changes))
    assert made.status_code == 200, made.text
    return str(made.json()["stock_id"])


def step(caller: Caller, stock_id: str, name: str = "start") -> Any:
    body = {"stock_creator_mchid": caller.made["mchid"]}
    return caller.ask("POST", f"{FAVOR}/stocks/{stock_id}/{name}", body)


def started(caller: Caller) -> str:
    stock_id = make(caller)
    assert step(caller, stock_id).status_code == 200
    return stock_id


def send(caller: Caller, stock_id: str, name: str, number: str = "send-1") -> Any:
    body = {
        "stock_id": stock_id,
        "out_request_no": number,
        "appid": caller.made["appid"],
        "stock_creator_mchid": caller.made["mchid"],
    }
    return caller.ask("POST", f"{FAVOR}/users/{name}/coupons", body)


def given(caller: Caller, stock_id: str, payer_id: str) -> str:
    answer = send(caller, stock_id, openid(caller, payer_id), f"send-{payer_id[-6:]}")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["coupon_id"])


def confirm(caller: Caller, payer_id: str, coupon_id: str, total: int = 1_280) -> dict[str, Any]:
    """An order that is paid with a coupon that its payer names."""
    made = caller.ask("POST", f"{PAY}/native", caller.order(amount={"total": total}))
    command = ConfirmByPayer(
        payment_id=scanned_payment_id(made.json()["code_url"]),
        attempt_id=caller.shop.id("att"),
        payer_id=payer_id,
        is_pin_verified=True,
        rules=caller.shop.rules,
        coupon_id=coupon_id,
    )
    found: dict[str, Any] = caller.shop.do(command)[1]
    return found


def sweep(caller: Caller) -> None:
    services = services_of(caller.shop)
    asyncio.run(expire_coupons(services))
    asyncio.run(end_stocks(services))


def stock_balance(caller: Caller, stock_id: str) -> int:
    return caller.shop.balance(f"C:STOCK:{stock_id}:CNY")


def ours(caller: Caller) -> list[int]:
    """What we have promised, and what our own promotion has cost us."""
    return [caller.shop.balance(account) for account in ("C:OWN_DUE:CNY", "O:PROMO:CNY")]


def test_a_coupon_is_set_aside_for_given_used_told_and_refunded(either: Caller) -> None:
    shop = either.shop
    news = {"mchid": either.made["mchid"], "notify_url": "https://shop.example/coupons"}
    assert either.ask("POST", f"{FAVOR}/callbacks", news).status_code == 200
    stock_id = started(either)
    assert step(either, stock_id).status_code == 200  # safe to repeat
    assert (shop.balance(AVAILABLE), stock_balance(either, stock_id)) == (EARNED - 1_200, 1_200)
    payer_id = shop.add_payer(balance_minor=980)
    coupon_id = given(either, stock_id, payer_id)
    assert confirm(either, payer_id, coupon_id)["state"] == "captured"
    assert (shop.payer_balance(payer_id), stock_balance(either, stock_id)) == (0, 900)
    assert (shop.balance(PENDING), ours(either)) == (1_280 - 8, [0, 0])
    [promotion] = query(either)["promotion_detail"]
    assert (promotion["stock_id"], promotion["coupon_id"]) == (stock_id, coupon_id)
    assert (promotion["type"], promotion["amount"]) == ("CASH", 300)
    assert (promotion["merchant_contribute"], promotion["wechatpay_contribute"]) == (300, 0)
    told = dict(either.news())
    assert told["TRANSACTION.SUCCESS"]["promotion_detail"] == [promotion]
    used = told["COUPON.USE"]
    assert (used["coupon_id"], used["status"]) == (coupon_id, "USED")
    number = query(either)["transaction_id"]
    assert used["consume_information"]["transaction_id"] == number
    part = refund(either, "refund-1", 640).json()
    assert part["amount"]["payer_refund"] == 490
    assert part["promotion_detail"] == [
        {"promotion_id": coupon_id, "scope": "GLOBAL", "type": "COUPON", "amount": 300,
         "refund_amount": 150}
    ]  # fmt: skip
    assert refund(either, "refund-2", 640).status_code == 200
    assert shop.payer_balance(payer_id) == 980
    assert shop.balance(AVAILABLE) + shop.balance(PENDING) == EARNED - 1_200 + 300
    assert ours(either) == [0, 0]
    shop.clock.at_ms += 5 * DAY_MS
    sweep(either)
    assert (stock_balance(either, stock_id), shop.balance(AVAILABLE)) == (0, EARNED - 300)
    assert shop.balance(PENDING) == 300  # where the refund had taken it from


def test_a_chosen_coupon_pays_at_a_code_and_is_back_after_its_reversal(caller: Caller) -> None:
    shop = caller.shop
    stock_id = started(caller)
    payer_id = shop.add_payer(balance_minor=5_000)
    coupon_id = given(caller, stock_id, payer_id)
    shop.do(ChooseCoupon(payer_id=payer_id, coupon_id=coupon_id))
    paid = code_payment(caller, shop.code(payer_id))
    assert paid.json()["promotion_detail"][0]["merchant_contribute"] == 300
    assert paid.json()["amount"]["payer_total"] == 580
    assert (shop.payer_balance(payer_id), stock_balance(caller, stock_id)) == (4_420, 900)
    name = openid(caller, payer_id)
    path = f"{FAVOR}/users/{name}/coupons"
    own = f"appid={caller.made['appid']}"
    assert caller.ask("GET", f"{path}/{coupon_id}?{own}").json()["status"] == "USED"
    assert caller.ask("GET", f"{path}?{own}&status=SENDED").json()["total_count"] == 0
    assert reverse(caller).status_code == 200
    assert (shop.payer_balance(payer_id), stock_balance(caller, stock_id)) == (5_000, 1_200)
    found = caller.ask("GET", f"{path}?{own}&status=SENDED&stock_id={stock_id}").json()
    assert [one["coupon_id"] for one in found["data"]] == [coupon_id]
    assert found["data"][0]["normal_coupon_information"]["coupon_amount"] == 300
    assert ours(caller) == [0, 0]


def test_a_coupon_is_listed_as_used_once_its_channel_has_paid(either: Caller) -> None:
    shop = either.shop
    payer_id = shop.add_payer()
    shop.add_instrument(payer_id, "card", token=CARD_TOKEN)
    coupon_id = given(either, started(either), payer_id)
    path = f"{FAVOR}/users/{openid(either, payer_id)}/coupons?appid={either.made['appid']}"

    def listed(status: str) -> list[tuple[str, str]]:
        found = either.ask("GET", f"{path}&status={status}").json()
        assert found["total_count"] == len(found["data"])
        return [(one["coupon_id"], one["status"]) for one in found["data"]]

    assert (listed("SENDED"), listed("USED")) == ([(coupon_id, "SENDED")], [])
    paid = confirm(either, payer_id, coupon_id)
    assert paid["state"] == "processing"
    assert (listed("SENDED"), listed("USED")) == ([(coupon_id, "SENDED")], [])
    shop.do(ClaimSagas(saga_ids=(paid["payment_id"],)))
    date = shop.rows("SELECT planned_date FROM saga")[0]["planned_date"]
    word = Word(ask=Ask.SEND, answer=ChannelAnswer(paid["payment_id"], "succeeded", "", "", date))
    shop.do(ResolvePayment(saga_id=paid["payment_id"], word=word, rules=shop.rules))
    assert (listed("SENDED"), listed("USED")) == ([], [(coupon_id, "USED")])


def test_a_number_means_one_stock_and_one_coupon(caller: Caller) -> None:
    stock_id = started(caller)
    assert make(caller) == stock_id
    other = caller.ask("POST", f"{FAVOR}/coupon-stocks", wanted(caller, stock_name="另一个"))
    assert code_of(other) == (400, "INVALID_REQUEST")
    name = openid(caller, caller.shop.add_payer())
    first = send(caller, stock_id, name)
    assert send(caller, stock_id, name).json() == first.json()
    stranger = openid(caller, caller.shop.add_payer())
    assert code_of(send(caller, stock_id, stranger)) == (400, "INVALID_REQUEST")
    path = f"{FAVOR}/stocks/{stock_id}?stock_creator_mchid={caller.made['mchid']}"
    assert caller.ask("GET", path).json()["distributed_coupons"] == 1


def test_a_stock_gives_within_its_bounds_and_only_while_it_runs(caller: Caller) -> None:
    stock_id = make(caller)
    name, second = (openid(caller, caller.shop.add_payer()) for _ in range(2))
    assert code_of(send(caller, stock_id, name)) == (403, "RULE_LIMIT")
    assert code_of(step(caller, stock_id, "restart")) == (400, "INVALID_REQUEST")
    step(caller, stock_id)
    assert step(caller, stock_id, "pause").status_code == 200
    assert code_of(send(caller, stock_id, name)) == (403, "RULE_LIMIT")
    assert step(caller, stock_id, "restart").status_code == 200
    assert [send(caller, stock_id, name, f"n-{n}").status_code for n in range(2)] == [200, 200]
    assert code_of(send(caller, stock_id, name, "n-3")) == (403, "RULE_LIMIT")
    assert [send(caller, stock_id, second, f"m-{n}").status_code for n in range(2)] == [200, 200]
    third = openid(caller, caller.shop.add_payer())
    assert code_of(send(caller, stock_id, third)) == (403, "NOT_ENOUGH")
    own = f"stock_creator_mchid={caller.made['mchid']}"
    listed = caller.ask("GET", f"{FAVOR}/stocks?{own}&offset=0&limit=10&status=running").json()
    assert (listed["total_count"], listed["data"][0]["stock_id"]) == (1, stock_id)
    at = caller.ask("GET", f"{FAVOR}/stocks/{stock_id}/merchants?{own}").json()
    assert at["data"] == [caller.made["mchid"]]


def test_a_stock_ends_with_its_time_and_gives_the_rest_back_once(either: Caller) -> None:
    shop = either.shop
    stock_id = started(either)
    payer_id = shop.add_payer(balance_minor=5_000)
    coupon_id = given(either, stock_id, payer_id)
    shop.clock.at_ms += 5 * DAY_MS - 1_000
    shop.do(ChooseCoupon(payer_id=payer_id, coupon_id=coupon_id))
    assert code_payment(either, shop.code(payer_id)).json()["trade_state"] == "SUCCESS"
    shop.clock.at_ms += 1_000
    for _ in range(2):
        sweep(either)
    assert (stock_balance(either, stock_id), shop.balance(AVAILABLE)) == (0, EARNED - 300)
    path = f"{FAVOR}/stocks/{stock_id}?stock_creator_mchid={either.made['mchid']}"
    assert either.ask("GET", path).json()["status"] == "stoped"
    assert code_of(step(either, stock_id, "restart")) == (400, "INVALID_REQUEST")
    assert reverse(either).status_code == 200  # its coupon's time is over meanwhile
    assert stock_balance(either, stock_id) == 300
    sweep(either)
    assert (stock_balance(either, stock_id), shop.balance(AVAILABLE)) == (0, EARNED)


def test_what_we_covered_for_a_merchant_comes_back_before_it_sets_aside(caller: Caller) -> None:
    shop, stock_id = caller.shop, make(caller)
    cover(shop, EARNED - 1_199)
    assert code_of(step(caller, stock_id)) == (403, "NOT_ENOUGH")
    assert collect(shop).owed_minor == 0
    sold = shop.pay(shop.add_payer(balance_minor=1_000), 1_000)
    assert sold["state"] == "captured"
    settle(shop)
    cover(shop, 100)
    assert step(caller, stock_id).status_code == 200
    assert (shop.balance(OWED), stock_balance(caller, stock_id)) == (0, 1_200)


def test_what_is_not_kept_or_not_owned_is_refused_by_name(caller: Caller) -> None:
    path = f"{FAVOR}/coupon-stocks"
    free = caller.ask("POST", path, wanted(caller, no_cash=True))
    assert (code_of(free), free.json()["detail"]["field"]) == ((400, "PARAM_ERROR"), "/no_cash")
    rule = wanted(caller)["coupon_use_rule"] | {"goods_tag": ["x"]}
    tagged = caller.ask("POST", path, wanted(caller, coupon_use_rule=rule))
    assert tagged.json()["detail"]["field"] == "/coupon_use_rule/goods_tag"
    others = caller.ask("POST", path, wanted(caller, belong_merchant="1900000000"))
    assert code_of(others) == (400, "PARAM_ERROR")
    dear = {"max_coupons": 1_000, "max_amount": 300_000, "max_coupons_per_user": 1}
    stock_id = make(caller, stock_use_rule=dear)
    assert code_of(step(caller, stock_id)) == (403, "NOT_ENOUGH")
    assert code_of(step(caller, "1000")) == (404, "RESOURCE_NOT_EXISTS")


def test_a_time_that_could_not_be_written_again_is_none(caller: Caller) -> None:
    """Its year is 10000 in the shop's time: a list with it would have no words for it."""
    ends = wanted(
        caller,
        available_begin_time="9999-12-31T10:00:00-12:00",
        available_end_time="9999-12-31T23:00:00-12:00",
    )
    refused = caller.ask("POST", f"{FAVOR}/coupon-stocks", ends)
    assert code_of(refused) == (400, "PARAM_ERROR")
    assert refused.json()["detail"]["field"] == "/available_begin_time"
    listed = caller.ask("GET", f"{FAVOR}/stocks?stock_creator_mchid={caller.made['mchid']}")
    assert (listed.status_code, listed.json()["total_count"]) == (200, 0)


@pytest.mark.parametrize(("state", "taken"), list(product(StockState, StockStep)))
def test_the_table_of_states_is_the_whole_truth(state: StockState, taken: StockStep) -> None:
    if (state, taken) in TRANSITIONS:
        assert next_state(state, taken) is TRANSITIONS[state, taken]
    else:
        with pytest.raises(CallerError, match="stock_state"):
            next_state(state, taken)


def test_the_money_bounds_a_stock_as_the_number_does() -> None:
    stock = Stock(
        state="running", amount_minor=300, max_coupons=9, max_amount_minor=700, max_per_payer=1,
        begin_ms=10, end_ms=20, sent_count=1,
    )  # fmt: skip
    assert stock.set_aside_minor == 700
    assert refusal(stock, had_count=0, now_ms=10) is None
    assert refusal(stock, had_count=1, now_ms=10) == "stock_payer_limit"
    assert refusal(stock, had_count=0, now_ms=20) == "stock_not_running"


def test_however_many_ask_at_once_a_stock_gives_no_more_than_it_has(caller: Caller) -> None:
    shop, stock_id = caller.shop, started(caller)
    payers = [shop.add_payer() for _ in range(6)]
    sends = [
        SendCoupon(
            coupon_id=shop.id("cpn"), stock_id=stock_id, owner=caller.made["mchid"],
            payer_id=payer_id, out_request_no=f"n-{payer_id}", content_hash=b"",
        )
        for payer_id in payers
    ]  # fmt: skip
    twice = replace(sends[0], coupon_id=shop.id("cpn"))
    outcomes = shop.apply(sends[0], twice, *sends[1:])
    assert outcomes[0].value()["coupon_id"] == outcomes[1].value()["coupon_id"]
    refused = [one.error for one in outcomes if one.error is not None]
    assert [str(one).partition(":")[0] for one in refused] == ["stock_exhausted"] * 2
    assert len(shop.rows("SELECT * FROM coupon")) == 4
