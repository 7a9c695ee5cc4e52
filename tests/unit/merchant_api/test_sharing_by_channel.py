"""Sharing what a channel has brought: nobody is paid before it has paid, and nothing stays frozen
for good."""

import asyncio

import pytest

from backend.channels.model import ChannelAnswer
from backend.clearing.repository import ClearingRepository
from backend.clearing.reserve import ConfirmChannelSettlement
from backend.ledger.chart import channel, client
from backend.ledger.rules.legs import Event, posted
from backend.payments.by_channel import ResolvePayment
from backend.refunds.by_channel import ResolveRefund
from backend.sagas.model import Ask
from backend.sagas.ports import Word
from backend.sagas.service import ClaimSagas
from backend.sharing.repository import SharingRepository
from backend.sharing.sweep import CarryOnSharing, carry_on_sharing
from tests.support.books import Post
from tests.support.channel_world import CARD_TOKEN
from tests.support.merchant_caller import Caller
from tests.support.shop import MERCHANT, Shop
from tests.support.wallet_http import services_of
from tests.unit.merchant_api.test_orders_and_codes import PAY, pay, query
from tests.unit.merchant_api.test_profit_sharing import (
    DAY_MS,
    FROZEN,
    MINUTE_MS,
    OTHERS,
    OWN,
    SHARING,
    add,
    left,
    other_number,
    share,
    sharer,
    to,
    unfreeze,
)
from tests.unit.merchant_api.test_sandbox import refund

__all__ = ["sharer"]


def test_a_card_s_money_is_shared_when_its_channel_has_paid(sharer: Caller) -> None:
    """Until then it is held for the receiver, frozen, and neither is settled to anybody."""
    shop = sharer.shop
    payment_id, transaction_id, date = by_card(sharer)
    mchid, frozen = other_number(sharer), f"C:SHARE:{payment_id}:CNY"
    add(sharer, "MERCHANT_ID", mchid)
    shop.clock.at_ms += MINUTE_MS
    made = share(sharer, transaction_id, "P1", to("MERCHANT_ID", mchid, 200), last=False)
    assert made.json()["state"] == "PROCESSING"
    assert (shop.balance(frozen), left(sharer, transaction_id)) == (1_272, 1_072)
    assert shop.balance(OTHERS) == 0
    assert unpaid(shop) == 0  # nothing of it is pending
    shop.clock.at_ms += 10 * MINUTE_MS
    assert asyncio.run(carry_on_sharing(services_of(shop))) == 0
    settled = ConfirmChannelSettlement(
        reference=f"STL-NUCC-{date.replace('-', '')}", channel_id="NUCC", settlement_date=date,
        business_date=date, currency="CNY", amount_minor=1_280,
    )  # fmt: skip
    assert shop.do(settled)
    shop.clock.at_ms += 10 * MINUTE_MS
    assert asyncio.run(carry_on_sharing(services_of(shop))) == 1
    path = f"{SHARING}/orders/P1?transaction_id={transaction_id}"
    assert sharer.ask("GET", path).json()["state"] == "FINISHED"
    assert (shop.balance(frozen), shop.balance(OTHERS)) == (1_072, 200)
    assert shop.verify().is_whole


def test_a_share_does_not_wait_for_a_channel_that_owes_nothing(sharer: Caller) -> None:
    """As much went back through it as came on that day: it never pays the day."""
    shop = sharer.shop
    _, transaction_id, date = by_card(sharer)
    mchid = other_number(sharer)
    add(sharer, "MERCHANT_ID", mchid)
    shop.clock.at_ms += MINUTE_MS
    part = to("MERCHANT_ID", mchid, 200)
    assert share(sharer, transaction_id, "P1", part, last=False).json()["state"] == "PROCESSING"
    event = Event("went-back", "CNY", date)
    went = (client("UNSWEPT", "CNY"), channel("NUCC", date, "CNY"), 1_280)
    shop.do(Post(posted(event, "refund_of_other_days", [went])))
    shop.clock.at_ms += 10 * MINUTE_MS
    assert asyncio.run(carry_on_sharing(services_of(shop))) == 1
    assert shop.balance(OTHERS) == 200


