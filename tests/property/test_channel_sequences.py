"""Whatever order answers, silences, reversals and refunds come in, the channels and we agree.

One payer's card is served by two channels: a payment may go on from the one to the other, and is
charged once. Payers fill their balance and take money out through the same lines.

A seed decides what the till and the payer do and what befalls each call. After each sequence time
passes until no conversation is open; then the same must be true of every payment, at the channel,
in our tables and in the ledger.
"""

import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from backend.channels.model import CUP, NUCC
from backend.topups.service import OrderTopUp
from backend.withdrawals.service import OrderWithdrawal
from protocol.money import Money
from tests.support.channel_world import CARD_TOKEN, ChannelWorld
from tests.support.channels import Mishap
from tests.support.migrated import migrated_sqlite
from tests.support.shop import Shop, bugs_in

SEEDS = range(8)
STEPS = 120
PAID = {"captured", "partially_refunded", "refunded"}
MISHAPS: tuple[Mishap | None, ...] = (None, None, None, "lost", "silent", "late", "unsent")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ChannelWorld]:
    url = migrated_sqlite(tmp_path / "backend.db")
    shop = Shop(url)
    shop.add_merchant()
    world = ChannelWorld(shop, card_minor=10_000_000)
    with capture_logs() as logs:
        yield world
    world.close()
    shop.close()
    assert not bugs_in(logs)


class Story:
    """One sequence of a seed."""

    def __init__(self, world: ChannelWorld, seed: int) -> None:
        self.world = world
        self.dice = random.Random(seed)
        self.saver = world.card_payer(NUCC, CUP)
        self.payers = [self.saver, self.saver, world.fund_payer()]
        [row] = world.shop.rows(
            f"SELECT instrument_id FROM instrument WHERE payer_id = '{self.saver}'"
        )
        self.account: str = row["instrument_id"]
        self.payments: dict[str, int] = {}

    async def play(self) -> None:
        steps = (self.pay, self.pay, self.pay, self.top_up, self.withdraw, self.run, self.run,
                 self.run, self.wait, self.reverse, self.refund, self.arrive,
                 self.settle)  # fmt: skip
        for _ in range(STEPS):
            step = self.dice.choice(steps)
            await step()

    async def pay(self) -> None:
        amount = self.dice.randint(1, 30_000)
        body = self.world.shop.create_body(
            "pay_code", amount, pay_code=self.world.shop.code(self.dice.choice(self.payers))
        )
        answer = self.world.shop.ask("payment.create", body)
        self.payments[answer["payment_id"]] = amount

    async def top_up(self) -> None:
        order = OrderTopUp(
            topup_id=self.world.shop.id("top"),
            payer_id=self.saver,
            bank_account=CARD_TOKEN,
            amount=Money(self.dice.randint(1, 20_000), "CNY"),
            rules=self.world.shop.rules,
        )
        [outcome] = self.world.shop.apply(order)
        assert getattr(outcome.error, "code", "") in {"", "channel_unavailable"}

    async def withdraw(self) -> None:
        order = OrderWithdrawal(
            withdrawal_id=self.world.shop.id("wdr"),
            payer_id=self.saver,
            instrument_id=self.account,
            amount=Money(self.dice.randint(1, 10_000), "CNY"),
            rules=self.world.shop.rules,
        )
        [outcome] = self.world.shop.apply(order)
        allowed = {"insufficient_balance", "channel_unavailable"}
        assert outcome.error is None or getattr(outcome.error, "code", "") in allowed

    async def run(self) -> None:
        """Some calls go wrong, some answers are refusals, and the till may not wait for them."""
        for channel in self.world.channels.values():
            channel.mishaps = [self.dice.choice(MISHAPS) for _ in range(4)]
            channel.refuses = self.dice.choice((0, 0, 0, 1))
            if self.payments and self.dice.random() < 0.2:
                channel.meanwhile = self._reverse_now(self.dice.choice(list(self.payments)))
        await self.world.runner.run_due()

    async def wait(self) -> None:
        self.world.shop.clock.at_ms += self.dice.choice((500, 1_000, 2_000, 2_000, 16_000, 70_000))

    async def reverse(self) -> None:
        if self.payments:
            self._reverse_now(self.dice.choice(list(self.payments)))()

    async def refund(self) -> None:
        if self.payments:
            payment_id = self.dice.choice(list(self.payments))
            part = self.dice.randint(1, self.payments[payment_id])
            self.world.shop.refund(payment_id, part)

    async def arrive(self) -> None:
        for channel in self.world.channels.values():
            channel.deliver_late()

    async def settle(self) -> None:
        """A day passes and the channels settle it."""
        if self.dice.random() < 0.3:
            days = [(channel, channel.day()) for channel in self.world.channels.values()]
            self.world.shop.clock.at_ms += 86_400_000
            for channel, day in days:
                await channel.settle(day)

    def _reverse_now(self, payment_id: str) -> Any:
        def reverse() -> None:
            self.world.shop.ask("payment.reverse", {"payment_id": payment_id})

        return reverse


