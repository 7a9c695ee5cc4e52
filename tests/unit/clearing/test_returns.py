"""A payout that the bank sends back, and one that we ask back."""

from collections.abc import Iterator
from typing import Any

import pytest

from backend.clearing.recall import PayoutDesk
from backend.clearing.repository import ClearingRepository
from backend.ledger import chart
from backend.merchants.service import ChangePayoutAccount
from protocol.errors import CallerError
from tests.support.clearing import World, clearing_world
from tests.support.institutions import RESERVE
from tests.support.shop import MERCHANT

pytestmark = pytest.mark.asyncio
SHOP_ACCOUNT = "6222000000001234"


@pytest.fixture
def world(lite_url: str) -> Iterator[World]:
    with clearing_world(lite_url) as found:
        yield found


def desk(world: World) -> PayoutDesk:
    repository = ClearingRepository(world.shop.reader)
    return PayoutDesk(submit=world.submit, payouts=repository.payouts, bank=world.near)


async def close(world: World) -> dict[str, Any]:
    """Close the day that has just ended."""
    yesterday = world.today
    world.next_day()
    report = await world.day_end.run(yesterday)
    assert report["state"] == "closed", report
    return report


async def paid_out(world: World) -> str:
    """A payout of 1,000 less its fee that the shop has got; its id."""
    payer = await world.payer_since_yesterday()
    world.sell(payer, 1_000)
    (payout,) = (await close(world))["payouts"]
    assert payout["state"] == "confirmed"
    return str(payout["payout_id"])


async def test_a_returned_payout_is_booked_shown_and_not_tried_again(world: World) -> None:
    payout_id = await paid_out(world)
    world.near.give_back(payout_id)
    report = await close(world)
    assert [row["payout_id"] for row in report["returned"]] == [payout_id]
    assert report["payouts"] == []
    assert (await close(world))["payouts"] == []
    assert world.at_bank(SHOP_ACCOUNT) == 0
    found = await world.standing()
    assert found["returned"] == [
        {"payout_id": payout_id, "amount_minor": 994, "reason": "return AC04"}
    ]
    assert found["available_minor"] == 994


async def test_what_was_earned_since_is_paid_without_what_came_back(world: World) -> None:
    payout_id = await paid_out(world)
    world.near.give_back(payout_id)
    payer = await world.payer()
    await close(world)
    world.sell(payer, 2_000)
    (payout,) = (await close(world))["payouts"]
    assert payout["amount_minor"] == 1_988
    assert world.at_bank(SHOP_ACCOUNT) == 1_988


async def test_a_released_payout_goes_out_with_the_next_run(world: World) -> None:
    payout_id = await paid_out(world)
    world.near.give_back(payout_id)
    await close(world)
    assert (await desk(world).release(payout_id))["state"] == "released"
    (payout,) = (await close(world))["payouts"]
    assert (payout["amount_minor"], payout["state"]) == (994, "confirmed")
    assert payout["payout_id"] != payout_id
    assert world.at_bank(SHOP_ACCOUNT) == 994
    with pytest.raises(CallerError) as caught:
        await desk(world).release(payout_id)
    assert caught.value.code == "payment_state"


async def test_a_new_account_of_the_merchant_gets_what_came_back(world: World) -> None:
    payout_id = await paid_out(world)
    world.near.give_back(payout_id)
    await close(world)
    world.near.open("NEW-ACCOUNT")
    world.shop.do(
        ChangePayoutAccount(
            merchant_id=MERCHANT,
            payout_bank="Another bank",
            payout_account_name="Shop",
            payout_account_no="NEW-ACCOUNT",
        )
    )
    (payout,) = (await close(world))["payouts"]
    assert (payout["amount_minor"], payout["state"]) == (994, "confirmed")
    assert world.at_bank("NEW-ACCOUNT") == 994
    assert (await desk(world).show(payout_id))["state"] == "released"


async def test_a_return_posts_rule_8_once_however_often_the_day_runs(world: World) -> None:
    payout_id = await paid_out(world)
    world.near.give_back(payout_id)
    yesterday = world.today
    world.next_day()
    for _ in range(3):
        assert (await world.day_end.run(yesterday))["state"] == "closed"
    repository = ClearingRepository(world.shop.reader)
    assert await repository.balance(chart.merchant_available(MERCHANT, "CNY")) == 994
    reserve = await repository.balance(chart.client("RESERVE", "CNY"))
    assert reserve == world.at_bank(RESERVE)


async def test_a_return_of_nothing_that_we_know_stays_a_break(world: World) -> None:
    payout_id = await paid_out(world)
    world.near.bank.move(
        f"RTN-{payout_id}X", SHOP_ACCOUNT, RESERVE, world.near.bank.balance(SHOP_ACCOUNT),
        world.near.world.today(), "return AC04",
    )  # fmt: skip
    yesterday = world.today
    world.next_day()
    report = await world.day_end.run(yesterday)
    assert report["state"] == "open"
    assert report["reconciliation"]["breaks"] > 0


async def test_an_accepted_recall_is_kept_and_its_money_booked_when_it_comes(
    world: World,
) -> None:
    payout_id = await paid_out(world)
    shown = await desk(world).recall(payout_id, "DUPL")
    assert (shown["recall"]["state"], shown["state"]) == ("accepted", "confirmed")
    report = await close(world)
    assert [row["payout_id"] for row in report["returned"]] == [payout_id]
    assert (await desk(world).show(payout_id))["state"] == "returned"


async def test_a_refused_recall_keeps_the_banks_reason(world: World) -> None:
    payout_id = await paid_out(world)
    bank = world.near.bank
    bank.move("SPENT", SHOP_ACCOUNT, "CARD", bank.balance(SHOP_ACCOUNT), world.today, "")
    shown = await desk(world).recall(payout_id, "CUST")
    assert (shown["recall"]["state"], shown["recall"]["answer_reason"]) == ("refused", "AM04")
    assert await desk(world).recall(payout_id, "CUST") == shown


async def test_a_recall_without_an_answer_is_asked_again_with_the_same_case(world: World) -> None:
    payout_id = await paid_out(world)
    world.near.deaf_to_recalls = 1
    assert (await desk(world).recall(payout_id, "FRAD"))["recall"]["state"] == "asked"
    world.next_day()
    assert (await desk(world).recall(payout_id, "DUPL"))["recall"] == {
        "state": "accepted",
        "reason": "FRAD",
        "answer_reason": "",
        "asked_at_ms": (await desk(world).show(payout_id))["recall"]["asked_at_ms"],
    }


async def test_only_a_paid_payout_can_be_recalled(world: World) -> None:
    with pytest.raises(CallerError) as caught:
        await desk(world).recall("pyo_nobody", "CUST")
    assert caught.value.code == "payment_not_found"
    payout_id = await paid_out(world)
    world.near.give_back(payout_id)
    await close(world)
    with pytest.raises(CallerError) as caught:
        await desk(world).recall(payout_id, "CUST")
    assert caught.value.code == "payment_state"
