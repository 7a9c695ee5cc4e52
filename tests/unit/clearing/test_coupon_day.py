"""A whole day with coupons: paid with by balance and by card, refunded in part, closed."""

from datetime import date

import pytest

from backend.channels.model import NUCC
from protocol.money import Money
from tests.support.channel_world import CARD_TOKEN
from tests.support.clearing import clearing_world
from tests.support.coupons import choose, own_money
from tests.support.institutions import OWN

DAY = date(2026, 11, 24)
SHOP_ACCOUNT = "6222000000001234"


@pytest.mark.asyncio
async def test_our_own_account_pays_for_the_coupons_of_a_day_that_closes_without_a_break(
    migrated_url: str,
) -> None:
    with clearing_world(migrated_url) as world:
        shop, bank, card = world.shop, world.near.bank, world.channels[NUCC]
        bank.open_account("CARD-1", "李雷", Money(50_000, "CNY"), day=card.day())
        card.book.bind(CARD_TOKEN, "CARD-1")
        payer = await world.payer_since_yesterday()
        bank.move("CAPITAL", "BANK-VAULT", OWN, Money(5_000, "CNY"), world.today, "capital")
        has = world.at_bank(OWN)

        choose(shop, payer, 2_500)
        by_balance = world.sell(payer, 10_000)
        choose(shop, payer, 900)
        world.sell(payer, 800)  # all of it the coupon's
        shop.add_instrument(payer, "card", token=CARD_TOKEN)
        choose(shop, payer, 1_000)
        by_card = shop.pay(payer, 20_000)["payment_id"]
        choose(shop, payer, 700)
        undone = shop.pay(payer, 5_000)["payment_id"]
        await world.runner.settle(date.max)
        shop.ask("payment.reverse", {"payment_id": undone})
        assert shop.refund(by_balance, 4_000)["state"] == "succeeded"  # 1,000 of it ours
        assert shop.refund(by_card, 1_000)["state"] == "processing"  # 50 of it ours
        await world.runner.settle(date.max)
        spent = 2_500 + 800 + 1_000 - 1_000 - 50
        assert own_money(shop) == (spent, spent, spent)

        world.next_day()
        report = await world.day_end.run(DAY)
        assert (report["state"], report["reconciliation"]["breaks"]) == ("closed", 0), report
        assert report["own_funds_minor"] == spent
        assert own_money(shop) == (0, 0, spent)
        fees = report["swept_minor"]
        assert fees == 60 + 5 + 120 - 24 - 6
        assert world.at_bank(OWN) == has - spent + fees
        assert world.at_bank(SHOP_ACCOUNT) == 30_800 - 5_000 - fees
        assert world.at_bank("CARD-1") == 50_000 - 19_000 + 950
        assert shop.verify().is_whole
