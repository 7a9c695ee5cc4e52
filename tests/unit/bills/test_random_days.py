"""Random days (payments from balances, cards and funds, with coupons; refunds that succeed, that
are refused, that are still under way at midnight; payments undone): what the bills add up to is
what the ledger posted, asked of the ledger by its transfers alone."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from backend.bills.trade import BillType
from backend.channels.model import ADVANCING_BANK, NUCC
from tests.support.bills import (
    ReadBill,
    desk_of,
    fee_fen,
    fen,
    fund_flow,
    give_own_money,
    trade_bill,
)
from tests.support.channel_world import CARD_TOKEN, FUND_TOKEN
from tests.support.clearing import DAY_MS, SHOP_OFFSET_MS, World, clearing_world
from tests.support.coupons import choose
from tests.support.migrated import migrated_sqlite
from tests.support.shop import MERCHANT

SEEDS, DAYS, STEPS_PER_DAY = 4, 3, 24
CARD = 1
"""Which of the payers has a card."""
OURS = (f"C:MPEND:{MERCHANT}:CNY", f"C:MAVAIL:{MERCHANT}:CNY")
TRADED = {
    "balance_paid", "card_paid", "fund_paid", "balance_refunded", "channel_refund_started",
    "reversed",
}  # fmt: skip


class RandomShop:
    """Does something that may happen in a shop, many times."""

    def __init__(self, world: World, seed: int, payers: list[str]) -> None:
        self._world = world
        self._random = random.Random(seed)
        self._payers = payers
        self._paid: list[str] = []

    async def day(self) -> None:
        self._today: list[str] = []
        for _ in range(STEPS_PER_DAY):
            self._world.shop.clock.at_ms += self._random.randrange(1_000, 900_000)
            acts = (self._pay, self._pay, self._pay, self._refund, self._refund, self._undo)
            self._random.choice(acts)()
            if self._random.random() < 0.7:
                await self._hear()
        await self._leave_a_refund_under_way()
        self._world.channels[NUCC].refuses = self._random.randrange(2)

    async def _leave_a_refund_under_way(self) -> None:
        """Of a payment by card; its channel answers after midnight, with yes or no."""
        paid = self._world.shop.pay(self._payers[CARD], 9_000)["payment_id"]
        await self._world.runner.settle(date.max)
        assert self._world.shop.refund(paid, 4_321)["state"] == "processing"

    async def _hear(self) -> None:
        """The channels speak; now and then one refuses."""
        self._world.channels[NUCC].refuses = self._random.random() < 0.2
        await self._world.runner.settle(date.max)
        self._world.channels[NUCC].refuses = 0

    def _pay(self) -> None:
        payer = self._random.choice(self._payers)
        amount = self._random.randrange(1, 5_000)
        if self._random.random() < 0.4:
            choose(self._world.shop, payer, self._random.randrange(1, 700))
        paid = self._world.shop.pay(payer, amount)
        self._today.append(str(paid["payment_id"]))
        self._paid.append(str(paid["payment_id"]))

    def _refund(self) -> None:
        if self._paid:
            paid = self._random.choice(self._paid[-8:])
            self._world.shop.refund(paid, self._random.randrange(1, 3_000))

    def _undo(self) -> None:
        if self._today:
            paid = self._today.pop(self._random.randrange(len(self._today)))
            self._world.shop.ask("payment.reverse", {"payment_id": paid})


@contextmanager
def open_world(path: Path) -> Iterator[World]:
    with clearing_world(migrated_sqlite(path)) as world:
        for channel, token, account in (
            (NUCC, CARD_TOKEN, "CARD-1"),
            (ADVANCING_BANK, FUND_TOKEN, "FUND-1"),
        ):
            world.near.open(account, 10_000_000)
            world.channels[channel].book.bind(token, account)
        give_own_money(world, 1_000_000)
        yield world


async def three_payers(world: World) -> list[str]:
    payers = [await world.payer_since_yesterday()]
    for kind, token in (("card", CARD_TOKEN), ("fund", FUND_TOKEN)):
        payers.append(world.shop.add_payer())
        world.shop.add_instrument(payers[-1], kind, token=token)
    return payers


def transfers(world: World) -> list[dict[str, Any]]:
    return world.shop.rows(
        "SELECT * FROM ledger_transfer WHERE kind IN ('posted', 'post') ORDER BY at_ms"
    )


def effect(row: dict[str, Any], *accounts: str) -> int:
    credited = row["amount_minor"] if row["credit"] in accounts else 0
    return credited - (row["amount_minor"] if row["debit"] in accounts else 0)


def traded(rows: list[dict[str, Any]], day: date) -> list[dict[str, Any]]:
    """The day's transfers of payments and returns. A refusal that came on a later day than its
    refund is not of the trade bill."""
    begun = {row["id"].partition(":")[0]: row["business_date"] for row in rows}
    return [
        row
        for row in rows
        if row["business_date"] == f"{day}"
        and row["rule"] in TRADED
        and (".refused" not in row["id"] or begun[row["id"].partition(".")[0]] == f"{day}")
    ]


@pytest.mark.asyncio
@pytest.mark.parametrize("seed", range(SEEDS))
async def test_what_the_bills_of_random_days_add_up_to_is_what_the_ledger_posted(
    tmp_path: Path, seed: int
) -> None:
    with open_world(tmp_path / "backend.db") as world:
        shop = RandomShop(world, seed, await three_payers(world))
        days = []
        for _ in range(DAYS):
            days.append(world.today)
            await shop.day()
            world.go_to(date.fromordinal(days[-1].toordinal() + 1))
            report = await world.day_end.run(days[-1])
            assert report["state"] == "closed", report
        rows = transfers(world)
        lines = 0
        for day in days:
            bill = check_trade(await trade_bill(world, day), traded(rows, day))
            assert [row["退款金额"] for row in bill.rows].count("43.21") == 1
            assert "PROCESSING" in {row["退款状态"] for row in bill.rows}
            lines += len(bill.rows)
            await check_types(world, day)
            check_flow(await fund_flow(world, day), rows, day)
        assert lines > DAYS * STEPS_PER_DAY / 3
        await check_list(world, rows, days)


def check_trade(bill: ReadBill, posted: list[dict[str, Any]]) -> ReadBill:
    """The summary is the lines' sum, and the ledger's."""
    summary = bill.summary
    columns = {
        "应结订单金额": "应结订单总金额", "退款金额": "退款总金额",
        "充值券退款金额": "充值券退款总金额", "订单金额": "订单总金额",
        "申请退款金额": "申请退款总金额",
    }  # fmt: skip
    for column, total in columns.items():
        assert fen(summary[total]) == sum(fen(row[column]) for row in bill.rows)
    fees = sum(fee_fen(row["手续费"]) for row in bill.rows)
    assert fee_fen(summary["手续费总金额"]) == fees
    assert int(summary["总交易单数"]) == len(bill.rows)
    net = fen(summary["应结订单总金额"]) - fen(summary["退款总金额"]) - fees
    assert net == sum(effect(row, *OURS) for row in posted)
    assert fees == sum(effect(row, "O:MDR:CNY") for row in posted)
    coupons = sum(fen(row["代金券金额"]) - fen(row["充值券退款金额"]) for row in bill.rows)
    assert coupons == -sum(effect(row, "O:PROMO:CNY") for row in posted)
    return bill


async def check_types(world: World, day: date) -> None:
    """SUCCESS and REFUND share ALL's lines between them."""
    ids = {
        bill_type: sorted(
            (row["微信订单号"], row.get("微信退款单号", "0"))
            for row in (await trade_bill(world, day, bill_type)).rows
        )
        for bill_type in BillType
    }
    assert sorted(ids[BillType.SUCCESS] + ids[BillType.REFUND]) == ids[BillType.ALL]


