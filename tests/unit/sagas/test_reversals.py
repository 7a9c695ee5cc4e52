"""Undoing what a channel may have charged: for the till at once, there until it is confirmed."""

import pytest

from tests.support.channel_world import ChannelWorld
from tests.support.shop import MERCHANT

pytestmark = pytest.mark.asyncio


def reverse(world: ChannelWorld, payment_id: str) -> str:
    answer = world.shop.ask("payment.reverse", {"payment_id": payment_id})
    return str(answer["state"])


async def pay(world: ChannelWorld, amount_minor: int = 500) -> str:
    paid = world.shop.pay(world.card_payer(), amount_minor)
    return str(paid["payment_id"])


async def test_a_payment_that_was_never_sent_is_reversed_without_a_word_to_the_channel(
    world: ChannelWorld,
) -> None:
    payment_id = await pay(world)
    assert reverse(world, payment_id) == "reversed"
    await world.finish()
    assert world.card.book.order(payment_id) is None
    assert world.timeline(payment_id) == ["SagaPlanned", "SagaNeverSent"]
    world.check_quiet()


async def test_a_till_s_reversal_of_the_unknown_takes_back_what_the_channel_had_charged(
    world: ChannelWorld,
) -> None:
    payment_id = await pay(world)
    world.card.mishaps = ["silent"]
    await world.runner.run_due()
    assert (world.charged(), world.state(payment_id)) == (500, "unknown")
    assert reverse(world, payment_id) == "reversed"
    await world.finish()
    assert world.charged() == 0
    assert world.timeline(payment_id)[2:] == ["SagaContactLost", "SagaGivenUp", "SagaReversed"]
    world.check_quiet()


async def test_a_success_that_comes_while_the_till_reverses_is_noted_and_reversed(
    world: ChannelWorld,
) -> None:
    """The till gives up between the order's leaving and the answer's coming."""
    payment_id = await pay(world)
    world.card.meanwhile = lambda: reverse(world, payment_id)
    await world.runner.run_due()
    assert world.state(payment_id) == "reversed"
    assert world.charged() == 500
    await world.finish()
    assert world.charged() == 0
    assert world.timeline(payment_id) == [
        "SagaPlanned",
        "SagaSent",
        "SagaGivenUp",
        "SagaSucceededLate",
        "SagaReversed",
    ]
    world.check_quiet()


async def test_a_reversal_that_overtakes_its_order_leaves_a_tombstone(world: ChannelWorld) -> None:
    payment_id = await pay(world)
    world.card.mishaps = ["late", None]
    await world.runner.run_due()
    reverse(world, payment_id)
    await world.finish()
    [answer] = world.card.deliver_late()
    assert answer is not None
    assert answer.state == "reversed"
    assert world.charged() == 0
    world.check_quiet()


async def test_a_lost_reversal_is_told_again_until_the_channel_confirms(
    world: ChannelWorld,
) -> None:
    payment_id = await pay(world)
    await world.runner.run_due()
    assert reverse(world, payment_id) == "reversed"
    world.card.mishaps = ["lost", "silent", "lost"]
    await world.finish()
    assert world.charged() == 0
    assert world.sagas(payment_id) == {payment_id: "reversed"}
    world.check_quiet()


async def test_a_captured_payment_is_undone_in_the_books_and_at_the_channel(
    world: ChannelWorld,
) -> None:
    payment_id = await pay(world, 10_000)
    await world.finish()
    assert reverse(world, payment_id) == "reversed"
    for account in (f"C:MPEND:{MERCHANT}:CNY", "C:UNSWEPT:CNY", "C:CH:NUCC.2026-11-23:CNY"):
        assert world.shop.balance(account) == 0
    await world.finish()
    assert world.charged() == 0
    world.check_quiet()


async def test_what_the_channel_has_settled_is_refunded_instead(world: ChannelWorld) -> None:
    """Paid before the channel's cut-off, reversed after it had settled: same day for the shop."""
    payment_id = await pay(world, 10_000)
    await world.finish()
    world.settle_card()
    assert reverse(world, payment_id) == "reversed"
    await world.runner.run_due()
    assert world.shop.balance("C:LONG:CNY") == 10_000
    await world.finish()
    assert world.charged() == 0
    back = f"{payment_id}.back"
    assert world.sagas(payment_id) == {payment_id: "settled", back: "succeeded"}
    assert world.timeline(payment_id)[-1] == "SagaReversalRefused"
    assert world.timeline(back) == ["SagaPlanned", "SagaSent", "SagaSucceeded"]
    assert world.shop.balance(f"C:MPEND:{MERCHANT}:CNY") == 0
    world.check_quiet()


async def test_an_unknown_order_that_was_settled_is_refunded_and_leaves_no_hold(
    world: ChannelWorld,
) -> None:
    payment_id = await pay(world)
    world.card.mishaps = ["silent"]
    await world.runner.run_due()
    world.settle_card()
    reverse(world, payment_id)
    await world.finish()
    assert world.sagas(payment_id) == {payment_id: "settled", f"{payment_id}.back": "succeeded"}
    assert world.charged() == 0
    world.check_quiet()


async def test_a_payment_under_way_cannot_be_closed_as_if_nobody_had_paid(
    world: ChannelWorld,
) -> None:
    payment_id = await pay(world)
    closed = world.shop.ask("payment.close", {"payment_id": payment_id})
    assert (closed["state"], closed["error"]["code"]) == ("processing", "payment_state")
    await world.finish()
    assert world.state(payment_id) == "captured"


async def test_a_mandate_s_limit_is_free_again_when_the_card_is_refused_or_the_payment_undone(
    world: ChannelWorld,
) -> None:
    payer = world.card_payer()
    mandate_id = world.shop.add_mandate(payer)
    body = {"mandate_id": mandate_id}

    def spent() -> int:
        return int(world.shop.rows("SELECT spent_minor FROM mandate")[0]["spent_minor"])

    def debit() -> str:
        fields = world.shop.create_body("mandate", 1_000, **body)
        answer = world.shop.ask("payment.create", fields, device="vend1")
        assert answer["state"] == "processing"
        return str(answer["payment_id"])

    first = debit()
    assert spent() == 1_000
    world.card.refuses = 1
    await world.finish()
    assert spent() == 0
    second = debit()
    await world.finish()
    world.shop.ask("payment.reverse", {"payment_id": second}, device="vend1")
    assert spent() == 0
    assert first != second
    await world.finish()
    world.check_quiet()
