"""Days of a shop, closed, and what their bills say of them."""

from collections.abc import Iterator
from datetime import date

import pytest

from backend.bills.trade import BillType
from backend.channels.model import NUCC
from protocol.errors import CallerError
from tests.support.bills import (
    FLOW,
    FLOW_SUMMARY,
    content,
    desk_of,
    fen,
    fund_flow,
    give_own_money,
    trade_bill,
)
from tests.support.channel_world import CARD_TOKEN
from tests.support.clearing import World, clearing_world
from tests.support.coupons import choose
from tests.support.shop import MERCHANT

DAY, NEXT_DAY = date(2026, 11, 24), date(2026, 11, 25)


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    with clearing_world(migrated_url) as found:
        found.near.open("CARD-1", 100_000)
        found.channels[NUCC].book.bind(CARD_TOKEN, "CARD-1")
        give_own_money(found, 100_000)
        yield found


async def closed(world: World) -> dict[str, object]:
    day = world.today
    world.next_day()
    report = await world.day_end.run(day)
    assert report["state"] == "closed", report
    return report


@pytest.mark.asyncio
async def test_there_is_no_bill_of_a_day_that_is_not_closed(world: World) -> None:
    desk = desk_of(world)
    for asked in (
        desk.trade_bill(MERCHANT, world.today, BillType.ALL),
        desk.fund_flow(MERCHANT, world.today),
        desk.settlement(MERCHANT, world.today),
    ):
        with pytest.raises(CallerError) as refused:
            await asked
        assert refused.value.code == "bill_not_ready"
    with pytest.raises(CallerError) as unknown:
        await desk.trade_bill("mch_none", world.today, BillType.ALL)
    assert unknown.value.code == "merchant_unknown"


@pytest.mark.asyncio
async def test_a_day_without_a_sale_has_empty_bills(world: World) -> None:
    await world.payer()
    day = world.today
    await closed(world)
    assert (await trade_bill(world, day)).rows == []
    found = await fund_flow(world, day)
    assert (found.header, found.rows, found.summary_header) == (FLOW, [], FLOW_SUMMARY)
    assert list(found.summary.values()) == ["0", "0", "0.00", "0", "0.00"]


@pytest.mark.asyncio
async def test_payments_refunds_coupons_and_reversals_stand_in_the_bills_of_their_types(
    world: World,
) -> None:
    shop = world.shop
    payer = await world.payer_since_yesterday()
    choose(shop, payer, 2_500)
    paid = world.sell(payer, 10_000)
    undone = world.sell(payer, 700)
    shop.ask("payment.reverse", {"payment_id": undone})
    assert shop.refund(paid, 4_000)["state"] == "succeeded"
    assert shop.refund(paid, 90_000)["state"] == "failed"
    await closed(world)

    found = await trade_bill(world, DAY)
    seen = [(row["交易状态"], row["应结订单金额"], row["代金券金额"], row["退款金额"],
             row["充值券退款金额"], row["手续费"]) for row in found.rows]  # fmt: skip
    assert sorted(seen) == [
        ("REFUND", "0.00", "0.00", "40.00", "10.00", "-0.24000"),
        ("REVOKED", "0.00", "0.00", "7.00", "0.00", "-0.04000"),
        ("SUCCESS", "100.00", "25.00", "0.00", "0.00", "0.60000"),
        ("SUCCESS", "7.00", "0.00", "0.00", "0.00", "0.04000"),
    ]
    assert list(found.summary.values()) == [
        "4", "107.00", "47.00", "10.00", "0.36000", "107.00", "47.00",
    ]  # fmt: skip
    paid_rows = (await trade_bill(world, DAY, BillType.SUCCESS)).rows
    assert [row["商户订单号"] for row in paid_rows] == sorted([paid, undone])
    returns = (await trade_bill(world, DAY, BillType.REFUND)).rows
    assert {row["退款状态"] for row in returns} == {"SUCCESS"}
    assert all(row["退款成功时间"] for row in returns)


async def card_payments(world: World, *amounts: int) -> list[str]:
    """Payments by card that the channel has taken."""
    payer = await world.payer_since_yesterday()
    world.shop.add_instrument(payer, "card", token=CARD_TOKEN)
    paid = [str(world.shop.pay(payer, amount)["payment_id"]) for amount in amounts]
    await world.runner.settle(date.max)
    return paid


