"""What a channel takes twice, or without our asking, goes back by the channel's own number."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from backend.channels.epcc.day_text import DayLine
from backend.channels.model import CUP, NUCC, ChannelAnswer, RefundOrder
from backend.reconciliation.assignee import Assignee
from backend.reconciliation.breaks import BreakStep
from backend.reconciliation.cases import MoveBreak
from backend.reconciliation.returns import AskBack, ResolveReturn
from backend.sagas.model import Ask
from backend.sagas.ports import Word
from protocol.errors import CallerError
from protocol.money import Money
from tests.support.channel_world import CARD_TOKEN
from tests.support.channels import NearNetsUnion
from tests.support.clearing import World, clearing_world
from tests.support.wallet_http import OPERATOR, client_of
from tests.unit.clearing.conftest import pays_with
from tests.unit.clearing.test_breaks_over_days import DAY, cases, events, run

pytestmark = pytest.mark.asyncio
LONG = "C:LONG:CNY"
OPENING = 100_000


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    with clearing_world(migrated_url) as world:
        yield with_card(world)


@pytest.fixture
def lite(lite_url: str) -> Iterator[World]:
    with clearing_world(lite_url) as world:
        yield with_card(world)


def with_card(world: World) -> World:
    world.near.open("CARD-1", OPENING)
    for channel_id in (NUCC, CUP):
        world.channels[channel_id].book.bind(CARD_TOKEN, "CARD-1")
    return world


async def overcharged(world: World, fault: str, channel_id: str = NUCC) -> str:
    """A payment of 700 fen for which the channel has taken 1,400; nothing goes back yet."""
    payer, shop = world.shop.add_payer(), world.shop
    shop.add_instrument(payer, "card", token=CARD_TOKEN, channels=[channel_id])
    world.channels[channel_id].overcharges.arm({fault: 1})
    payment_id = str(shop.pay(payer, 700)["payment_id"])
    await world.runner.settle(date.max)
    assert left(world) == OPENING - 1_400
    return payment_id


def left(world: World) -> int:
    return world.near.bank.balance("CARD-1").amount_minor


async def ages(world: World) -> None:
    for days in range(3):
        report = await run(world, DAY + timedelta(days=days))
        assert report["state"] == "closed", report
    await world.runner.settle(date.max)


def tell(world: World, change: Callable[[list[DayLine]], list[DayLine]]) -> None:
    """Let the clearing house's file, and its money, be otherwise than its orders."""
    channel = world.channels[NUCC]
    assert isinstance(channel, NearNetsUnion)
    clearing, lines = channel.clearing, channel.clearing.lines
    clearing.lines = lambda day: iter(change(list(lines(day))))  # type: ignore[method-assign]


def row_of(world: World) -> Any:
    [row] = world.shop.rows("SELECT * FROM reconciliation_case WHERE channel_reference <> ''")
    return row


@pytest.mark.parametrize(
    ("fault", "kind"), [("charge_twice", "DUPLICATE"), ("charge_unasked", "LONG_MISSING_ORDER")]
)
async def test_it_ages_and_goes_back_by_itself(world: World, fault: str, kind: str) -> None:
    payment_id = await overcharged(world, fault)
    report = await run(world, DAY)
    assert (report["state"], report["reconciliation"]["kinds"]) == ("closed", [kind])
    assert (left(world), world.shop.balance(LONG)) == (OPENING - 1_400, 700)
    await ages(world)
    assert (left(world), world.shop.balance(LONG)) == (OPENING - 700, 0)
    assert events(world) == ["BreakPosted", "BreakAskedBack", "BreakGivenBack"]
    world.next_day()
    day = world.today - timedelta(days=1)
    report = await run(world, day)
    assert (report["state"], report["reconciliation"]["kinds"]) == ("closed", [])
    # The true order can still be refunded whole.
    order = RefundOrder(world.shop.id("rfd"), payment_id, Money(700, "CNY"))
    assert (await world.channels[NUCC].refund(order)).state == "succeeded"
    assert left(world) == OPENING
    assert world.shop.verify().is_whole


