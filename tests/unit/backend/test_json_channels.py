"""The fund's two channels and the e-CNY operator over real HTTP, each fault struck once."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import aiohttp
import pytest
from fastapi import FastAPI

from backend.channels.day_file import DayRow
from backend.channels.ecny import EcnyChannel
from backend.channels.facts import DEFAULT_FACTS
from backend.channels.http_channel import HttpChannel
from backend.channels.institution import Institution
from backend.channels.model import ADVANCING_BANK, ECNY, FUND, PayOrder, RefundOrder
from backend.sandbox.ecny.app import build_app as ecny_app
from backend.sandbox.ecny.limits import default_limits
from backend.sandbox.ecny.operator import Accounts as EcnyAccounts
from backend.sandbox.ecny.operator import EcnyOperator
from backend.sandbox.fund.app import build_app as fund_app
from backend.sandbox.fund.company import Accounts as FundAccounts
from backend.sandbox.fund.company import FundCompany
from backend.sandbox.institution.house import House
from backend.sandbox.json_channel import REFUSALS
from protocol.errors import CallerError, OperatingError
from protocol.money import Money
from tests.support.houses import HandClock, NearReserve, line_to, near_house

pytestmark = pytest.mark.asyncio
DAY = date(2026, 9, 30)
ORDER = PayOrder("pay_1", "tok_1", Money(10_000, "CNY"))
REFUND = RefundOrder("rfd_1", "pay_1", Money(4_000, "CNY"))


@dataclass
class Rig:
    """An institution that listens, its app, and our adapter to it."""

    house: House
    clock: HandClock
    app: FastAPI
    balance: Callable[[], int]
    adapter: Callable[[Institution], HttpChannel]


def fund_rig(prefix: str, channel_id: str = ADVANCING_BANK) -> Rig:
    clock = HandClock()
    clock.at(DAY)
    house = near_house("fund", clock, *REFUSALS)
    accounts = FundAccounts("A", "RESERVE-TILLWAY", "C", "OWN-TILLWAY")
    fund = FundCompany(house, accounts=accounts, agent=NearReserve())
    fund.till.open_investor("I1", "李雷", Money(50_000, "CNY"), day=DAY)
    for book in (fund.advanced, fund.unadvanced):
        book.bind("tok_1", "I1")
    return Rig(
        house, clock, fund_app(fund), lambda: house.books.balance("I1").amount_minor,
        lambda line: HttpChannel(line, prefix=prefix, facts=DEFAULT_FACTS[channel_id]),
    )  # fmt: skip


def wallet_channel(line: Institution) -> EcnyChannel:
    return EcnyChannel(line, facts=DEFAULT_FACTS[ECNY])


def ecny_rig(_: str) -> Rig:
    clock = HandClock()
    clock.at(DAY)
    house = near_house("ecny", clock, *REFUSALS)
    accounts = EcnyAccounts("S", "RESERVE-TILLWAY")
    operator = EcnyOperator(house, limits=default_limits(), accounts=accounts, agent=NearReserve())
    operator.till.open_wallet("W1", "李雷", 3, Money(50_000, "CNY"), day=DAY)
    operator.book.bind("tok_1", "W1")
    return Rig(
        house, clock, ecny_app(operator), lambda: house.books.balance("W1").amount_minor,
        wallet_channel,
    )  # fmt: skip


RIGS = {
    "fund": lambda: fund_rig("/fund"),
    "advance": lambda: fund_rig("/advance", FUND),
    "ecny": lambda: ecny_rig(""),
}


@pytest.fixture(params=RIGS)
def rig(request: pytest.FixtureRequest) -> Any:
    made = RIGS[request.param]()
    yield made
    made.house.books.close()


@asynccontextmanager
async def channel_of(rig: Rig) -> AsyncIterator[HttpChannel]:
    async with line_to(rig.app) as line:
        yield rig.adapter(line)


async def rows_of(channel: HttpChannel) -> list[DayRow]:
    with await channel.day_file(DAY) as file:
        return list(file.rows())


async def test_a_day_of_orders_refunds_and_the_file(rig: Rig) -> None:
    async with channel_of(rig) as channel:
        paid = await channel.pay(ORDER)
        assert (paid.state, paid.settlement_date) == ("succeeded", "2026-09-30")
        assert await channel.pay(ORDER) == paid == await channel.query(ORDER)
        assert await channel.query(PayOrder("pay_0", "tok_1", ORDER.amount)) is None
        given = await channel.refund(REFUND)
        assert given.state == "succeeded"
        assert await channel.query_refund(REFUND) == given
        assert rig.balance() == 44_000
        rig.clock.at(DAY + timedelta(days=1))
        await channel.settle(DAY)
        await channel.settle(DAY)
        rows = await rows_of(channel)
        assert [(row.kind, row.reference, row.amount.amount_minor) for row in rows] == [
            ("payment", "pay_1", 10_000), ("refund", "rfd_1", 4_000),
        ]  # fmt: skip


async def test_a_reversal_that_comes_first_leaves_a_tombstone(rig: Rig) -> None:
    async with channel_of(rig) as channel:
        assert (await channel.reverse(ORDER)).state == "reversed"
        assert (await channel.pay(ORDER)).state == "reversed"
        assert rig.balance() == 50_000


@pytest.mark.parametrize(
    ("fault", "left"),
    [
        ("drop_answer_after_commit", 40_000), ("bad_signature", 40_000), ("unknown_status", 40_000),
        ("be_down", 50_000), ("arrive_late", 50_000),
    ],
)  # fmt: skip
async def test_a_fault_leaves_the_outcome_unknown_and_a_query_tells(
    rig: Rig, fault: str, left: int
) -> None:
    async with channel_of(rig) as channel:
        rig.house.faults.arm({fault: 1})
        with pytest.raises(OperatingError):
            await channel.pay(ORDER)
        assert rig.balance() == left
        found = await channel.query(ORDER)
        assert (found is not None) == (left == 40_000)
        assert (await channel.pay(ORDER)).state == "succeeded"
        assert rig.balance() == 40_000


async def test_what_came_twice_or_slowly_is_done_once(rig: Rig) -> None:
    async with channel_of(rig) as channel:
        rig.house.faults.arm({"duplicate": 1, "be_slow": 1})
        assert (await channel.pay(ORDER)).state == "succeeded"
        assert rig.balance() == 40_000


async def test_what_came_late_is_refused_after_its_reversal(rig: Rig) -> None:
    async with line_to(rig.app) as line, aiohttp.ClientSession() as session:
        channel = rig.adapter(line)
        rig.house.faults.arm({"arrive_late": 1})
        with pytest.raises(OperatingError):
            await channel.pay(ORDER)
        assert (await channel.reverse(ORDER)).state == "reversed"
        url = f"{line._url()}/control/late"
        async with session.post(url) as answer:
            assert await answer.json() == {"delivered": 1}
        assert rig.balance() == 50_000


async def test_an_order_delayed_past_the_cut_off_is_of_the_next_day(rig: Rig) -> None:
    async with channel_of(rig) as channel:
        rig.house.faults.arm({"delay_past_cutoff": 1})
        assert (await channel.pay(ORDER)).settlement_date == "2026-10-01"


async def test_what_the_institution_refuses_moves_nothing(rig: Rig) -> None:
    async with channel_of(rig) as channel:
        rig.house.faults.arm({"refuse_order": 1, "refuse_refund": 1})
        assert (await channel.pay(ORDER)).state == "refused"
        assert (await channel.pay(PayOrder("pay_2", "tok_1", ORDER.amount))).state == "succeeded"
        asked = RefundOrder("rfd_1", "pay_2", Money(1, "CNY"))
        assert (await channel.refund(asked)).state == "refused"
        assert rig.balance() == 40_000


@pytest.mark.parametrize(
    ("fault", "amounts"),
    [
        ("amount_off_by_one", [10_001, 4_000]), ("row_missing", [10_000]),
        ("row_twice", [10_000, 4_000, 10_000]),
    ],
)  # fmt: skip
async def test_the_day_s_file_is_spoilt_as_told(rig: Rig, fault: str, amounts: list[int]) -> None:
    async with channel_of(rig) as channel:
        await channel.pay(ORDER)
        await channel.refund(REFUND)
        rig.clock.at(DAY + timedelta(days=1))
        rig.house.faults.arm({fault: 1})
        assert [row.amount.amount_minor for row in await rows_of(channel)] == amounts
        assert len(await rows_of(channel)) == 2


async def test_a_day_that_is_not_over_is_not_settled(rig: Rig) -> None:
    async with channel_of(rig) as channel:
        with pytest.raises(OperatingError, match="day_not_closed"):
            await channel.settle(DAY)


async def test_our_wallet_s_statement_adds_up() -> None:
    rig = ecny_rig("")
    async with line_to(rig.app) as line:
        channel = wallet_channel(line)
        await channel.pay(ORDER)
        await channel.refund(REFUND)
        found = await channel.wallet_statement(DAY)
        assert (found.paid_minor, found.refunded_minor, found.closing_minor) == (
            10_000, 4_000, 6_000,
        )  # fmt: skip
        rig.clock.at(DAY + timedelta(days=1))
        after = await channel.wallet_statement(DAY + timedelta(days=1))
        assert (after.opening_minor, after.exchanged_minor, after.closing_minor) == (
            6_000,
            6_000,
            0,
        )
    rig.house.books.close()


_SUMS = b'"paid_minor": 0, "refunded_minor": 0, "exchanged_minor": 0, "closing_minor": 0}'


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[1]",
        b"\xff",
        b'{"day": "2026-09-30", "opening_minor": 1, ' + _SUMS,
        b'{"day": "2026-09-31", "opening_minor": 0, ' + _SUMS,
    ],
)
async def test_a_statement_that_is_none_is_refused(content: bytes) -> None:
    class Says:
        async def ask(self, *_: Any, **__: Any) -> bytes:
            return content

    with pytest.raises(CallerError, match="file_rejected"):
        await wallet_channel(Says()).wallet_statement(DAY)  # type: ignore[arg-type]


async def test_the_control_routes_open_accounts_and_tell_prices() -> None:
    for rig, path, body, shown in (
        (ecny_rig(""), "wallets",
         {"number": "W9", "holder": "韩梅梅", "wallet_class": 4, "opening_minor": 5, "token": "t9"},
         {"balance_minor": 5}),
        (fund_rig("/fund"), "investors",
         {"number": "I9", "holder": "韩梅梅", "units_minor": 5, "token": "t9"},
         {"units_minor": 5}),
    ):  # fmt: skip
        async with line_to(rig.app) as line, aiohttp.ClientSession() as session:
            for _ in range(2):
                async with session.post(f"{line._url()}/control/{path}", json=body) as answer:
                    assert answer.status == 200
            async with session.get(f"{line._url()}/control/{path}/{body['number']}") as answer:
                assert await answer.json() == shown
            if path == "investors":
                assert await line.ask("GET", "/fund/prices/2026-09-28") is None
                price = await line.ask("GET", "/fund/prices/2026-09-29")
                assert b'"income_per_10k":"0.4321"' in (price or b"")
        rig.house.books.close()