@pytest.mark.asyncio
async def test_a_refund_stands_on_the_day_it_was_begun_and_never_changes_afterwards(
    world: World,
) -> None:
    shop, desk = world.shop, desk_of(world)
    first, second = await card_payments(world, 10_000, 20_000)
    begun = [shop.refund(paid, 4_000)["refund_id"] for paid in (first, second)]
    world.channels[NUCC].refuses = 1
    await closed(world)  # the channel's words come after midnight: one no, one yes
    states = {
        row["refund_id"]: row["state"] for row in shop.rows("SELECT refund_id, state FROM refund")
    }
    assert sorted(states[one] for one in begun) == ["failed", "succeeded"]

    found = await trade_bill(world, DAY, BillType.REFUND)
    seen = [(row["退款状态"], row["退款成功时间"], row["退款金额"], row["手续费"])
            for row in found.rows]  # fmt: skip
    assert seen == [("PROCESSING", "", "40.00", "-0.24000")] * 2
    assert [row["商户退款单号"] for row in found.rows] == begun
    before = content(await desk.trade_bill(MERCHANT, DAY, BillType.ALL))
    flow = content(await desk.fund_flow(MERCHANT, DAY))

    assert shop.refund(first, 1_000)["state"] == "processing"
    await world.runner.settle(date.max)
    await closed(world)
    assert content(await desk.trade_bill(MERCHANT, DAY, BillType.ALL)) == before
    assert content(await desk.fund_flow(MERCHANT, DAY)) == flow
    (later,) = (await trade_bill(world, NEXT_DAY)).rows
    assert (later["微信订单号"], later["退款状态"], later["退款金额"]) == (
        first,
        "SUCCESS",
        "10.00",
    )
    kinds = [row["业务类型"] for row in (await fund_flow(world, NEXT_DAY)).rows]
    assert kinds.count("退款失败退回") == 1


@pytest.mark.asyncio
async def test_a_refund_that_the_channel_refuses_on_the_same_day_is_none(world: World) -> None:
    (paid,) = await card_payments(world, 10_000)
    assert world.shop.refund(paid, 4_000)["state"] == "processing"
    world.channels[NUCC].refuses = 1
    await world.runner.settle(date.max)
    await closed(world)
    assert [row["交易状态"] for row in (await trade_bill(world, DAY)).rows] == ["SUCCESS"]


@pytest.mark.asyncio
async def test_the_fund_flow_bill_tells_each_movement_and_the_balance_after_it(
    world: World,
) -> None:
    shop = world.shop
    payer = await world.payer_since_yesterday()
    choose(shop, payer, 2_500)
    paid = world.sell(payer, 10_000)
    refund = shop.refund(paid, 4_000)["refund_id"]
    await closed(world)
    rows = (await fund_flow(world, DAY)).rows
    assert [(row["微信支付业务单号"], row["业务名称"], row["业务类型"], row["收支类型"],
             row["收支金额(元)"], row["账户结余(元)"], row["备注"]) for row in rows] == [
        (paid, "交易", "交易", "收入", "75.00", "75.00", ""),
        (paid, "交易", "交易", "收入", "25.00", "100.00", "代金券"),
        (paid, "交易", "扣除交易手续费", "支出", "0.60", "99.40", ""),
        (refund, "退款", "退款", "支出", "30.00", "69.40", ""),
        (refund, "退款", "退款", "支出", "10.00", "59.40", "代金券"),
        (refund, "退款", "退还交易手续费", "收入", "0.24", "59.64", ""),
    ]  # fmt: skip
    await closed(world)
    (payout,) = (await fund_flow(world, NEXT_DAY)).rows
    assert (payout["业务类型"], payout["收支金额(元)"], payout["账户结余(元)"]) == (
        "提现", "59.64", "0.00",
    )  # fmt: skip


@pytest.mark.asyncio
async def test_the_settlement_statement_tells_what_came_and_what_waits_and_until_when(
    world: World,
) -> None:
    payer = await world.payer_since_yesterday()
    paid = world.sell(payer, 10_000)
    world.shop.refund(paid, 1_000)
    await closed(world)
    world.sell(payer, 5_000)
    found = await desk_of(world).settlement(MERCHANT, DAY)
    assert (found.sales.paid_minor, found.sales.returned_minor) == (10_000, 1_000)
    assert (found.sales.fee_minor, found.sales.fee_returned_minor) == (60, 6)
    assert found.sales.net_minor == 8_946
    assert [part.amount_minor for part in found.settled] == [8_946]
    (payout,) = found.payouts
    assert (payout.amount_minor, payout.state, payout.account) == (8_946, "confirmed", "****1234")
    assert [(one["business_date"], one["earned_minor"], one["settles_on"])
            for one in found.standing["waiting"]] == [
        ("2026-11-25", 4_970, "2026-11-26"),
    ]  # fmt: skip

    world.near.give_back(payout.payout_id)
    await closed(world)
    (back,) = (await desk_of(world).settlement(MERCHANT, NEXT_DAY)).came_back
    assert (back.payout_id, back.amount_minor, back.why) == (payout.payout_id, 8_946, "returned")


@pytest.mark.asyncio
async def test_a_long_day_is_written_in_parts_and_each_line_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.bills.repository.STREAM_ROWS_PER_FETCH", 3)
    monkeypatch.setattr("backend.bills.repository.STATEMENT_ENTRIES_MAX", 4)
    monkeypatch.setattr("backend.bills.service.BILL_BYTES_IN_MEMORY_MAX", 100)
    payer = await world.payer_since_yesterday()
    paid = [world.sell(payer, 1_000 + number) for number in range(10)]
    for one in paid[:5]:
        world.shop.refund(one, 500)
    await closed(world)
    rows = (await trade_bill(world, DAY)).rows
    assert sorted(row["微信订单号"] for row in rows) == sorted([*paid, *paid[:5]])
    flows = (await fund_flow(world, DAY)).rows
    assert len({row["资金流水单号"] for row in flows}) == len(flows) == 30
    assert fen(flows[-1]["账户结余(元)"]) == sum(1_000 + number - 6 for number in range(10)) - (
        5 * (500 - 3)
    )
