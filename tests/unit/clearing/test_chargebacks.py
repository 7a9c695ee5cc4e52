"""Days in which a channel keeps back what a lost dispute gave to the payer."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import Executable

from backend.channels.epcc.ids import dispute_id
from backend.channels.model import ADVANCING_BANK, FUND, NUCC
from backend.db.reading import Reader
from backend.db.tables import Row
from backend.disputes.model import DisputeCommand
from backend.reconciliation.advances import match_repaid
from backend.reconciliation.repository import ReconciliationRepository
from protocol.errors import CallerError
from protocol.money import Money
from tests.support.channel_world import CARD_TOKEN, FUND_TOKEN
from tests.support.clearing import World
from tests.support.disputes import decide, dispute
from tests.support.institutions import OWN, RESERVE
from tests.unit.clearing.conftest import nets_union_of, pay, pays_with

pytestmark = pytest.mark.asyncio
DAY, NEXT_DAY = date(2026, 11, 23), date(2026, 11, 24)
LOSE = DisputeCommand.LOSE


def give_own_money(world: World, amount_minor: int = 100_000) -> None:
    amount = Money(amount_minor, "CNY")
    world.near.bank.move("CAPITAL", "BANK-VAULT", OWN, amount, world.today, "capital")


async def disputed(world: World, kind: str, token: str) -> tuple[str, dict[str, object]]:
    """A payment of 100 yuan of a closed day, and a dispute about 40 of them."""
    payment_id = await pay(world, pays_with(world, kind, token), 10_000)
    world.next_day()
    assert (await world.day_end.run(DAY))["state"] == "closed"
    return payment_id, dispute(world.shop, payment_id, 4_000)


@pytest.mark.parametrize(
    ("channel", "kind", "token", "account", "has_own_advance"),
    [
        (NUCC, "card", CARD_TOKEN, "CARD-1", False),
        (ADVANCING_BANK, "fund", FUND_TOKEN, "FUND-1", False),
        (FUND, "fund", FUND_TOKEN, "FUND-1", True),
    ],
)
async def test_a_day_with_a_lost_dispute_closes_and_its_channel_owes_nothing(
    channel_world: World,
    channel: str,
    kind: str,
    token: str,
    account: str,
    has_own_advance: bool,
) -> None:
    world, shop = channel_world, channel_world.shop
    give_own_money(world)
    shop.rules = replace(shop.rules, has_own_advance=has_own_advance)
    payment_id, case = await disputed(world, kind, token)
    case_id = str(case["dispute_id"])
    book, amount = world.channels[channel].book, Money(4_000, "CNY")
    assert book.charge_back(case_id, payment_id, amount, day=NEXT_DAY) == NEXT_DAY.isoformat()
    decide(shop, case, LOSE, NEXT_DAY.isoformat())
    await pay(world, pays_with(world, kind, token), 1_000)
    world.next_day()
    for _ in range(2):
        report = await world.day_end.run(NEXT_DAY)
        assert (report["reconciliation"]["kinds"], report["state"]) == ([], "closed")
    assert shop.balance(f"C:CH:{channel}.{NEXT_DAY}:CNY") == shop.balance("O:ADVANCE:CNY") == 0
    assert shop.balance(f"C:DISPUTE:{case_id}:CNY") == shop.balance("C:OWN_DUE:CNY") == 0
    assert world.at_bank(account) == 100_000 - 10_000 + 4_000 - 1_000
    assert world.at_bank(RESERVE) == shop.balance("C:RESERVE:CNY")
    assert world.at_bank(OWN) == 100_000 + shop.balance("O:OWN:CNY")
    assert shop.verify().is_whole


async def test_what_was_to_come_of_sixteen_days_of_advances_is_asked_for_in_two_questions(
    channel_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, shop = channel_world, channel_world.shop
    give_own_money(world)
    shop.rules = replace(shop.rules, has_own_advance=True)
    payment_id, case = await disputed(world, "fund", FUND_TOKEN)
    amount = Money(4_000, "CNY")
    world.channels[FUND].book.charge_back(str(case["dispute_id"]), payment_id, amount, day=NEXT_DAY)
    decide(shop, case, LOSE, NEXT_DAY.isoformat())
    await pay(world, pays_with(world, "fund", FUND_TOKEN), 1_000)
    books, asked, fetch = ReconciliationRepository(shop.reader), list[object](), Reader.fetch

    async def counted(reader: Reader, statement: Executable, **parameters: object) -> list[Row]:
        asked.append(statement)
        return await fetch(reader, statement, **parameters)

    monkeypatch.setattr(Reader, "fetch", counted)
    day, today = date(2026, 11, 25), date(2026, 11, 26)
    compared = await match_repaid(
        books, world.calendar, source="channel FUND", day=day, file_minor=0, today=today
    )
    assert len(asked) == 2
    assert [(one.ours_minor, one.theirs_minor) for one in compared.breaks] == [(0, 1_000 - 4_000)]
    nets = await books.channel_nets(FUND, ["2026-11-22", str(DAY), str(NEXT_DAY)])
    assert nets == {str(DAY): 10_000, str(NEXT_DAY): 1_000 - 4_000}
    for name, net_minor in nets.items():
        orders = [one async for some in books.channel_orders(FUND, name) for one in some]
        assert sum(one.signed_minor for one in orders) == net_minor


async def test_a_case_in_the_clearing_house_s_file_is_opened_lost_and_kept_back(
    channel_world: World,
) -> None:
    """The bank's case is in the file of the second day, and its chargeback in the third's."""
    world, shop = channel_world, channel_world.shop
    give_own_money(world)
    payment_id = await pay(world, pays_with(world, "card", CARD_TOKEN), 10_000)
    world.next_day()
    assert (await world.day_end.run(DAY))["state"] == "closed"
    clearing, amount = nets_union_of(world).clearing, Money(4_000, "CNY")
    clearing.dispute("CASE-1", payment_id, amount, "goods_not_received")
    world.next_day()
    for _ in range(2):
        report = await world.day_end.run(NEXT_DAY)
        assert (report["state"], report["disputes_opened"], report["cases_refused"]) == (
            "closed", 1, [],
        )  # fmt: skip
    (case,) = shop.rows("SELECT * FROM dispute")
    assert (case["dispute_id"], case["reference"]) == (dispute_id("CASE-1"), "CASE-1")
    assert case["state"] == "open"
    third = NEXT_DAY + timedelta(days=1)
    clearing.book.charge_back("CASE-1", payment_id, amount, day=third)
    decide(shop, case, LOSE, third.isoformat())
    world.next_day()
    report = await world.day_end.run(third)
    assert (report["reconciliation"]["kinds"], report["state"]) == ([], "closed")
    assert shop.balance(f"C:CH:NUCC.{third}:CNY") == 0
    assert world.at_bank("CARD-1") == 100_000 - 10_000 + 4_000
    assert shop.verify().is_whole


@pytest.mark.parametrize("side", ["ours", "theirs"])
async def test_a_chargeback_that_one_side_does_not_know_is_a_break(
    channel_world: World, side: str
) -> None:
    world = channel_world
    give_own_money(world)
    payment_id, case = await disputed(world, "card", CARD_TOKEN)
    if side == "theirs":
        book, amount = world.channels[NUCC].book, Money(4_000, "CNY")
        book.charge_back(str(case["dispute_id"]), payment_id, amount, day=NEXT_DAY)
    else:
        decide(world.shop, case, LOSE, NEXT_DAY.isoformat())
    world.next_day()
    report = await world.day_end.run(NEXT_DAY)
    kind = {"ours": "REFUND_PENDING", "theirs": "LONG_STATUS"}[side]
    assert kind in report["reconciliation"]["kinds"]
    assert report["state"] == {"ours": "closed", "theirs": "open"}[side]


async def test_a_channel_s_day_that_is_over_takes_no_lost_dispute(channel_world: World) -> None:
    """The first has been settled with money, the second closed without any."""
    world = channel_world
    give_own_money(world)
    _, case = await disputed(world, "card", CARD_TOKEN)
    world.next_day()
    await world.day_end.run(NEXT_DAY)
    for day in (DAY, NEXT_DAY):
        with pytest.raises(CallerError, match="settlement_date_closed"):
            decide(world.shop, case, LOSE, day.isoformat())
    assert world.shop.balance(f"C:DISPUTE:{case['dispute_id']}:CNY") == 4_000
    lost = decide(world.shop, case, LOSE, "2026-11-25")
    assert decide(world.shop, case, LOSE, "2026-11-25") == lost


async def test_a_channel_charges_back_once_and_no_more_than_is_left(channel_world: World) -> None:
    world, amount = channel_world, Money(6_000, "CNY")
    payment_id = await pay(world, pays_with(world, "card", CARD_TOKEN), 10_000)
    book = world.channels[NUCC].book
    for _ in range(2):
        assert book.charge_back("case-1", payment_id, amount, day=DAY) == DAY.isoformat()
    assert (book.net(DAY), world.at_bank("CARD-1")) == (4_000, 96_000)
    with pytest.raises(CallerError, match="idempotency_conflict"):
        book.charge_back("case-1", payment_id, Money(1, "CNY"), day=DAY)
    with pytest.raises(CallerError, match="above the payment"):
        book.charge_back("case-2", payment_id, amount, day=DAY)
    assert book.reverse(payment_id, day=DAY).state == "refused"