def test_a_round_that_comes_while_the_clock_looks_is_not_forgotten(sharer: Caller) -> None:
    """The sweep has read the shares that wait, then a last round adds one, then it acts."""
    shop = sharer.shop
    payment_id, transaction_id, date = by_card(sharer)
    mchid = other_number(sharer)
    add(sharer, "MERCHANT_ID", mchid)
    shop.clock.at_ms += MINUTE_MS
    share(sharer, transaction_id, "P1", to("MERCHANT_ID", mchid, 200), last=False)
    shop.clock.at_ms += 10 * MINUTE_MS
    [(_, count, waiting)] = SharingRepository(shop.reader).due(shop.clock.at_ms)
    share(sharer, transaction_id, "P2", to("MERCHANT_ID", mchid, 100), last=True)
    settled = ConfirmChannelSettlement(
        reference=f"STL-NUCC-{date.replace('-', '')}", channel_id="NUCC", settlement_date=date,
        business_date=date, currency="CNY", amount_minor=1_280,
    )  # fmt: skip
    assert shop.do(settled)
    late = CarryOnSharing(
        payment_id=payment_id, round_count=count, waiting=waiting, rules=shop.rules
    )
    shop.do(late)
    shop.clock.at_ms += 10 * MINUTE_MS
    asyncio.run(carry_on_sharing(services_of(shop)))
    assert (shop.balance(OTHERS), shop.balance(f"C:SHARE:{payment_id}:CNY")) == (300, 0)
    assert shop.verify().is_whole


def test_what_is_released_before_its_channel_has_paid_stays_pending(sharer: Caller) -> None:
    _, transaction_id, _ = by_card(sharer)
    sharer.shop.clock.at_ms += MINUTE_MS
    assert unfreeze(sharer, transaction_id, "P1").status_code == 200
    assert (sharer.shop.balance(OWN), unpaid(sharer.shop)) == (1_272, 1_272)


@pytest.mark.parametrize("wait_ms", [0, 30 * DAY_MS])
def test_a_refund_that_its_channel_refuses_after_the_release_is_released_too(
    sharer: Caller, wait_ms: int
) -> None:
    """It had taken what was frozen, and gives it back there when nobody shares any more."""
    shop = sharer.shop
    payment_id, transaction_id, _ = by_card(sharer)
    frozen = f"C:SHARE:{payment_id}:CNY"
    shop.clock.at_ms += MINUTE_MS
    assert refund(sharer, "refund-1", 1_000).json()["status"] == "PROCESSING"
    if wait_ms:
        shop.clock.at_ms += wait_ms
        asyncio.run(carry_on_sharing(services_of(shop)))
    else:
        assert unfreeze(sharer, transaction_id, "P1").status_code == 200
    assert shop.balance(frozen) == 0
    [row] = shop.rows("SELECT refund_id FROM refund")
    refund_id = row["refund_id"]
    shop.do(ClaimSagas(saga_ids=(refund_id,)))
    word = Word(ask=Ask.SEND, answer=ChannelAnswer(refund_id, "refused", "AC04", "", ""))
    shop.do(ResolveRefund(saga_id=refund_id, word=word, rules=shop.rules))
    assert shop.balance(frozen) > 0
    shop.clock.at_ms += 10 * MINUTE_MS
    assert asyncio.run(carry_on_sharing(services_of(shop))) == 1
    assert (shop.balance(frozen), shop.balance(OWN)) == (0, 1_272)
    assert shop.verify().is_whole


def by_card(caller: Caller) -> tuple[str, str, str]:
    """An order that a card has paid: our id, the platform's number, the channel's date."""
    shop = caller.shop
    payer_id = shop.add_payer()
    shop.add_instrument(payer_id, "card", token=CARD_TOKEN)
    made = caller.ask("POST", f"{PAY}/native", caller.order(**FROZEN))
    payment_id = pay(caller, made.json()["code_url"], payer_id)["payment_id"]
    shop.do(ClaimSagas(saga_ids=(payment_id,)))
    [saga] = shop.rows("select * from saga")
    date = saga["planned_date"]
    answer = ChannelAnswer(payment_id, "succeeded", "", "", date)
    word = Word(ask=Ask.SEND, answer=answer)
    shop.do(ResolvePayment(saga_id=payment_id, word=word, rules=shop.rules))
    assert saga["channel_id"] == "NUCC"
    return payment_id, query(caller)["transaction_id"], date


def unpaid(shop: Shop) -> int:
    """What the clearing holds back for channels."""
    found = asyncio.run(ClearingRepository(shop.reader).pending("2026-01-01", MERCHANT))
    return sum(sum(one.unpaid_minor.values()) for one in found)
