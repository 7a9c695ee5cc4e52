"""A dispute of a payment that came through a channel: the issuer keeps the money back."""

import pytest

from backend.disputes.model import DisputeCommand
from protocol.errors import CallerError
from tests.support.channel_world import ChannelWorld
from tests.support.disputes import decide, dispute, put_aside, settle

LOSE = DisputeCommand.LOSE
pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("funding", ["card", "fund"])
async def test_a_lost_dispute_goes_to_the_channel_on_its_settlement_date(
    world: ChannelWorld, funding: str
) -> None:
    shop = world.shop
    payer = world.card_payer() if funding == "card" else world.fund_payer()
    payment_id = shop.pay(payer, 10_000)["payment_id"]
    await world.finish()
    settle(shop)
    case = dispute(shop, payment_id, 4_000, reference="CB-77", actor="channel:NUCC")
    for wrong in ("", "2026-13-01", "soon", "2025-11-23", "2028-01-15"):
        with pytest.raises(CallerError, match="field_invalid"):
            decide(shop, case, LOSE, wrong)
    assert put_aside(shop, case) == 4_000
    lost = decide(shop, case, LOSE, "2027-01-15")
    assert (lost["state"], put_aside(shop, case)) == ("lost", 0)
    channel = {"card": "NUCC", "fund": "ADVBANK"}[funding]
    assert shop.balance(f"C:CH:{channel}.2027-01-15:CNY") == -4_000
    assert shop.payer_balance(payer) == 0
    with pytest.raises(CallerError, match="idempotency_conflict"):
        decide(shop, case, LOSE, "2027-01-16")
    assert shop.verify().is_whole


async def test_what_is_on_its_way_back_through_the_channel_is_not_disputed_as_well(
    world: ChannelWorld,
) -> None:
    shop = world.shop
    payment_id = shop.pay(world.card_payer(), 10_000)["payment_id"]
    await world.finish()
    assert shop.refund(payment_id, 6_000)["state"] == "processing"
    with pytest.raises(CallerError, match="dispute_exceeds"):
        dispute(shop, payment_id, 4_001)
    dispute(shop, payment_id, 4_000)
    await world.finish()
    assert shop.refund(payment_id, 1)["error"]["code"] == "payment_disputed"
    assert shop.verify().is_whole
