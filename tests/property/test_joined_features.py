"""Coupons of ours and of merchants, shares, disputes, refunds, reversals, changing fee plans and a
hot merchant's sub-accounts, in any order: in the end every fen is somebody's.

The other sequences look at one of these at a time; here they meet. A seed decides. Afterwards time
passes until nothing waits any more, and what the rows of payments, coupons, shares and disputes say
must be what the ledger has.
"""

import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backend.channels.model import CUP, NUCC
from backend.clearing.reserve import ConfirmChannelSettlement
from backend.coupons.service import ChooseCoupon
from backend.coupons.stocks.model import StockStep
from backend.coupons.stocks.service import MakeStock, SendCoupon, StepStock
from backend.disputes.model import DisputeCommand
from backend.ledger.rules import Event, merchant_settled
from backend.merchants.service import AddFeePlan, ChangeMerchant
from backend.payments.create import CreatePayment
from backend.payments.expiry import end_stocks, expire_coupons
from backend.sharing.receivers import KeepReceiver
from backend.sharing.service import ReturnShare, SharePayment, Wanted
from backend.sharing.sweep import carry_on_sharing
from protocol.clock import DAY_MS
from protocol.errors import CallerError
from tests.support.books import Post
from tests.support.channel_world import ChannelWorld
from tests.support.coupons import choose
from tests.support.disputes import MAVAIL, OWED, decide, dispute
from tests.support.migrated import migrated_sqlite
from tests.support.shop import MERCHANT, OTHER_MERCHANT, Shop, shop_of_two
from tests.support.wallet_http import services_of

STEPS = 320
OWNER = "1900000001"
PAID = {"captured", "partially_refunded", "refunded"}
PASSED_THROUGH = ("SHARE", "STOCK", "REFUND", "DISPUTE")
"""Accounts on which nothing stays."""
ENDS = (DisputeCommand.WIN, DisputeCommand.LOSE, DisputeCommand.LOSE, DisputeCommand.WITHDRAW)
RECEIVERS = (("MERCHANT_ID", "other"), ("PERSONAL_OPENID", "payer"))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ChannelWorld]:
    with shop_of_two(migrated_sqlite(tmp_path / "backend.db")) as shop:
        world = ChannelWorld(shop, card_minor=10_000_000)
        yield world
        world.close()


