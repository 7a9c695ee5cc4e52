"""A day on which a merchant's own coupon pays is closed as every other, and its bills say so."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.merchant_api.config import MerchantApiSettings
from tests.support.bills import fen, give_own_money
from tests.support.clearing import World, clearing_world
from tests.support.coupons import stocked
from tests.support.disputes import settle
from tests.support.merchant_caller import Caller, caller_of
from tests.support.migrated import migrated_sqlite
from tests.unit.merchant_api.test_bills import DAY, bill, by_code, posted, refund


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with clearing_world(migrated_sqlite(tmp_path / "shop.db")) as found:
        give_own_money(found, 100_000)
        yield found


@pytest.fixture
def caller(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Caller]:
    settings = MerchantApiSettings(refund_gap_s=0, public_url="https://api.mch.weixin.qq.com")
    with caller_of(world.shop, monkeypatch, settings=settings) as found:
        yield found


@pytest.mark.asyncio
async def test_a_day_with_a_merchant_s_coupon_is_closed_and_stands_in_its_bills(
    world: World, caller: Caller
) -> None:
    payer = await world.payer_since_yesterday()
    world.sell(payer, 1_000)
    settle(world.shop)
    stocked(world.shop, payer, 300)
    by_code(caller, payer, "code-0001", 10_000)
    refund(caller, "refund-1", "code-0001", 4_000, 10_000)
    world.next_day()
    assert (await world.day_end.run(DAY))["state"] == "closed"
    trade = bill(caller, f"tradebill?bill_date={DAY}&bill_type=ALL")
    rows = {(row["商户订单号"], row["交易状态"]): row for row in trade.rows}
    paid, returned = rows["code-0001", "SUCCESS"], rows["code-0001", "REFUND"]
    assert (paid["应结订单金额"], paid["代金券金额"]) == ("100.00", "3.00")
    assert (returned["退款金额"], returned["充值券退款金额"]) == ("40.00", "1.20")
    flow = bill(caller, f"fundflowbill?bill_date={DAY}&account_type=BASIC")
    signs = {"收入": 1, "支出": -1}
    moved = [(row["业务类型"], signs[row["收支类型"]], row["收支金额(元)"]) for row in flow.rows]
    assert ("代金券充值", -1, "3.00") in moved
    assert ("代金券退款", 1, "1.20") in moved
    total = sum(sign * fen(yuan) for _, sign, yuan in moved)
    assert total == posted(world, DAY)
    assert world.shop.verify().is_whole