async def test_the_true_row_is_the_one_that_the_channel_told_us(lite: World) -> None:
    """The file tells the mistake first; its number goes back, and never the true order's."""
    payment_id = await overcharged(lite, "charge_twice")
    tell(lite, lambda lines: lines[::-1])
    await ages(lite)
    [order] = lite.shop.rows(f"SELECT reference FROM saga WHERE saga_id = '{payment_id}'")
    assert row_of(lite)["channel_reference"] != order["reference"]
    assert cases(lite, "resolved") == [("DUPLICATE", payment_id)]
    assert left(lite) == OPENING - 700


async def test_a_file_that_repeats_the_true_row_gives_nothing_back(lite: World) -> None:
    payer, shop = pays_with(lite, "card", CARD_TOKEN), lite.shop
    payment_id = str(shop.pay(payer, 700)["payment_id"])
    await lite.runner.settle(date.max)
    tell(lite, lambda lines: [*lines, *lines])
    await ages(lite)
    assert cases(lite, "posted") == [("DUPLICATE", payment_id)]
    assert left(lite) == OPENING - 700
    [row] = lite.shop.rows("SELECT * FROM reconciliation_case")
    with pytest.raises(CallerError, match="no number of its own"):
        lite.shop.do(AskBack(follows=row, rules=lite.shop.rules))


async def test_what_the_channel_refuses_waits_for_a_person_with_the_reason(lite: World) -> None:
    await overcharged(lite, "charge_unasked")
    for days in range(3):
        await run(lite, DAY + timedelta(days=days))
    lite.channels[NUCC].refuses = 1
    await lite.runner.settle(date.max)
    assert cases(lite, "posted")[0][0] == "LONG_MISSING_ORDER"
    assert events(lite) == ["BreakPosted", "BreakAskedBack", "BreakKept"]
    await run(lite, DAY + timedelta(days=3))
    await lite.runner.settle(date.max)
    assert lite.shop.balance(LONG) == 700  # asked by itself only once
    name = row_of(lite)["break_id"]
    with client_of(lite.shop) as http:
        shown = http.get(f"/operator/v1/breaks/{name}", headers=OPERATOR).json()
        assert shown["timeline"][-1]["words"] == "refused by the issuer"
        assert (shown["obstacle"], shown["proposed"]) == ("", "ask_back")
        path, body = f"/operator/v1/breaks/{name}/return", {"by": "li", "words": "by fax"}
        assert http.post(path, headers=OPERATOR, json=body | {"words": "fax"}).status_code >= 400
        for _ in range(2):
            said = http.post(path, headers=OPERATOR, json=body).json()["break"]
            assert said["state"] == "returning"
        [listed] = http.get("/operator/v1/breaks", headers=OPERATOR).json()["breaks"]
        assert listed["obstacle"]
        assert listed["proposed"] is None
    await lite.runner.settle(date.max)
    assert (left(lite), lite.shop.balance(LONG)) == (OPENING - 700, 0)
    assert len(lite.shop.rows("SELECT * FROM saga WHERE kind = 'return'")) == 2
    assert lite.shop.verify().is_whole


async def test_refused_three_times_it_is_to_be_assigned_and_may_still_be_asked_back(
    lite: World,
) -> None:
    await overcharged(lite, "charge_unasked")
    for days in range(3):
        await run(lite, DAY + timedelta(days=days))
    lite.channels[NUCC].refuses = 3
    await lite.runner.settle(date.max)
    name = row_of(lite)["break_id"]
    path, body = f"/operator/v1/breaks/{name}", {"by": "li", "words": "渠道来电说明"}
    with client_of(lite.shop) as http:
        for proposed in ("ask_back", "ask_back", "assign"):
            shown = http.get(path, headers=OPERATOR).json()
            assert shown["proposed"] == proposed, shown
            [listed] = http.get("/operator/v1/breaks", headers=OPERATOR).json()["breaks"]
            assert (listed["proposed"], listed["refusals"]) == (proposed, shown["refusals"])
            asked = http.post(f"{path}/return", headers=OPERATOR, json=body)
            assert asked.status_code == 200, asked.text
            await lite.runner.settle(date.max)
    assert (left(lite), lite.shop.balance(LONG)) == (OPENING - 700, 0)


