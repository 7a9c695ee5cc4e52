"""A merchant's program looks at its money and takes it out, on both databases: the balances are the
ledger's, a withdrawal is a payout that the next run hands to the bank."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest

from backend.clearing.payouts import PayOut
from backend.db.command import Outcome
from backend.destinations.model import DestinationKind
from backend.destinations.service import WithdrawDestination
from backend.ledger import rules
from backend.merchant_api.funds.service import WithdrawFunds
from tests.support.books import Post
from tests.support.clearing import World, clearing_world
from tests.support.merchant_caller import Caller, caller_of
from tests.support.shop import MERCHANT, Shop

DAY = date(2026, 11, 24)
FUND = "/v3/merchant/fund"
BANK = "6222000000001234"


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    with clearing_world(migrated_url) as found:
        yield found


@pytest.fixture
def caller(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Caller]:
    with caller_of(world.shop, monkeypatch) as found:
        yield found


def get(caller: Caller, path: str) -> dict[str, Any]:
    answer = caller.ask("GET", f"{FUND}/{path}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def withdraw(caller: Caller, number: str, amount: int, **more: Any) -> tuple[int, dict[str, Any]]:
    body = {"out_request_no": number, "amount": amount, "account_type": "BASIC"} | more
    answer = caller.ask("POST", f"{FUND}/withdraw", body)
    return answer.status_code, answer.json()


async def closed(world: World) -> None:
    day = world.today
    world.next_day()
    report = await world.day_end.run(day)
    assert report["state"] == "closed", report


async def money_that_came_back(world: World) -> None:
    """A day's sales were paid out and sent back by the bank: available, and not tried again."""
    payer = await world.payer_since_yesterday()
    world.sell(payer, 10_000)
    await closed(world)
    (payout,) = world.shop.rows("SELECT payout_id FROM payout")
    world.near.give_back(payout["payout_id"])
    world.sell(payer, 500)
    await closed(world)
    world.sell(payer, 700)


@pytest.mark.asyncio
async def test_balances_are_the_ledger_s_and_a_withdrawal_is_a_payout(
    world: World, caller: Caller
) -> None:
    await money_that_came_back(world)
    now = get(caller, "balance/BASIC")
    assert now == {"available_amount": 9_940, "pending_amount": 696}
    assert now["available_amount"] == world.shop.balance(f"C:MAVAIL:{MERCHANT}:CNY")
    assert get(caller, "balance/OPERATION") == {"available_amount": 0, "pending_amount": 0}
    ended = get(caller, f"dayendbalance/BASIC?date={DAY}")
    assert ended == {"available_amount": 0, "pending_amount": 9_940}

    asked = withdraw(caller, "W1", 9_000, remark="十一月", bank_memo="NOV")
    assert asked[0] == 200, asked
    assert withdraw(caller, "W1", 9_000, remark="十一月", bank_memo="NOV") == asked
    assert withdraw(caller, "W1", 8_999)[1]["code"] == "INVALID_REQUEST"
    status, refusal = withdraw(caller, "W2", 941)
    assert (status, refusal["code"]) == (403, "NOT_ENOUGH")
    assert withdraw(caller, "W3", 1, account_type="FEES")[1]["code"] == "NOT_ENOUGH"
    assert get(caller, "balance/BASIC")["available_amount"] == 940
    stands = get(caller, "withdraw/out-request-no/W1")
    assert (stands["status"], stands["account_number"]) == ("CREATE_SUCCESS", "1234")
    assert get(caller, f"withdraw/withdraw-id/{asked[1]['withdraw_id']}") == stands

    before = world.at_bank(BANK)
    await closed(world)
    assert get(caller, "withdraw/out-request-no/W1")["status"] == "SUCCESS"
    payouts = {row["payout_id"]: row["amount_minor"]
               for row in world.shop.rows("SELECT * FROM payout")}  # fmt: skip
    assert payouts[asked[1]["withdraw_id"]] == 9_000
    assert world.at_bank(BANK) - before >= 9_000
    # What was withdrawn of the money that came back is not held back a second time.
    assert get(caller, "balance/BASIC") == {"available_amount": 940, "pending_amount": 0}
    assert world.shop.verify().is_whole