@pytest.mark.asyncio
@pytest.mark.parametrize("seed", SEEDS)
async def test_channel_and_books_agree_in_the_end(world: ChannelWorld, seed: int) -> None:
    story = Story(world, seed)
    await story.play()
    for channel in world.channels.values():
        channel.mishaps, channel.refuses, channel.meanwhile = [], 0, None
    await world.finish()
    await story.arrive()
    check(world, story)


@pytest.mark.asyncio
async def test_some_payments_go_on_from_the_one_channel_to_the_other(world: ChannelWorld) -> None:
    """The sequences above reach what they are about."""
    story = Story(world, seed=2)
    await story.play()
    await world.finish()
    events = world.shop.rows("SELECT event FROM saga_event")
    assert {"SagaRerouted", "SagaReversed", "SagaGivenUp"} <= {row["event"] for row in events}
    kinds = world.shop.rows("SELECT DISTINCT kind FROM saga")
    assert {"pay", "refund", "top_up", "payout"} <= {row["kind"] for row in kinds}


def check(world: ChannelWorld, story: Story) -> None:
    """Money moved if and only if the payment says so, net of what went back, once."""
    rows = {row["payment_id"]: row for row in world.shop.rows("SELECT * FROM payment")}
    kept = dict.fromkeys(world.channels, 0)
    for payment_id, amount in story.payments.items():
        row = rows[payment_id]
        sagas = world.sagas(payment_id)
        assert row["refunding_minor"] == 0
        assert row["state"] in PAID | {"declined", "reversed"}
        assert 0 <= row["fee_returned_minor"] <= row["fee_minor"]
        if payment_id not in sagas:
            assert row["state"] in {"declined", "reversed"}
            continue
        name = row["channel_id"]
        check_one_channel(world, payment_id, name)
        order = world.channels[name].book.order(payment_id)
        is_given_back = sagas.get(f"{payment_id}.back") == "succeeded"
        is_charged = order is not None and order.state == "succeeded"
        assert is_charged == (row["state"] in PAID or sagas[payment_id] == "settled")
        kept[name] += amount - row["refunded_minor"] if row["state"] in PAID else 0
        if sagas[payment_id] == "settled" and not is_given_back:
            kept[name] += amount
    own = {
        kind: sum(
            row["amount_minor"]
            for row in world.shop.rows(f"SELECT * FROM {kind} WHERE state = 'succeeded'")
        )
        for kind in ("topup", "withdrawal")
    }
    assert world.charged("CARD-1") == kept["NUCC"] + kept["CUP"] + own["topup"] - own["withdrawal"]
    open_states = {"processing", "unknown"}
    for kind in own:
        states = {row["state"] for row in world.shop.rows(f"SELECT state FROM {kind}")}
        assert not states & open_states
    fees = world.shop.balance("O:WITHDRAWAL_FEE:CNY")
    assert world.shop.payer_balance(story.saver) == own["topup"] - own["withdrawal"] - fees
    assert world.shop.balance("C:PAYOUT:CNY") == 0
    assert world.charged("FUND-1") == kept["ADVBANK"]
    long = world.shop.balance("C:LONG:CNY")
    stranded = [s for p in story.payments for s, state in world.sagas(p).items()
                if s.endswith(".back") and state == "stranded"]  # fmt: skip
    assert (long > 0) == bool(stranded)
    assert world.shop.verify().is_whole
    assert not world.shop.rows("SELECT id FROM ledger_hold WHERE state = 'pending'")
    assert world.shop.balance("C:REFUND:CNY") == 0
    check_channels(world)


def check_one_channel(world: ChannelWorld, payment_id: str, name: str) -> None:
    """No other channel than the payment's holds any money for it."""
    for other in {NUCC, CUP} - {name}:
        order = world.channels[other].book.order(payment_id)
        assert order is None or order.state != "succeeded"


def check_channels(world: ChannelWorld) -> None:
    """By settlement date, what the channel owes is what the books say, whatever was reversed."""
    days = {row["settlement_date"] for row in world.shop.rows("SELECT * FROM saga")} - {""}
    for name in ("NUCC", "CUP", "ADVBANK"):
        for day in days:
            net = world.channels[name].net(date.fromisoformat(day))
            assert world.shop.balance(f"C:CH:{name}.{day}:CNY") == net