async def test_a_channel_that_denies_its_own_row_gives_nothing(lite: World) -> None:
    await overcharged(lite, "charge_twice")
    for days in range(3):
        await run(lite, DAY + timedelta(days=days))
    asked: list[str] = []

    async def find(order: RefundOrder) -> ChannelAnswer | None:
        asked.append(order.order_reference)
        return None

    lite.channels[NUCC].find = find  # type: ignore[method-assign]
    await lite.runner.settle(date.max)
    assert asked == [row_of(lite)["channel_reference"]]
    assert (left(lite), lite.shop.balance(LONG)) == (OPENING - 1_400, 700)
    assert events(lite)[-1] == "BreakKept"


@pytest.mark.parametrize("mishaps", [["lost"], ["silent"], [None, "lost"], [None, "silent"]])
async def test_whatever_gets_lost_on_the_way_it_goes_back_once(
    lite: World, mishaps: list[Any]
) -> None:
    """Of the two calls, the question and the refund, one or its answer is lost."""
    await overcharged(lite, "charge_twice")
    for days in range(3):
        await run(lite, DAY + timedelta(days=days))
    lite.channels[NUCC].mishaps = mishaps
    for _ in range(12):
        await lite.runner.settle(date.max)
        lite.shop.clock.at_ms += 61_000
    assert (left(lite), lite.shop.balance(LONG)) == (OPENING - 700, 0)
    assert cases(lite, "resolved")
    assert lite.shop.verify().is_whole


async def test_the_same_word_twice_and_the_same_wish_twice_change_nothing(lite: World) -> None:
    await overcharged(lite, "charge_twice", CUP)
    await run(lite, DAY)
    row = row_of(lite)
    ask: Callable[[], Any] = lambda: lite.shop.do(  # noqa: E731
        AskBack(follows=row, rules=lite.shop.rules, actor="operator:li", words="by fax")
    )
    assert ask()["state"] == ask()["state"] == "returning"
    [saga] = lite.shop.rows("SELECT * FROM saga WHERE kind = 'return'")
    await lite.runner.settle(date.max)
    answer = ChannelAnswer(saga["saga_id"], "succeeded", "", "R", DAY.isoformat())
    word = Word(ask=Ask.QUERY, answer=answer, channel_id=CUP)
    lite.shop.do(ResolveReturn(saga_id=saga["saga_id"], word=word, rules=lite.shop.rules))
    assert (left(lite), lite.shop.balance(LONG)) == (OPENING - 700, 0)
    with pytest.raises(CallerError, match="resolved"):
        ask()


async def test_what_a_person_decides_meanwhile_is_not_asked_back_and_ends_no_run(
    lite: World,
) -> None:
    await overcharged(lite, "charge_unasked")
    await run(lite, DAY)
    row, [payer] = row_of(lite), lite.shop.rows("SELECT payer_id FROM payer")
    lite.shop.do(
        MoveBreak(
            follows=row,
            step=BreakStep.ASSIGN,
            booked_on=DAY.isoformat(),
            to=Assignee("payer", payer["payer_id"]),
        )
    )
    by_itself = AskBack(follows=row, rules=lite.shop.rules, is_first=True)
    assert lite.shop.do(by_itself)["state"] == "resolved"
    assert lite.shop.rows("SELECT * FROM saga WHERE kind = 'return'") == []
    with pytest.raises(CallerError, match="resolved"):
        lite.shop.do(AskBack(follows=row, rules=lite.shop.rules))
