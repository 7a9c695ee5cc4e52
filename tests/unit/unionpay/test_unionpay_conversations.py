"""Payments and refunds of ours through UnionPay, from a payer's code to the books at rest: the
runner of conversations, the real adapter, a real line, the switch."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
import pytest_asyncio

from backend.channels.model import CUP
from backend.sagas.repository import SagaRepository
from backend.sagas.runner import SagaRunner
from backend.sandbox.institution.signed import deliver_late
from tests.support.channels import runner_of
from tests.support.shop import MERCHANT
from tests.support.unionpay_world import OPENING_MINOR, TOKEN, UnionPayWorld, unionpay_world

pytestmark = pytest.mark.asyncio


@dataclass
class Street:
    """A shop and its payer, whose card is UnionPay's."""

    world: UnionPayWorld
    runner: SagaRunner
    payer: str

    def pay(self, amount_minor: int) -> str:
        return str(self.world.shop.pay(self.payer, amount_minor)["payment_id"])

    def found(self, payment_id: str) -> dict[str, object]:
        return self.world.shop.ask("payment.query", {"payment_id": payment_id})

    def timeline(self, saga_id: str) -> list[str]:
        rows = SagaRepository(self.world.shop.reader).timeline(saga_id)
        return [row["event"] for row in rows]

    async def finish(self) -> None:
        for _ in range(40):
            if not await self.runner.settle(date.max):
                return
            self.world.shop.clock.at_ms += 60_000
        raise AssertionError("a conversation does not end")

    def check_quiet(self, day: str = "2026-11-23") -> None:
        shop = self.world.shop
        assert shop.verify().is_whole
        assert not shop.rows("SELECT id FROM ledger_hold WHERE state = 'pending'")
        net = self.world.switch.book.net(date.fromisoformat(day))
        assert shop.balance(f"C:CH:CUP.{day}:CNY") == net


@pytest_asyncio.fixture
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    async with unionpay_world(tmp_path) as world:
        shop = world.shop
        shop.add_merchant()
        payer = shop.add_payer()
        shop.add_instrument(payer, "card", token=TOKEN, channels=(CUP,))
        await world.adapter.echo()
        yield Street(world, runner_of(shop, {CUP: world.adapter}), payer)


async def test_a_card_is_charged_and_the_books_say_what_the_switch_says(street: Street) -> None:
    payment_id = street.pay(10_000)
    await street.finish()
    assert street.found(payment_id)["state"] == "captured"
    assert street.world.left_minor() == OPENING_MINOR - 10_000
    assert street.world.shop.balance("C:CH:CUP.2026-11-23:CNY") == 10_000
    assert street.world.shop.balance(f"C:MPEND:{MERCHANT}:CNY") == 9_940
    street.check_quiet()


async def test_too_little_on_the_card_is_said_to_the_payer_as_that(street: Street) -> None:
    street.pay(60_000)
    await street.finish()
    payment_id = street.pay(50_000)
    await street.finish()
    found = street.found(payment_id)
    assert found["state"] == "declined"
    assert found["error"]["code"] == "insufficient_balance"  # type: ignore[index]
    street.check_quiet()


@pytest.mark.parametrize(
    "fault", ["drop_answer_after_commit", "unknown_status", "bad_signature", "be_slow", "be_down"]
)
async def test_what_nobody_knows_is_reversed_for_nobody_can_be_asked(
    street: Street, fault: str
) -> None:
    street.world.arm(**{fault: 1})
    payment_id = street.pay(500)
    await street.finish()
    assert street.found(payment_id)["state"] == "reversed"
    assert street.world.left_minor() == OPENING_MINOR
    assert street.timeline(payment_id)[-1] == "SagaReversed"
    street.check_quiet()


async def test_an_order_that_comes_after_its_reversal_takes_nothing(street: Street) -> None:
    street.world.arm(arrive_late=1)
    payment_id = street.pay(500)
    await street.finish()
    await deliver_late(street.world.switch.house)
    assert street.found(payment_id)["state"] == "reversed"
    assert street.world.left_minor() == OPENING_MINOR
    street.check_quiet()


async def test_past_the_cut_off_the_books_follow_the_switch(street: Street) -> None:
    street.world.arm(delay_past_cutoff=1)
    street.pay(700)
    await street.finish()
    assert street.world.shop.balance("C:CH:CUP.2026-11-24:CNY") == 700
    street.check_quiet("2026-11-24")
