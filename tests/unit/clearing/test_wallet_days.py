"""A day with other wallets' payers, closed: the gateways' own files, over sockets, against our
books; their money on the reserve; and what is named when a file is wrong."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import pytest

from backend.channels.facts import DEFAULT_FACTS
from backend.channels.model import ALIPAY, CUP_QR
from backend.payments.sealed_codes import open_code
from backend.sandbox.institution.settling import SettlementOrder, SettlementWord
from tests.support.acp_world import AcpWorld, acp_world
from tests.support.alipay_world import AlipayWorld, alipay_world
from tests.support.channels import runner_of
from tests.support.clearing import World, clearing_world, day_end_of
from tests.support.institutions import RESERVE
from tests.support.shop import MASTER_KEY, MERCHANT

DAY, NEXT_DAY = date(2026, 11, 23), date(2026, 11, 24)
WORLDS: dict[str, Callable[..., AbstractAsyncContextManager[AlipayWorld | AcpWorld]]] = {
    ALIPAY: alipay_world,
    CUP_QR: acp_world,
}
pytestmark = pytest.mark.asyncio


@dataclass
class NearReserveBank:
    """``SettlementAgent`` that moves what it is told onto our reserve."""

    world: World

    async def settle(self, order: SettlementOrder) -> SettlementWord:
        bank = self.world.near.bank
        if not bank.has_moved(order.reference):
            sides = (order.debtor, order.creditor)
            for account in sides:
                if account != RESERVE:
                    bank.open_own_account(account)
            bank.move(order.reference, *sides, order.amount, self.world.today, "settlement")
        return SettlementWord("settled")


@dataclass
class Street:
    """A shop that clears, and one gateway."""

    world: World
    gateway: AlipayWorld | AcpWorld

    def sell(self, amount_minor: int) -> str:
        body = self.world.shop.create_body("pay_code", amount_minor, pay_code=self.gateway.code())
        return str(self.world.shop.ask("payment.create", body)["payment_id"])

    async def run(self, day: date) -> Any:
        """Midnight passes for everybody, and we close the day."""
        while self.world.today <= day:
            self.world.next_day()
        days = self.gateway.gateway.days
        days.close(self.world.today)
        await days.outbox.tell(NearReserveBank(self.world))
        return await self.world.day_end.run(day)


@asynccontextmanager
async def opened(channel_id: str, url: str) -> AsyncIterator[Street]:
    with clearing_world(url) as world:
        opening = partial(open_code, MASTER_KEY)
        async with WORLDS[channel_id](world.shop.clock, open_code=opening) as gateway:
            channels: Any = {**world.channels, channel_id: gateway.adapter}
            world.channels = channels
            world.runner = runner_of(world.shop, channels)
            world.prices[channel_id] = DEFAULT_FACTS[channel_id].cost
            world.day_end = day_end_of(world)
            yield Street(world, gateway)
        assert world.shop.verify().is_whole


@pytest.mark.parametrize("channel_id", sorted(WORLDS))
async def test_a_day_closes_with_payments_refunds_and_a_reversal(
    channel_id: str, migrated_url: str
) -> None:
    async with opened(channel_id, migrated_url) as street:
        world = street.world
        sold = [street.sell(minor) for minor in (10_000, 3_333)]
        await world.runner.settle(DAY)
        world.shop.refund(sold[0], 2_000)
        undone = street.sell(500)
        await world.runner.settle(DAY)
        world.shop.ask("payment.reverse", {"payment_id": undone})
        await world.runner.settle(DAY)
        report = await street.run(DAY)
        assert (report["state"], report["reconciliation"]["breaks"]) == ("closed", 0)
        assert report["reconciliation"]["matched"] >= 3
        assert world.shop.balance(f"C:CH:{channel_id}.{DAY}:CNY") == 0
        assert world.shop.balance("O:COST_PAYABLE:CNY") > 0
        # 100.00 - 20.00 + 33.33, less 0.6 % of what stayed, is the merchant's.
        assert world.at_bank("6222000000001234") == 11_333 - 48 - 20


@pytest.mark.parametrize("channel_id", sorted(WORLDS))
@pytest.mark.parametrize(
    ("fault", "kinds"),
    [
        ("row_missing", {"SHORT_MISSING_CHANNEL"}),
        ("row_twice", {"DUPLICATE"}),
        ("amount_off_by_one", {"AMOUNT"}),
    ],
)
async def test_a_file_that_is_wrong_is_named_and_the_day_waits_for_the_right_one(
    channel_id: str, fault: str, kinds: set[str], lite_url: str
) -> None:
    async with opened(channel_id, lite_url) as street:
        street.sell(10_000)
        street.sell(3_333)
        await street.world.runner.settle(DAY)
        street.gateway.arm(**{fault: 1})
        report = await street.run(DAY)
        assert report["state"] == "open"
        assert set(report["reconciliation"]["kinds"]) - {"FUNDS"} == kinds
        assert (await street.run(DAY))["state"] == "closed"
        assert street.world.shop.balance(f"C:CH:{channel_id}.{DAY}:CNY") == 0


@pytest.mark.parametrize("channel_id", sorted(WORLDS))
async def test_a_refund_of_an_earlier_days_payment_is_taken_from_its_own_day(
    channel_id: str, lite_url: str
) -> None:
    async with opened(channel_id, lite_url) as street:
        world = street.world
        payment_id = street.sell(10_000)
        await world.runner.settle(DAY)
        assert (await street.run(DAY))["state"] == "closed"
        street.sell(20_000)
        world.shop.refund(payment_id, 4_000)
        await world.runner.settle(NEXT_DAY)
        assert (await street.run(NEXT_DAY))["state"] == "closed"
        assert world.shop.balance(f"C:CH:{channel_id}.{NEXT_DAY}:CNY") == 0
        assert world.shop.balance(f"C:MPEND:{MERCHANT}:CNY") == 0
