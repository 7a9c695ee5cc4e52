"""One conversation or one channel that goes wrong stops no other."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.event import listen, remove
from structlog.testing import capture_logs

from backend.channels.limits import CALL_TIMEOUT_S, CONNECTIONS_PER_LINE_MAX
from backend.channels.model import ChannelAnswer, PayOrder
from backend.sagas.limits import CONVERSATIONS_PER_CHANNEL_MAX, LEASE_MS
from backend.sagas.repository import SagaRepository
from protocol.errors import OperatingError
from tests.kit.patience import PATIENCE_S
from tests.support.channel_world import ChannelWorld


def broken() -> None:
    raise ZeroDivisionError


@pytest.mark.asyncio
async def test_an_answer_that_nobody_foresaw_is_logged_and_the_others_go_on(
    world: ChannelWorld,
) -> None:
    by_card = world.shop.pay(world.card_payer(), 500)["payment_id"]
    by_fund = world.shop.pay(world.fund_payer(), 500)["payment_id"]
    world.card.meanwhile = broken
    with capture_logs() as logs:
        await world.runner.run_due()
    failed = [log for log in logs if log["event"] == "saga_failed"]
    assert [(log["saga_id"], log["log_level"]) for log in failed] == [(by_card, "error")]
    assert (world.state(by_fund), world.state(by_card)) == ("captured", "processing")
    world.card.meanwhile = None
    await world.wait(seconds=LEASE_MS // 1000)
    assert world.state(by_card) == "captured"
    world.check_quiet()


@pytest.mark.asyncio
async def test_a_conversation_that_always_fails_is_tried_more_and_more_rarely(
    world: ChannelWorld,
) -> None:
    world.shop.pay(world.card_payer(), 500)
    world.card.meanwhile = broken
    waits = []
    for _ in range(7):
        await world.runner.run_due()
        [row] = world.shop.rows("SELECT next_try_ms FROM saga")
        waits.append(row["next_try_ms"] - world.shop.clock.at_ms)
        world.shop.clock.at_ms = row["next_try_ms"]
    assert waits == [LEASE_MS] * 5 + [32_000, 60_000]
    world.card.meanwhile = None
    await world.finish()
    world.check_quiet()


@pytest.mark.asyncio
async def test_words_too_long_for_a_timeline_are_cut_and_the_payment_is_paid(
    world: ChannelWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = world.card.pay

    async def pays(order: PayOrder) -> ChannelAnswer:
        answer = await asked(order)
        return ChannelAnswer(
            answer.order_id, answer.state, "", 'a "long" name' * 40, answer.settlement_date
        )

    monkeypatch.setattr(world.card, "pay", pays)
    payment_id = world.shop.pay(world.card_payer(), 500)["payment_id"]
    await world.runner.run_due()
    assert world.state(payment_id) == "captured"
    world.check_quiet()


@pytest.mark.asyncio
async def test_a_channel_that_hangs_keeps_its_own_places_only(
    world: ChannelWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_full, is_paid, hanging = asyncio.Event(), asyncio.Event(), []
    asked = world.card.pay

    async def hangs(order: PayOrder) -> ChannelAnswer:
        hanging.append(order)
        if len(hanging) == CONVERSATIONS_PER_CHANNEL_MAX:
            is_full.set()
        await asyncio.Event().wait()
        raise OperatingError("timeout")

    async def pays(order: PayOrder) -> ChannelAnswer:
        is_paid.set()
        return await asked(order)

    monkeypatch.setattr(world.fund, "pay", hangs)
    monkeypatch.setattr(world.card, "pay", pays)
    for number in range(CONVERSATIONS_PER_CHANNEL_MAX + 1):
        payer = world.shop.add_payer()
        world.shop.add_instrument(payer, "fund", token=f"tok_fund_of_payer_{number}")
        assert world.shop.pay(payer, 10)["state"] == "processing"
    running = asyncio.create_task(world.runner.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            await is_full.wait()
            world.shop.pay(world.card_payer(), 500)
            world.runner.wake()
            await is_paid.wait()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert len(hanging) == CONVERSATIONS_PER_CHANNEL_MAX


def test_a_lease_lasts_longer_than_an_exchange_and_nobody_waits_for_a_connection() -> None:
    calls = 2  # a refund is asked about before it is sent again
    assert calls * CALL_TIMEOUT_S * 1000 < LEASE_MS
    assert CONNECTIONS_PER_LINE_MAX >= CONVERSATIONS_PER_CHANNEL_MAX


def test_with_nothing_due_one_question_is_asked_however_many_channels_there_are(
    world: ChannelWorld,
) -> None:
    """Each backend asks twice a second, also in a shop where nobody pays by card."""
    asked: list[str] = []
    repository = SagaRepository(world.shop.reader)
    places = {f"channel-{number}": 4 for number in range(9)}

    def note(*seen: Any) -> None:
        asked.append(seen[2])

    listen(Engine, "before_cursor_execute", note)
    try:
        assert repository.due(world.shop.clock.at_ms, places) == []
    finally:
        remove(Engine, "before_cursor_execute", note)
    assert len([one for one in asked if one.startswith("SELECT")]) == 1


def test_what_is_due_is_found_by_its_channels_places(world: ChannelWorld) -> None:
    saga_id = world.shop.pay(world.card_payer(), 500)["payment_id"]
    repository, at_ms = SagaRepository(world.shop.reader), world.shop.clock.at_ms
    [row] = world.shop.rows("SELECT channel_id FROM saga")
    assert repository.due(at_ms, {"another": 4}) == []
    assert repository.due(at_ms, {"another": 4, row["channel_id"]: 4}) == [saga_id]