class Story:
    """One sequence of a seed."""

    def __init__(self, world: ChannelWorld, seed: int) -> None:
        self.world, self.shop = world, world.shop
        self.dice = random.Random(seed)
        self.services = services_of(self.shop)
        balance = self.shop.add_payer(balance_minor=3_000_000)
        self.payers = [world.card_payer(NUCC, CUP), world.fund_payer(), balance]
        self.rounds: list[tuple[str, int]] = []
        self.cases: list[dict[str, Any]] = []
        self.number = 0
        for (kind, account), receiver in zip(RECEIVERS, (OTHER_MERCHANT, balance), strict=True):
            self.shop.do(
                KeepReceiver(owner=OWNER, kind=kind, account=account, receiver_id=receiver)
            )

    async def play(self) -> None:
        steps: tuple[Callable[[], Awaitable[None]], ...] = (
            *[self.pay] * 5, *[self.refund] * 4, *[self.speak] * 4, *[self.wait] * 3, self.reverse,
            self.settle, self.change, self.open, self.open, self.judge, self.share, self.share,
            self.give_back_share, self.sweep,
        )  # fmt: skip
        for _ in range(STEPS):
            await self.dice.choice(steps)()

    async def pay(self) -> None:
        payer = self.dice.choice(self.payers)
        amount = self.dice.choice((self.dice.randint(1, 20), self.dice.randint(1, 20_000)))
        self.choose_coupon(payer)
        body = self.shop.create_body("pay_code", amount, pay_code=self.shop.code(payer))
        command = self.shop.command(self.shop.request("payment.create", body))
        assert isinstance(command, CreatePayment)
        command = replace(command, is_shared=self.dice.random() < 0.4)
        self.shop.do(command)

    def choose_coupon(self, payer: str) -> None:
        whose, worth = self.dice.random(), self.dice.randint(1, 2_000)
        if whose < 0.25:
            choose(self.shop, payer, worth)
        elif whose < 0.5 and self.shop.balance(MAVAIL) - self.shop.balance(OWED) >= worth:
            self.choose_of_stock(payer, worth)
        else:
            self.shop.do(ChooseCoupon(payer_id=payer, coupon_id=None))

    def choose_of_stock(self, payer: str, worth: int) -> None:
        """A coupon that the merchant pays for; some soon expire."""
        self.number += 1
        begin_ms, named = self.shop.clock.at_ms, {"stock_id": f"{self.number}", "owner": OWNER}
        self.shop.do(
            MakeStock(
                **named, merchant_id=MERCHANT, content_hash=b"", name="x", comment="",
                description="", amount_minor=worth, minimum_minor=1, max_coupons=1,
                max_amount_minor=worth, max_per_payer=1, begin_ms=begin_ms,
                end_ms=begin_ms + self.dice.choice((1_000, DAY_MS)),
            )
        )  # fmt: skip
        self.shop.do(StepStock(**named, step=StockStep.START, rules=self.shop.rules))
        coupon_id = self.shop.id("cpn")
        self.shop.do(
            SendCoupon(
                **named, coupon_id=coupon_id, payer_id=payer, content_hash=b"",
                out_request_no=f"{self.number}",
            )
        )  # fmt: skip
        self.shop.do(ChooseCoupon(payer_id=payer, coupon_id=coupon_id))

    async def refund(self) -> None:
        for row in self.picked():
            rest = row["amount_minor"] - row["refunded_minor"] - row["refunding_minor"]
            parts = (rest, self.dice.randint(1, row["amount_minor"]), 1)
            self.shop.refund(row["payment_id"], max(1, self.dice.choice(parts)))

    async def reverse(self) -> None:
        for row in self.picked():
            self.shop.ask("payment.reverse", {"payment_id": row["payment_id"]})

    async def speak(self) -> None:
        for channel in self.world.channels.values():
            channel.mishaps = [self.dice.choice((None, None, None, "lost", "silent", "unsent"))]
            channel.refuses = self.dice.choice((0, 0, 1))
        await self.world.runner.run_due()

    async def wait(self) -> None:
        self.shop.clock.at_ms += self.dice.choice((500, 2_000, 70_000, 700_000, DAY_MS))

    async def settle(self) -> None:
        """Some of what is pending becomes available, whatever its date."""
        for account in self.shop.rows("SELECT * FROM ledger_account WHERE code = 'MPEND'"):
            owner, has = account["owner"], self.shop.balance(account["id"])
            if has and self.dice.random() < 0.6:
                part = self.dice.randint(1, has)
                settled = merchant_settled(
                    Event(self.shop.id("pyo"), "CNY", "2026-11-24"),
                    merchant_id=owner.partition("#")[0],
                    amount_minor=part,
                    shards_minor=[(owner, part)],
                )
                self.shop.do(Post(settled))

    async def change(self) -> None:
        """The merchant gets other sub-accounts, and another fee plan from the next moment on."""
        self.shop.do(ChangeMerchant(merchant_id=MERCHANT, pending_shards=self.dice.randint(1, 4)))
        least = self.dice.choice((0, 5, 50))
        self.shop.clock.at_ms += 1
        self.shop.do(
            AddFeePlan(
                merchant_id=MERCHANT, rate_bps=self.dice.choice((60, 120)), min_minor=least,
                cap_minor=self.dice.choice((0, least + 3)), valid_from_ms=self.shop.clock.at_ms,
            )
        )  # fmt: skip

    async def open(self) -> None:
        for row in self.picked():
            with suppress(CallerError):
                part = self.dice.randint(1, row["amount_minor"])
                self.cases.append(dispute(self.shop, row["payment_id"], part))

    async def judge(self) -> None:
        if self.cases:
            case = self.cases.pop(self.dice.randrange(len(self.cases)))
            command = self.dice.choice(ENDS)
            is_by_channel = case["funding"] != "balance" and command is DisputeCommand.LOSE
            today = self.shop.rules.business_date(self.shop.clock.at_ms)
            decide(self.shop, case, command, today if is_by_channel else "")

    async def share(self) -> None:
        for row in self.picked("is_shared = 1"):
            self.number += 1
            chosen = self.dice.sample(RECEIVERS, self.dice.randint(0, 2))
            most = max(1, row["amount_minor"] // 4)
            wanted = tuple(
                Wanted(kind=kind, account=name, amount_minor=self.dice.randint(1, most),
                       description="")
                for kind, name in chosen
            )  # fmt: skip
            command = SharePayment(
                owner=OWNER, giver=OWNER, out_order_no=f"{self.number}",
                round_id=f"round{self.number}", payment_id=row["payment_id"], wanted=wanted,
                is_last=not wanted or self.dice.random() < 0.5, release_description="",
                content_hash=b"", after_ms=0, bps_max=9_000, news_form="", rules=self.shop.rules,
            )  # fmt: skip
            with suppress(CallerError):
                self.shop.do(command)
                self.rounds += [(f"{self.number}", w.amount_minor) for w in wanted]

    async def give_back_share(self) -> None:
        if self.rounds:
            out_order_no, amount = self.dice.choice(self.rounds)
            self.number += 1
            with suppress(CallerError):
                self.shop.do(
                    ReturnShare(
                        owner=OWNER, out_return_no=f"{self.number}", content_hash=b"",
                        return_id=f"return{self.number}", out_order_no=out_order_no,
                        account="other", amount_minor=self.dice.randint(1, amount),
                        description="", rules=self.shop.rules,
                    )
                )  # fmt: skip

    async def sweep(self) -> None:
        await expire_coupons(self.services)
        await end_stocks(self.services)
        await carry_on_sharing(self.services)

    def picked(self, where: str = "amount_minor > 0") -> list[dict[str, Any]]:
        """One of the latest such payments, if there is one."""
        latest = f"SELECT * FROM payment WHERE {where} ORDER BY created_at_ms DESC LIMIT 12"
        rows = self.shop.rows(latest)
        return [self.dice.choice(rows)] if rows else []

    async def end(self) -> None:
        """Every conversation ends, every case is decided, every channel pays, every time passes."""
        for channel in self.world.channels.values():
            channel.mishaps, channel.refuses = [], 0
        await self.world.finish()
        for case in self.cases:
            decide(self.shop, case, DisputeCommand.WIN)
        for account in self.shop.rows("SELECT * FROM ledger_account WHERE code = 'CH'"):
            owed = account["debits_posted"] - account["credits_posted"]
            channel_id, _, day = account["owner"].rpartition(".")
            reference = f"STL-{channel_id}-{day.replace('-', '')}"
            self.shop.do(
                ConfirmChannelSettlement(
                    reference=reference, business_date="2027-01-01", currency="CNY",
                    amount_minor=max(owed, 0), channel_id=channel_id, settlement_date=day,
                )
            )  # fmt: skip
        for _ in range(3):
            self.shop.clock.at_ms += 31 * DAY_MS
            await self.sweep()


@pytest.mark.asyncio
@pytest.mark.parametrize("seed", range(4))
async def test_whatever_meets_in_one_payment_every_fen_is_somebody_s(
    world: ChannelWorld, seed: int
) -> None:
    story = Story(world, seed)
    await story.play()
    await story.end()
    assert world.shop.verify().is_whole
    check_nothing_stays(world.shop)
    paid = [row for row in world.shop.rows("SELECT * FROM payment") if row["state"] in PAID]
    check_payments(world.shop, paid)
    check_merchants(world.shop, paid)


@pytest.mark.asyncio
async def test_the_sequences_reach_what_they_are_about(world: ChannelWorld) -> None:
    await Story(world, seed=0).play()
    shop = world.shop
    counted = {
        query: len(shop.rows(f"SELECT * FROM {query}"))
        for query in (
            "share WHERE is_release = 0", "share WHERE is_release = 1", "share_return",
            "refund WHERE state = 'succeeded'", "refund WHERE error_code LIKE 'channel%'",
            "dispute WHERE state = 'lost'", "payment WHERE state = 'reversed'",
            "payment WHERE state <> 'declined' AND coupon_stock_id IS NOT NULL",
            "payment WHERE is_shared = 1 AND coupon_minor > 0 AND refunded_minor > 0",
            "payment WHERE pending_owner <> '' AND refunded_minor > 0",
        )
    }  # fmt: skip
    assert all(counted.values()), counted


def check_nothing_stays(shop: Shop) -> None:
    for row in shop.rows("SELECT * FROM ledger_account"):
        assert row["debits_pending"] == row["credits_pending"] == 0, row["id"]
        if row["code"] in PASSED_THROUGH:
            assert row["debits_posted"] == row["credits_posted"], row["id"]
    states = {row["state"] for row in shop.rows("SELECT DISTINCT state FROM payment")}
    assert states <= PAID | {"declined", "reversed"}
    assert not shop.rows("SELECT * FROM share WHERE state <> 'succeeded'")


def check_payments(shop: Shop, paid: list[dict[str, Any]]) -> None:
    """No payment gives back more than it took; a whole refund gives back the whole fee and the
    whole coupon; fees and coupons in the books are what the rows say."""
    for row in paid:
        assert row["refunding_minor"] == 0
        assert row["refunded_minor"] + row["disputed_minor"] <= row["amount_minor"]
        if row["refunded_minor"] == row["amount_minor"]:
            assert row["fee_returned_minor"] == row["fee_minor"]
            assert row["coupon_returned_minor"] == row["coupon_minor"]
    ours = (row for row in paid if row["coupon_stock_id"] is None)
    assert shop.balance("O:PROMO:CNY") == sum(map(coupon_kept, ours))
    fees = sum(row["fee_minor"] - row["fee_returned_minor"] for row in paid)
    assert shop.balance("O:MDR:CNY") == fees


def check_merchants(shop: Shop, paid: list[dict[str, Any]]) -> None:
    """The one has what it earned less what it gave; the other what was shared with it."""
    earned = sum(
        row["amount_minor"] - row["fee_minor"] - row["refunded_minor"] + row["fee_returned_minor"]
        for row in paid
    )
    of_stocks = sum(coupon_kept(row) for row in paid if row["coupon_stock_id"] is not None)
    [lost] = shop.rows(
        "SELECT coalesce(sum(amount_minor), 0) AS minor FROM dispute WHERE state = 'lost'"
    )
    shares = shop.rows("SELECT * FROM share WHERE is_release = 0")
    given = {
        kind: sum(one["amount_minor"] - one["returned_minor"] for one in shares
                  if one["kind"] == kind)
        for kind, _ in RECEIVERS
    }  # fmt: skip
    left = earned - of_stocks - lost["minor"] - sum(given.values())
    assert has(shop, MERCHANT) - shop.balance(OWED) == left
    assert has(shop, OTHER_MERCHANT) == given["MERCHANT_ID"]


def coupon_kept(row: dict[str, Any]) -> int:
    kept: int = row["coupon_minor"] - row["coupon_returned_minor"]
    return kept


def has(shop: Shop, merchant_id: str) -> int:
    """What a merchant has, pending in all its sub-accounts and available."""
    rows = shop.rows("SELECT * FROM ledger_account WHERE code IN ('MPEND', 'MAVAIL')")
    own = (row for row in rows if row["owner"].partition("#")[0] == merchant_id)
    return sum(row["credits_posted"] - row["debits_posted"] for row in own)
