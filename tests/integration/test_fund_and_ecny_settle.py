"""The fund, its bank and the e-CNY operator settle over the reserve bank and a commercial bank, all
listening on sockets of their own, over the holidays of 2026-09-30 to 10-08."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import aiohttp
import pytest

from backend.channels import iso20022
from backend.channels.ecny import EcnyChannel
from backend.channels.facts import DEFAULT_FACTS
from backend.channels.http_channel import HttpChannel
from backend.channels.institution import Institution
from backend.channels.model import ADVANCING_BANK, ECNY, FUND, PayOrder, RefundOrder
from backend.sandbox.institution.program import Place, Served, serving
from backend.sandbox.registry import find
from protocol.money import Money
from tests.support.houses import OURS, HandClock

pytestmark = pytest.mark.asyncio
DAY, AFTER = date(2026, 9, 30), date(2026, 10, 8)
RESERVE, OWN = "RESERVE-TILLWAY", "OWN-TILLWAY"
NAMES = ("reserve-bank", "bank-a", "fund", "ecny")
OPTIONS = {"bank-a": {"accounts": {OWN: 1_000_000, "FUND-COMPANY": 1_000_000}}}


@dataclass
class Town:
    """The institutions that listen, and our lines to them."""

    clock: HandClock
    served: Served
    web: aiohttp.ClientSession
    lines: list[Institution]

    def line(self, name: str) -> Institution:
        address = self.served.addresses[name]
        made = Institution(url=address.url(), key=OURS, peer=address.key)
        self.lines.append(made)
        return made

    async def control(self, name: str, path: str, **body: object) -> None:
        url = f"{self.served.addresses[name].url()}/control/{path}"
        async with self.web.post(url, json=body) as answer:
            assert answer.status == 200, await answer.text()

    async def booked(self, name: str, account: str, day: date) -> dict[str, int]:
        """An account's movements of a day, as its camt.053 tells."""
        url = f"{self.served.addresses[name].url()}/control/accounts/{account}/statements/{day}"
        async with self.web.get(url) as answer:
            page = iso20022.read_statement(await answer.read())
        return {one.reference: one.amount.amount_minor for one in page.entries}

    async def go_to(self, day: date, hour: int = 10) -> None:
        """Let every institution see that time, those who are paid last."""
        self.clock.at(day, hour)
        for name in ("fund", "ecny", "bank-a", "reserve-bank", "fund", "ecny"):
            await self.served.houses[name].time_passes()


@asynccontextmanager
async def town(root: Path) -> AsyncIterator[Town]:
    clock = HandClock()
    clock.at(DAY)
    wanted = [
        (
            find(name).build(),
            Place(name, root, told=(OURS.public,), options=OPTIONS.get(name, {}), clock=clock),
        )
        for name in NAMES
    ]
    async with serving(wanted) as served, aiohttp.ClientSession() as web:
        made = Town(clock, served, web, [])
        await made.control(
            "fund", "investors", number="I1", holder="李雷", units_minor=500_000, token="tok_I1"
        )
        await made.control(
            "ecny", "wallets", number="W1", holder="李雷", wallet_class=2, opening_minor=500_000,
            token="tok_W1",
        )  # fmt: skip
        try:
            yield made
        finally:
            for line in made.lines:
                await line.close()


def order(order_id: str, token: str, amount_minor: int) -> PayOrder:
    return PayOrder(order_id, token, Money(amount_minor, "CNY"))


async def test_each_day_reaches_the_reserve_or_our_own_account_when_it_should(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as made:
        fund = made.line("fund")
        advanced = HttpChannel(fund, prefix="/fund", facts=DEFAULT_FACTS[ADVANCING_BANK])
        unadvanced = HttpChannel(fund, prefix="/advance", facts=DEFAULT_FACTS[FUND])
        ecny = EcnyChannel(made.line("ecny"), facts=DEFAULT_FACTS[ECNY])
        await advanced.pay(order("pay_1", "tok_I1", 30_000))
        await advanced.refund(RefundOrder("rfd_1", "pay_1", Money(5_000, "CNY")))
        await unadvanced.pay(order("pay_2", "tok_I1", 7_000))
        await ecny.pay(order("pay_3", "tok_W1", 12_000))
        await made.go_to(DAY, hour=17)
        assert await made.booked("reserve-bank", RESERVE, DAY) == {"STL-ADVBANK-20260930": 25_000}
        found: dict[str, int] = {}
        for number in range(1, 8):
            day = DAY + timedelta(days=number)
            await made.go_to(day)
            found |= await made.booked("reserve-bank", RESERVE, day)
            assert await made.booked("bank-a", OWN, day) == {}
        assert found == {"STL-ECNY-20260930": 12_000}
        await made.go_to(AFTER)
        assert await made.booked("bank-a", OWN, AFTER) == {"STL-FUND-20260930": 7_000}
        statement = await ecny.wallet_statement(DAY + timedelta(days=1))
        assert (statement.exchanged_minor, statement.closing_minor) == (12_000, 0)


async def test_what_is_given_back_next_day_is_taken_out_of_the_reserve(tmp_path: Path) -> None:
    async with town(tmp_path) as made:
        ecny = EcnyChannel(made.line("ecny"), facts=DEFAULT_FACTS[ECNY])
        await ecny.pay(order("pay_1", "tok_W1", 12_000))
        await made.go_to(DAY + timedelta(days=1))
        await ecny.refund(RefundOrder("rfd_1", "pay_1", Money(2_000, "CNY")))
        await made.go_to(DAY + timedelta(days=2))
        day = DAY + timedelta(days=2)
        assert await made.booked("reserve-bank", RESERVE, day) == {"STL-ECNY-20261001": -2_000}


async def test_units_bought_back_after_we_were_paid_come_out_of_our_own_account(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as made:
        fund = made.line("fund")
        unadvanced = HttpChannel(fund, prefix="/advance", facts=DEFAULT_FACTS[FUND])
        await unadvanced.pay(order("pay_1", "tok_I1", 7_000))
        await made.go_to(AFTER)
        await unadvanced.refund(RefundOrder("rfd_1", "pay_1", Money(2_000, "CNY")))
        day = AFTER + timedelta(days=1)
        await made.go_to(day)
        assert await made.booked("bank-a", OWN, day) == {"STL-FUND-20261008": -2_000}


async def test_a_reserve_bank_that_is_down_is_told_when_it_is_back(tmp_path: Path) -> None:
    async with town(tmp_path) as made:
        ecny = EcnyChannel(made.line("ecny"), facts=DEFAULT_FACTS[ECNY])
        await ecny.pay(order("pay_1", "tok_W1", 12_000))
        made.served.houses["reserve-bank"].faults.arm({"be_down": 1, "drop_answer_after_commit": 1})
        day = DAY + timedelta(days=1)
        for _ in range(3):
            await made.go_to(day)
        assert await made.booked("reserve-bank", RESERVE, day) == {"STL-ECNY-20260930": 12_000}
