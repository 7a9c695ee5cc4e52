"""Net debit caps: what a channel owes, and was asked for, leaves room or not."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.clearing.caps import NetDebitCaps, position_minor
from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.ledger import rules
from tests.support.books import Post
from tests.support.channel_world import ChannelWorld
from tests.support.shop import Shop

DAY_MS = 86_400_000


@pytest.fixture
def world(migrated_url: str) -> Iterator[ChannelWorld]:
    shop = Shop(migrated_url)
    shop.add_merchant()
    found = ChannelWorld(shop)
    yield found
    found.close()
    shop.close()


def cap(world: ChannelWorld, **caps_minor: int) -> None:
    room = NetDebitCaps(caps_minor=caps_minor, now_ms=world.shop.clock.now_ms)
    world.shop.rules = replace(world.shop.rules, room=room)


def channel_of(world: ChannelWorld, answer: dict[str, Any]) -> str:
    [row] = world.shop.rows(
        f"SELECT channel_id FROM payment WHERE payment_id = '{answer['payment_id']}'"
    )
    return str(row["channel_id"])


@pytest.mark.asyncio
async def test_what_was_asked_and_not_answered_counts_and_the_next_goes_elsewhere(
    world: ChannelWorld,
) -> None:
    cap(world, NUCC=10_000)
    payer = world.card_payer("NUCC", "CUP")
    first = world.shop.pay(payer, 6_000)
    second = world.shop.pay(payer, 4_001)
    third = world.shop.pay(payer, 4_000)
    assert [channel_of(world, one) for one in (first, second, third)] == ["NUCC", "CUP", "NUCC"]
    await world.finish()
    assert channel_of(world, world.shop.pay(payer, 1)) == "CUP"


@pytest.mark.asyncio
async def test_without_another_channel_the_payment_is_refused_and_a_refund_makes_room(
    world: ChannelWorld,
) -> None:
    cap(world, NUCC=10_000)
    payer = world.card_payer("NUCC")
    paid = world.shop.pay(payer, 10_000)
    await world.finish()
    refused = world.shop.pay(payer, 1)
    assert refused["error"]["code"] == "channel_unavailable"
    world.shop.refund(paid["payment_id"], 300)
    await world.finish()
    assert world.shop.pay(payer, 301)["error"]["code"] == "channel_unavailable"
    assert channel_of(world, world.shop.pay(payer, 300)) == "NUCC"


@pytest.mark.asyncio
async def test_an_order_that_was_given_up_restores_the_position(world: ChannelWorld) -> None:
    """In a peer's system, transfers that timed out once kept their places for ever."""
    cap(world, NUCC=10_000)
    payer = world.card_payer("NUCC")
    world.card.mishaps = ["lost"] * 3
    lost = world.shop.pay(payer, 10_000)
    await world.finish()
    assert world.state(lost["payment_id"]) != "captured"
    assert channel_of(world, world.shop.pay(payer, 10_000)) == "NUCC"


@pytest.mark.asyncio
async def test_yesterdays_debt_counts_until_the_channel_has_settled_it(world: ChannelWorld) -> None:
    cap(world, NUCC=10_000)
    payer = world.card_payer("NUCC")
    world.shop.pay(payer, 9_000)
    await world.finish()
    world.shop.clock.at_ms += DAY_MS
    assert world.shop.pay(payer, 1_001)["error"]["code"] == "channel_unavailable"
    event = rules.Event("STL-NUCC-20261123", "CNY", "2026-11-24")
    world.shop.do(
        Post(
            rules.channel_settled(
                event, channel_id="NUCC", settlement_date="2026-11-23", amount_minor=9_000
            )
        )
    )
    assert channel_of(world, world.shop.pay(payer, 10_000)) == "NUCC"


class Untouchable:
    """``Room`` that nobody may ask."""

    def reads(self, channel_id: str) -> Iterable[Read]:
        raise AssertionError(channel_id)

    def left_minor(self, ws: WorkingSet, channel_id: str, now_ms: int) -> int | None:
        raise AssertionError(channel_id)


def test_a_payment_from_the_balance_asks_for_no_room(world: ChannelWorld) -> None:
    payer = world.shop.add_payer()
    event = rules.Event("top", "CNY", "2026-11-23")
    world.shop.do(
        Post(
            rules.top_up(
                event, user_id=payer, channel_id="NUCC", settlement_date="2026-11-23",
                amount_minor=500,
            )
        )
    )  # fmt: skip
    world.shop.rules = replace(world.shop.rules, room=Untouchable())
    assert world.shop.pay(payer, 500)["state"] == "captured"


def test_a_channel_without_a_cap_reads_nothing() -> None:
    caps = NetDebitCaps(caps_minor={"NUCC": 1}, now_ms=lambda: 1_790_000_000_000)
    assert list(caps.reads("CUP")) == []
    accounts = [key for _, key in caps.reads("NUCC")]
    assert len(accounts) == len(set(accounts)) == 14


SUMS = st.integers(0, 10**12)
ROWS = st.lists(
    st.fixed_dictionaries(
        {"debits_posted": SUMS, "credits_posted": SUMS, "debits_pending": SUMS}
    ),
    max_size=12,
)  # fmt: skip


@given(ROWS, SUMS)
def test_property_a_refund_frees_what_it_gives_back_and_a_hold_binds_what_it_asks(
    rows: list[dict[str, int]], amount: int
) -> None:
    one = {"debits_posted": 0, "credits_posted": 0, "debits_pending": 0}
    before = position_minor(rows)
    assert position_minor([*rows, one | {"credits_posted": amount}]) == before - amount
    assert position_minor([*rows, one | {"debits_pending": amount}]) == before + amount
    paid = one | {"debits_posted": amount}
    assert position_minor([*rows, paid]) == before + amount