@pytest.mark.asyncio
async def test_what_cannot_be_is_refused_and_leaves_nothing_behind(
    world: World, caller: Caller
) -> None:
    await money_that_came_back(world)
    for path, status, code in (
        ("withdraw/out-request-no/none", 404, "RESOURCE_NOT_EXISTS"),
        ("withdraw/withdraw-id/none", 404, "RESOURCE_NOT_EXISTS"),
        ("balance/SECRET", 400, "PARAM_ERROR"),
        (f"dayendbalance/BASIC?date={world.today}", 400, "PARAM_ERROR"),
        ("dayendbalance/BASIC?date=2026-13-01", 400, "PARAM_ERROR"),
    ):
        answer = caller.ask("GET", f"{FUND}/{path}")
        assert (answer.status_code, answer.json()["code"]) == (status, code), path
    assert withdraw(caller, "bad number", 1)[1]["code"] == "PARAM_ERROR"
    assert withdraw(caller, "W1", 0)[1]["code"] == "PARAM_ERROR"
    world.shop.do(
        WithdrawDestination(kind=DestinationKind.MERCHANT, holder_id=MERCHANT, actor="operator")
    )
    assert withdraw(caller, "W1", 100)[1]["code"] == "NO_AUTH"
    assert world.shop.rows("SELECT * FROM merchant_api_withdrawal") == []


@pytest.mark.asyncio
async def test_several_processes_pay_out_once_and_never_more_than_there_is(
    world: World, caller: Caller
) -> None:
    await money_that_came_back(world)
    shops = [world.shop, *(Shop(world.shop.url, first_id=number) for number in (5_000, 9_000))]

    def asking(one: Shop, number: str) -> WithdrawFunds:
        payout = PayOut(
            payout_id=one.id("pyo"), merchant_id=MERCHANT, amount_minor=6_000, currency="CNY",
            run_day=f"{world.today}", execution_date=f"{world.today}",
        )  # fmt: skip
        return WithdrawFunds(
            payout=payout, mchid="1600000001", out_request_no=number, remark="", bank_memo="",
            content_hash=b"same",
        )  # fmt: skip

    def often(one: Shop) -> list[Outcome]:
        numbers = ("W1", "W2", "W1", "W2")
        return [outcome for number in numbers for outcome in one.apply(asking(one, number))]

    with ThreadPoolExecutor(len(shops)) as pool:
        outcomes = [outcome for found in pool.map(often, shops) for outcome in found]
    for one in shops[1:]:
        one.close()
    paid = {one.result["payout_id"] for one in outcomes if one.error is None}
    assert len(paid) == 1  # 6,000 twice is more than there is
    assert world.shop.balance(f"C:MAVAIL:{MERCHANT}:CNY") == 3_940
    assert world.shop.verify().is_whole


@pytest.mark.asyncio
async def test_what_we_covered_for_a_merchant_comes_back_before_it_withdraws(
    world: World, caller: Caller
) -> None:
    await money_that_came_back(world)
    event = rules.Event("dsp_1", "CNY", f"{world.today}")
    opened = rules.dispute_opened(
        event, merchant_id=MERCHANT, case_id="dsp_1", amount_minor=500, cover_minor=500
    )
    world.shop.do(Post(opened))
    assert withdraw(caller, "W1", 9_441)[1]["code"] == "NOT_ENOUGH"
    assert withdraw(caller, "W1", 9_440)[0] == 200
    assert world.shop.balance(f"O:MERCH_RECV:{MERCHANT}:CNY") == 0
    assert world.shop.balance(f"C:MAVAIL:{MERCHANT}:CNY") == 0
    assert world.shop.verify().is_whole
