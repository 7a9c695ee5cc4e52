"""Days of payments, refunds and reversals through UnionPay in bad weather: whatever is lost, told
twice, late or forged, every order ends in one state, and the switch's books agree with it."""

import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from backend.channels.day_file import Spool
from backend.channels.model import ChannelAnswer, PayOrder, RefundOrder
from backend.channels.unionpay_file import open_com_file
from backend.sandbox.institution.signed import deliver_late
from backend.sandbox.unionpay.day_files import day_file
from protocol.errors import OperatingError
from protocol.money import Money
from tests.support.unionpay_world import OPENING_MINOR, TOKEN, UnionPayWorld, unionpay_world

pytestmark = pytest.mark.asyncio
STEPS, TRIES_MAX = 60, 8
WEATHER = (
    "drop_answer_after_commit",
    "duplicate",
    "arrive_late",
    "delay_past_cutoff",
    "bad_signature",
    "unknown_status",
    "be_down",
    "refuse_order",
    "refuse_refund",
)


@dataclass
class Weather:
    """One run from a seed."""

    world: UnionPayWorld
    luck: random.Random
    paid: dict[str, tuple[PayOrder, ChannelAnswer]] = field(default_factory=dict)
    refunded: dict[str, int] = field(default_factory=dict)

    async def step(self, number: int) -> None:
        clock = self.world.shop.clock
        clock.at_ms += self.luck.choice((1_000, 60_000, 3_600_000))
        if self.luck.random() < 0.5:
            self.world.arm(**{self.luck.choice(WEATHER): 1})
        if self.luck.random() < 0.1:
            await self.world.restart()
        if self.luck.random() < 0.1:
            await deliver_late(self.world.switch.house)
        if self.paid and self.luck.random() < 0.3:
            await self.refund(number)
        else:
            await self.pay(number)

    async def pay(self, number: int) -> None:
        amount = Money(self.luck.randint(1, 500), "CNY")
        order = PayOrder(f"pay_{number}", TOKEN, amount, self.world.shop.clock.at_ms)
        try:
            answer = await self.world.adapter.pay(order)
        except OperatingError:
            answer = await self.reversed(order)
        if answer.state == "refused" and answer.reason == "not possible":
            raise AssertionError("an order of now is settled already")
        if answer.state == "succeeded":
            self.paid[order.order_id] = (order, answer)

    async def reversed(self, order: PayOrder) -> ChannelAnswer:
        for _ in range(TRIES_MAX):
            try:
                return await self.world.adapter.reverse(order)
            except OperatingError:
                continue
        raise AssertionError(f"{order.order_id} cannot be reversed")

    async def refund(self, number: int) -> None:
        order, answer = self.paid[self.luck.choice(sorted(self.paid))]
        refund = RefundOrder(
            f"rfd_{number}",
            order.order_id,
            Money(self.luck.randint(1, 300), "CNY"),
            at_ms=self.world.shop.clock.at_ms,
            order_reference=answer.reference,
        )
        for _ in range(TRIES_MAX):
            try:
                word = await self.world.adapter.refund(refund)
            except OperatingError:
                continue
            if word.state == "succeeded":
                before = self.refunded.get(order.order_id, 0)
                self.refunded[order.order_id] = before + refund.amount.amount_minor
            return
        raise AssertionError(f"{refund.refund_id} is never answered")

    def check(self) -> None:
        taken = {name: order.amount.amount_minor for name, (order, _) in self.paid.items()}
        assert all(self.refunded[name] <= taken[name] for name in self.refunded)
        given = sum(self.refunded.values())
        assert self.world.left_minor() == OPENING_MINOR - sum(taken.values()) + given
        switch, found = self.world.switch, 0
        for day in switch.book.open_days(switch.day().replace(year=2100)):
            with open_com_file(Spool.of([day_file(switch, day)])) as file:
                rows = list(file.rows())
            assert len({row.reference for row in rows}) == len(rows)
            found += sum(row.signed_minor for row in rows)
        settled = switch.house.books.db.execute("SELECT sum(net_minor) FROM channel_settlement")
        assert found + (settled.fetchone()[0] or 0) == sum(taken.values()) - given


@pytest.mark.parametrize("seed", range(4))
async def test_in_any_weather_words_and_books_agree(seed: int, tmp_path: Path) -> None:
    async with unionpay_world(tmp_path, timeout_ms=40) as world:
        weather = Weather(world, random.Random(seed))
        for number in range(STEPS):
            await weather.step(number)
        world.arm(**dict.fromkeys(WEATHER, 0))
        await deliver_late(world.switch.house)
        weather.check()
