"""Parts of a minor unit: none is lost over any number of items and days."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.channels.facts import DEFAULT_FACTS, MICRO_PER_MINOR
from backend.clearing.costs import Accrual, accrue, item_prices


def test_netsunions_price_is_three_hundredths_of_a_fen() -> None:
    assert item_prices(DEFAULT_FACTS) == {"NUCC": 300}
    assert Fraction(300, MICRO_PER_MINOR) == Fraction(3, 100)


@pytest.mark.parametrize(
    ("items", "whole", "carried"),
    [(0, 0, 0), (1, 0, 300), (33, 0, 9_900), (34, 1, 200), (100, 3, 0), (1_000_000, 30_000, 0)],
)
def test_a_days_items_are_posted_in_whole_fen_and_the_rest_is_carried(
    items: int, whole: int, carried: int
) -> None:
    assert accrue(carried_micro=0, items=items, price_micro=300) == Accrual(whole, carried)


@given(st.lists(st.integers(0, 10**7), max_size=50), st.integers(0, 10**8))
def test_property_posted_and_carried_is_exactly_items_times_price(
    days: list[int], price: int
) -> None:
    posted = carried = 0
    for items in days:
        found = accrue(carried_micro=carried, items=items, price_micro=price)
        assert 0 <= found.carried_micro < MICRO_PER_MINOR
        posted, carried = posted + found.whole_minor, found.carried_micro
    assert posted * MICRO_PER_MINOR + carried == sum(days) * price
    at_once = accrue(carried_micro=0, items=sum(days), price_micro=price)
    assert (posted, carried) == (at_once.whole_minor, at_once.carried_micro)
