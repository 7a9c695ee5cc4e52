"""Filling the balance from a bank account: a conversation like a payment, with one end."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from backend.channels.facts import DEFAULT_FACTS
from backend.channels.model import NUCC
from backend.clearing.caps import NetDebitCaps
from backend.routing.limits import OPEN_MS, SILENCES_TO_OPEN
from backend.routing.model import Routing
from backend.topups.model import TRANSITIONS, Outcome, TopUpState, next_state
from backend.topups.repository import TopUpRepository
from backend.topups.service import OrderTopUp, TopUps
from protocol.errors import CallerError
from protocol.money import Money
from tests.support.channel_world import CARD_TOKEN, ChannelWorld, quiet_channel_world


@pytest.fixture
def world(migrated_url: str) -> Iterator[ChannelWorld]:
    with quiet_channel_world(migrated_url) as world:
        yield world


def order(world: ChannelWorld, minor: int = 700, **changes: Any) -> str:
    fields: dict[str, Any] = {
        "topup_id": world.shop.id("top"),
        "payer_id": world.card_payer(),
        "bank_account": CARD_TOKEN,
        "amount": Money(minor, "CNY"),
        "rules": world.shop.rules,
    }
    return str(world.shop.do(OrderTopUp(**(fields | changes)))["topup_id"])


def state(world: ChannelWorld, topup_id: str) -> tuple[str, str]:
    [row] = world.shop.rows(f"SELECT * FROM topup WHERE topup_id = '{topup_id}'")
    return row["state"], row["reason"]


def balance(world: ChannelWorld) -> int:
    return world.shop.payer_balance(world.card_payer())


@pytest.mark.asyncio
@pytest.mark.parametrize("mishaps", [[], ["silent"], ["silent", "lost"], ["unsent", "unsent"]])
async def test_the_balance_rises_once_on_the_channel_s_word(
    world: ChannelWorld, mishaps: list[Any]
) -> None:
    topup_id = order(world)
    assert balance(world) == 0
    world.card.mishaps = mishaps
    for _ in range(6):
        await world.wait(seconds=3)
    assert state(world, topup_id) == ("succeeded", "")
    assert balance(world) == world.charged() == 700
    world.check_quiet()


@pytest.mark.asyncio
async def test_one_that_never_arrives_fails_and_takes_nothing_when_it_comes_late(
    world: ChannelWorld,
) -> None:
    topup_id = order(world)
    world.card.mishaps = ["late"]
    await world.runner.run_due()
    assert state(world, topup_id)[0] == "unknown"
    await world.finish()
    world.card.deliver_late()
    assert state(world, topup_id) == ("failed", "reversed")
    assert balance(world) == world.charged() == 0
    world.check_quiet()


@pytest.mark.asyncio
async def test_what_the_bank_refuses_fails_with_its_reason(world: ChannelWorld) -> None:
    topup_id = order(world, 50_001)
    await world.finish()
    assert state(world, topup_id) == ("failed", "AM04")
    assert balance(world) == 0


@pytest.mark.asyncio
async def test_one_that_cannot_be_sent_in_time_fails_without_a_word(world: ChannelWorld) -> None:
    topup_id = order(world)
    world.card.mishaps = ["unsent"] * 60
    await world.finish()
    assert state(world, topup_id) == ("failed", "channel_unavailable")
    assert world.card.book.order(topup_id) is None


@pytest.mark.asyncio
async def test_one_whose_reversal_comes_too_late_is_the_payer_s(world: ChannelWorld) -> None:
    """Taken, settled, and only then heard of: nobody else has a claim on it."""
    topup_id = order(world)
    world.card.mishaps = ["silent", "lost", "lost", "lost", "lost", "lost", "lost"]
    for _ in range(7):
        await world.wait(seconds=30)
    world.card.mishaps = []
    world.settle_card()
    await world.finish()
    assert world.sagas(topup_id) in ({topup_id: "settled"}, {topup_id: "succeeded"})
    assert state(world, topup_id) == ("succeeded", "")
    assert balance(world) == world.charged() == 700


def test_the_same_order_again_changes_nothing_and_other_content_is_a_conflict(
    world: ChannelWorld,
) -> None:
    topup_id = order(world)
    assert order(world, topup_id=topup_id) == topup_id
    with pytest.raises(CallerError, match="idempotency_conflict"):
        order(world, 701, topup_id=topup_id)
    with pytest.raises(CallerError, match="payer_unknown"):
        order(world, payer_id="pyr_nobody")
    with pytest.raises(CallerError, match="id_invalid"):
        order(world, topup_id="pay_1")
    assert len(world.shop.rows("SELECT * FROM saga")) == 1


@pytest.mark.asyncio
async def test_who_orders_waits_for_the_first_word_whoever_speaks(world: ChannelWorld) -> None:
    async def submit(command: Any) -> Any:
        return world.shop.do(command)

    desk = TopUps(
        submit=submit,
        carry_on=world.runner.carry_on,
        repository=TopUpRepository(world.shop.reader),
        rules=world.shop.rules,
    )
    fields: dict[str, Any] = {
        "topup_id": world.shop.id("top"),
        "payer_id": world.card_payer(),
        "bank_account": CARD_TOKEN,
        "amount": Money(300, "CNY"),
    }
    assert (await desk.top_up(**fields))["state"] == "succeeded"
    assert (await desk.top_up(**fields))["state"] == "succeeded"
    world.card.mishaps = ["silent"]
    silent = await desk.top_up(**(fields | {"topup_id": world.shop.id("top")}))
    assert silent["state"] == "unknown"
    assert balance(world) == 300


@pytest.mark.asyncio
async def test_a_channel_that_has_fallen_silent_is_asked_for_no_more_but_a_probe(
    world: ChannelWorld,
) -> None:
    waiting = [order(world) for _ in range(SILENCES_TO_OPEN)]
    world.card.mishaps = ["unsent"] * SILENCES_TO_OPEN
    await world.runner.run_due()
    with pytest.raises(CallerError, match="breaker_open"):
        order(world)
    assert order(world, topup_id=waiting[0]) == waiting[0]
    assert len(world.shop.rows("SELECT * FROM topup")) == SILENCES_TO_OPEN
    world.shop.clock.at_ms += OPEN_MS
    probe = order(world)
    with pytest.raises(CallerError, match="breaker_open"):
        order(world)
    await world.finish()
    assert {state(world, one) for one in [*waiting, probe]} == {("succeeded", "")}
    assert state(world, order(world))[0] == "processing"


@pytest.mark.asyncio
async def test_the_net_debit_cap_bounds_top_ups_beside_payments(world: ChannelWorld) -> None:
    room = NetDebitCaps(caps_minor={NUCC: 10_000}, now_ms=world.shop.clock.now_ms)
    world.shop.rules = replace(world.shop.rules, room=room)
    order(world, 6_000)
    await world.finish()
    with pytest.raises(CallerError, match="cap_exceeded"):
        order(world, 4_001)
    order(world, 4_000)
    await world.finish()
    refused = world.shop.pay(world.card_payer("NUCC"), 1)
    assert refused["error"]["code"] == "channel_unavailable"
    assert balance(world) == world.charged() == 10_000


def test_a_channel_that_is_not_configured_or_does_not_take_the_amount_takes_no_top_up(
    world: ChannelWorld,
) -> None:
    facts = replace(DEFAULT_FACTS[NUCC], amount_minor_max=699)
    for found, why in (({}, "not configured"), ({NUCC: facts}, "NUCC: amount")):
        rules = replace(world.shop.rules, routing=Routing(facts=found))
        with pytest.raises(CallerError, match=why):
            order(world, rules=rules)
    assert world.shop.rows("SELECT * FROM topup") == []


def test_every_step_of_the_table_is_taken_and_no_other() -> None:
    for before, outcome in product(TopUpState, Outcome):
        expected = TRANSITIONS.get((before, outcome))
        if expected is None:
            with pytest.raises(CallerError, match="payment_state"):
                next_state(before, outcome)
        else:
            assert next_state(before, outcome) is expected
