"""Netting: nothing is lost, and both ways give the same."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from backend.sandbox.netsunion.netting import (
    Obligation,
    bilateral,
    multilateral,
    of_bilateral,
    traffic,
)

MEMBERS = ["A", "B", "C", "D", "E"]
_OWED = st.lists(
    st.builds(Obligation, st.sampled_from(MEMBERS), st.sampled_from(MEMBERS), st.integers(1, 10**9))
)


@given(_OWED)
def test_the_nets_sum_to_zero_and_equal_the_bilateral_way(owed: list[Obligation]) -> None:
    nets = multilateral(MEMBERS, owed)
    assert sum(nets.values()) == 0
    assert of_bilateral(MEMBERS, bilateral(owed)) == nets
    assert sorted(nets) == MEMBERS


@given(_OWED)
def test_netting_never_asks_for_more_than_was_owed(owed: list[Obligation]) -> None:
    gross = sum(item.amount_minor for item in owed if item.payer != item.payee)
    pairs = sum(bilateral(owed).values())
    net = sum(abs(minor) for minor in multilateral(MEMBERS, owed).values()) // 2
    assert net <= pairs <= gross


def test_a_day_without_payments_nets_to_zero_for_all() -> None:
    assert multilateral(MEMBERS, []) == dict.fromkeys(MEMBERS, 0)


def test_the_same_seed_makes_the_same_traffic_and_never_to_oneself() -> None:
    day = date(2026, 11, 23)
    first = list(traffic(MEMBERS, day, seed="s", count=500))
    assert first == list(traffic(MEMBERS, day, seed="s", count=500))
    assert first != list(traffic(MEMBERS, day, seed="other", count=500))
    assert all(item.payer != item.payee for item in first)
    assert {item.payer for item in first} == set(MEMBERS)
