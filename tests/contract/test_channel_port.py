"""What every channel does, near twin or real adapter: one suite for all (``RIGS``)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from backend.channels.facts import Offer
from backend.channels.model import PayOrder, PayoutOrder, RefundOrder
from protocol.errors import CallerError, OperatingError, TillwayError
from protocol.ids import mint
from protocol.money import Money
from tests.support.channel_rigs import OPENING_MINOR, RIGS, Rig
from tests.support.shop import START_MS

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture(params=sorted(RIGS))
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    async with RIGS[request.param](tmp_path) as rig:
        yield rig


def an_id(prefix: str, number: int = 1) -> str:
    return mint(prefix, time_ms=START_MS, random_bytes=number.to_bytes(10, "big"))


def an_order(rig: Rig, amount_minor: int = 1_000, number: int = 1) -> PayOrder:
    return PayOrder(an_id("pay", number), rig.token, Money(amount_minor, "CNY"), START_MS)


async def a_refund(rig: Rig, order: PayOrder, amount_minor: int, number: int = 1) -> RefundOrder:
    paid = await rig.port.pay(order)
    return RefundOrder(
        an_id("rfd", number),
        order.order_id,
        Money(amount_minor, "CNY"),
        at_ms=START_MS,
        token=order.token,
        order_amount_minor=order.amount.amount_minor,
        order_at_ms=order.at_ms,
        order_reference=paid.reference,
        order_settlement_date=paid.settlement_date,
    )


def a_payout(rig: Rig, amount_minor: int = 700) -> PayoutOrder:
    amount = Money(amount_minor, "CNY")
    return PayoutOrder(an_id("wdr"), rig.token, "李雷", amount, START_MS)


PAYING_OUT = ["near NetsUnion", "netsunion"]
NOT_PAYING_OUT = sorted(set(RIGS) - set(PAYING_OUT))
ANSWERING_QUERIES = sorted(set(RIGS) - {"near UnionPay", "unionpay"})


@pytest.mark.parametrize("name", sorted(RIGS))
async def test_a_channel_offers_what_it_is_tried_for(name: str, tmp_path: Path) -> None:
    async with RIGS[name](tmp_path) as rig:
        offers = rig.port.facts.offers
        assert (Offer.PAYOUT in offers) == (name in PAYING_OUT)
        assert (Offer.QUERY in offers) == (name in ANSWERING_QUERIES)


async def test_the_same_order_again_gets_the_first_answer_and_moves_money_once(rig: Rig) -> None:
    first = await rig.port.pay(an_order(rig))
    assert (first.state, first.order_id) == ("succeeded", an_order(rig).order_id)
    assert first.reference
    assert first.settlement_date
    assert await rig.port.pay(an_order(rig)) == first
    assert rig.left_minor() == OPENING_MINOR - 1_000


async def test_the_same_id_with_other_content_moves_nothing(rig: Rig) -> None:
    await rig.port.pay(an_order(rig))
    with pytest.raises(TillwayError):
        await rig.port.pay(an_order(rig, 1_001))
    assert rig.left_minor() == OPENING_MINOR - 1_000


async def test_more_than_the_payer_has_is_refused_with_a_reason(rig: Rig) -> None:
    answer = await rig.port.pay(an_order(rig, OPENING_MINOR + 1))
    assert answer.state == "refused"
    assert answer.reason
    assert rig.left_minor() == OPENING_MINOR


async def test_silence_is_an_operating_error_and_the_outcome_can_be_learned(rig: Rig) -> None:
    rig.lose_next_answer()
    with pytest.raises(OperatingError):
        await rig.port.pay(an_order(rig))
    if Offer.QUERY in rig.port.facts.offers:
        found = await rig.port.query(an_order(rig))
        assert found is not None
        assert found.state == "succeeded"
        assert rig.left_minor() == OPENING_MINOR - 1_000
    else:
        assert (await rig.port.reverse(an_order(rig))).state == "reversed"
        assert rig.left_minor() == OPENING_MINOR


@pytest.mark.parametrize("rig", ANSWERING_QUERIES, indirect=True)
async def test_what_never_arrived_is_not_known(rig: Rig) -> None:
    assert await rig.port.query(an_order(rig)) is None


async def test_a_reversal_gives_all_back_once(rig: Rig) -> None:
    await rig.port.pay(an_order(rig))
    first = await rig.port.reverse(an_order(rig))
    assert first.state == "reversed"
    assert (await rig.port.reverse(an_order(rig))).state == "reversed"
    assert rig.left_minor() == OPENING_MINOR


async def test_an_order_whose_reversal_came_first_takes_nothing(rig: Rig) -> None:
    assert (await rig.port.reverse(an_order(rig))).state == "reversed"
    late = await rig.port.pay(an_order(rig))
    assert late.state in {"reversed", "refused"}
    assert rig.left_minor() == OPENING_MINOR


async def test_what_is_settled_is_not_reversed(rig: Rig) -> None:
    paid = await rig.port.pay(an_order(rig))
    await rig.close_day()
    answer = await rig.port.reverse(an_order(rig))
    assert (answer.state, answer.settlement_date) == ("refused", paid.settlement_date)
    assert rig.left_minor() == OPENING_MINOR - 1_000


async def test_a_refund_gives_back_once_whatever_is_asked_again(rig: Rig) -> None:
    refund = await a_refund(rig, an_order(rig), 400)
    first = await rig.port.refund(refund)
    assert (first.state, first.order_id) == ("succeeded", refund.refund_id)
    assert await rig.port.refund(refund) == first
    assert rig.left_minor() == OPENING_MINOR - 600


async def test_what_is_named_by_the_channels_own_number_goes_back_once(rig: Rig) -> None:
    """As money that a channel has taken without our asking: it knows it, and we do not."""
    assert Offer.RETURN in rig.port.facts.offers
    paid = await rig.port.pay(an_order(rig))
    back = RefundOrder(
        an_id("rtn"), an_id("pay", 99), Money(1_000, "CNY"), at_ms=START_MS, token=rig.token,
        order_amount_minor=1_000, order_reference=paid.reference,
        order_settlement_date=paid.settlement_date, is_by_reference=True,
    )  # fmt: skip
    if Offer.FIND in rig.port.facts.offers:
        found = await rig.port.find(back)
        assert found is not None
        assert (found.state, found.reference) == ("succeeded", paid.reference)
        unknown = replace(back, order_reference="9" * len(paid.reference))
        assert await rig.port.find(unknown) is None
    first = await rig.port.refund(back)
    assert (first.state, first.order_id) == ("succeeded", back.refund_id)
    assert await rig.port.refund(back) == first
    if Offer.QUERY in rig.port.facts.offers:
        assert await rig.port.query_refund(back) == first
    assert rig.left_minor() == OPENING_MINOR
    again = await rig.port.refund(replace(back, refund_id=an_id("rtn", 2)))
    assert again.state == "refused"
    assert rig.left_minor() == OPENING_MINOR


async def test_refunds_sum_to_the_order_at_most(rig: Rig) -> None:
    first = await a_refund(rig, an_order(rig), 600)
    second = await a_refund(rig, an_order(rig), 401, number=2)
    assert (await rig.port.refund(first)).state == "succeeded"
    assert (await rig.port.refund(second)).state == "refused"
    third = await a_refund(rig, an_order(rig), 400, number=3)
    assert (await rig.port.refund(third)).state == "succeeded"
    assert rig.left_minor() == OPENING_MINOR


async def test_what_is_settled_can_still_be_refunded(rig: Rig) -> None:
    refund = await a_refund(rig, an_order(rig), 1_000)
    await rig.close_day()
    assert (await rig.port.refund(refund)).state == "succeeded"
    assert rig.left_minor() == OPENING_MINOR


async def test_a_refund_without_an_answer_is_learned_by_asking_or_by_sending_again(
    rig: Rig,
) -> None:
    refund = await a_refund(rig, an_order(rig), 400)
    rig.lose_next_answer()
    with pytest.raises(OperatingError):
        await rig.port.refund(refund)
    can_query = Offer.QUERY in rig.port.facts.offers
    found = await (rig.port.query_refund(refund) if can_query else rig.port.refund(refund))
    assert found is not None
    assert found.state == "succeeded"
    assert rig.left_minor() == OPENING_MINOR - 600


@pytest.mark.parametrize("rig", PAYING_OUT, indirect=True)
async def test_a_payout_arrives_once(rig: Rig) -> None:
    first = await rig.port.payout(a_payout(rig))
    assert (first.state, first.order_id) == ("succeeded", a_payout(rig).payout_id)
    assert await rig.port.payout(a_payout(rig)) == first
    with pytest.raises(TillwayError):
        await rig.port.payout(a_payout(rig, 701))
    assert rig.left_minor() == OPENING_MINOR + 700


@pytest.mark.parametrize("rig", PAYING_OUT, indirect=True)
async def test_a_payout_without_an_answer_is_learned_by_asking(rig: Rig) -> None:
    assert await rig.port.query_payout(a_payout(rig)) is None
    rig.lose_next_answer()
    with pytest.raises(OperatingError):
        await rig.port.payout(a_payout(rig))
    found = await rig.port.query_payout(a_payout(rig))
    assert found is not None
    assert found.state == "succeeded"
    assert rig.left_minor() == OPENING_MINOR + 700


@pytest.mark.parametrize("rig", NOT_PAYING_OUT, indirect=True)
async def test_what_a_channel_does_not_offer_it_refuses_at_once(rig: Rig) -> None:
    with pytest.raises(CallerError, match="channel_unavailable"):
        await rig.port.payout(a_payout(rig))
