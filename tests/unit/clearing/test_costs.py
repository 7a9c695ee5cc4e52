"""Parts of a minor unit: none is lost over any number of items and days."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.channels.facts import DEFAULT_FACTS, MICRO_PER_MINOR, CostTerms
from backend.clearing.costs import Accrual, Items, accrue, cost_micro


def test_netsunions_price_is_three_hundredths_of_a_fen() -> None:
    assert DEFAULT_FACTS["NUCC"].cost == CostTerms(item_micro=300)
    assert Fraction(300, MICRO_PER_MINOR) == Fraction(3, 100)


@pytest.mark.parametrize(
    ("items", "whole", "carried"),
    [(0, 0, 0), (1, 0, 300), (33, 0, 9_900), (34, 1, 200), (100, 3, 0), (1_000_000, 30_000, 0)],
)
def test_a_days_items_are_posted_in_whole_fen_and_the_rest_is_carried(
    items: int, whole: int, carried: int
) -> None:
    assert accrue(carried_micro=0, cost_micro=items * 300) == Accrual(whole, carried)


@given(st.lists(st.integers(0, 10**7), max_size=50), st.integers(0, 10**8))
def test_property_posted_and_carried_is_exactly_items_times_price(
    days: list[int], price: int
) -> None:
    posted = carried = 0
    for items in days:
        found = accrue(carried_micro=carried, cost_micro=items * price)
        assert 0 <= found.carried_micro < MICRO_PER_MINOR
        posted, carried = posted + found.whole_minor, found.carried_micro
    assert posted * MICRO_PER_MINOR + carried == sum(days) * price
    at_once = accrue(carried_micro=0, cost_micro=sum(days) * price)
    assert (posted, carried) == (at_once.whole_minor, at_once.carried_micro)


def test_a_part_of_the_amount_is_charged_for_what_is_taken_and_an_item_for_everything() -> None:
    terms = CostTerms(item_micro=300, rate_ppm=3_825, rate_micro_max=16_250_000)
    taken = Items(is_taken=True, amount_minor=10_000, count=3)
    given_back = Items(is_taken=False, amount_minor=10_000, count=2)
    huge = Items(is_taken=True, amount_minor=10_000_000, count=1)
    assert cost_micro(terms, [taken]) == 3 * (300 + 382_500)
    assert cost_micro(terms, [given_back]) == 600
    assert cost_micro(terms, [huge]) == 300 + 16_250_000
    assert cost_micro(terms, [taken, given_back, huge]) == 3 * 382_800 + 600 + 16_250_300
    assert cost_micro(terms, []) == 0