async def check_list(world: World, rows: list[dict[str, Any]], days: list[date]) -> None:
    """Every day of the list adds up to its bill, and nets what the ledger posted on it."""
    listed = await desk_of(world).days(MERCHANT, days[0], days[-1])
    assert [one.business_date for one in listed] == [f"{day}" for day in reversed(days)]
    for one in listed:
        day = date.fromisoformat(one.business_date)
        assert one.sales == (await desk_of(world).settlement(MERCHANT, day)).sales
        assert one.sales.net_minor == sum(effect(row, *OURS) for row in traded(rows, day))
    settled = [row for row in rows if row["rule"] == "merchant_settled"]
    assert sum(one.settled_minor for one in listed) == sum(
        effect(row, f"C:MAVAIL:{MERCHANT}:CNY") for row in settled
    )


def check_flow(bill: ReadBill, rows: list[dict[str, Any]], day: date) -> None:
    """Each balance follows from the one before, and the ends are the ledger's."""
    end_ms = (day.toordinal() - date(1970, 1, 1).toordinal() + 1) * DAY_MS - SHOP_OFFSET_MS
    balance = sum(effect(row, *OURS) for row in rows if row["at_ms"] < end_ms - DAY_MS)
    sums = {"收入": 0, "支出": 0}
    for row in bill.rows:
        amount = fen(row["收支金额(元)"])
        assert amount > 0
        sums[row["收支类型"]] += amount
        balance += amount if row["收支类型"] == "收入" else -amount
        assert fen(row["账户结余(元)"]) == balance
        assert row["业务名称"] != "其他"
    assert balance == sum(effect(row, *OURS) for row in rows if row["at_ms"] < end_ms)
    assert (fen(bill.summary["收入金额"]), fen(bill.summary["支出金额"])) == (
        sums["收入"], sums["支出"],
    )  # fmt: skip
    assert int(bill.summary["资金流水总笔数"]) == len(bill.rows)
