"""Netting, against the long way round."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.clearing.netting import (
    NetPosition,
    Obligation,
    bilateral,
    compare,
    gross_minor,
    moved_minor,
    multilateral,
    without,
)

NAMES = ("bank-a", "bank-b", "bank-c", "bank-d", "bank-e")
ONE = st.builds(
    lambda pair, amount: Obligation(pair[0], pair[1], amount),
    st.permutations(NAMES).map(lambda names: (names[0], names[1])),
    st.integers(0, 10**12),
)
MANY = st.lists(ONE, max_size=40)


def by_hand(obligations: list[Obligation]) -> dict[str, int]:
    """Each participant's net, one after the other over the whole list."""
    return {
        name: sum(one.amount_minor for one in obligations if one.creditor == name)
        - sum(one.amount_minor for one in obligations if one.debtor == name)
        for name in NAMES
    }


@given(MANY)
def test_property_nets_sum_to_zero_and_equal_the_long_way_round(many: list[Obligation]) -> None:
    nets = multilateral(many, NAMES)
    assert sum(nets.values()) == 0
    assert nets == by_hand(many)
    assert multilateral(bilateral(many), NAMES) == nets


@given(MANY)
def test_property_each_netting_moves_no_more_than_the_one_before(many: list[Obligation]) -> None:
    pairs = bilateral(many)
    assert moved_minor(multilateral(many)) <= gross_minor(pairs) <= gross_minor(many)
    assert bilateral(pairs) == pairs
    assert len({frozenset((one.debtor, one.creditor)) for one in pairs}) == len(pairs)


@given(MANY, st.randoms(use_true_random=False))
def test_property_neither_order_nor_pieces_have_a_say(
    many: list[Obligation], dice: random.Random
) -> None:
    pieces = []
    for one in many:
        first = dice.randint(0, one.amount_minor)
        pieces.append(Obligation(one.debtor, one.creditor, first))
        pieces.append(Obligation(one.debtor, one.creditor, one.amount_minor - first))
    dice.shuffle(pieces)
    assert multilateral(pieces, NAMES) == multilateral(many, NAMES)
    assert bilateral(pieces) == bilateral(many)


@given(MANY, st.sampled_from(NAMES))
def test_property_unwinding_a_debtor_leaves_the_others_among_themselves(
    many: list[Obligation], failed: str
) -> None:
    left = without(many, failed)
    nets = multilateral(left, NAMES)
    assert nets[failed] == 0
    assert sum(nets.values()) == 0
    kept = Counter(one for one in many if failed not in (one.debtor, one.creditor))
    assert Counter(left) == kept


def test_a_ring_of_equal_debts_moves_nothing() -> None:
    ring = [
        Obligation(one, other, 700) for one, other in zip(NAMES, NAMES[1:] + NAMES[:1], strict=True)
    ]
    assert gross_minor(ring) == gross_minor(bilateral(ring)) == 3_500
    assert multilateral(ring) == dict.fromkeys(NAMES, 0)
    assert moved_minor(multilateral(ring)) == 0


def test_a_window_without_anything_has_a_net_of_nothing_for_everybody() -> None:
    assert bilateral([]) == ()
    assert multilateral([], NAMES) == dict.fromkeys(NAMES, 0)


@pytest.mark.parametrize(
    ("received", "paid", "cost", "net"),
    [(1_000, 0, 0, 1_000), (1_000, 400, 6, 594), (0, 400, 0, -400), (0, 0, 0, 0)],
)
def test_our_net_of_a_channels_day_is_what_must_come_into_the_reserve(
    received: int, paid: int, cost: int, net: int
) -> None:
    position = NetPosition(
        channel_id="CUP", settlement_date="2026-11-23",
        received_minor=received, paid_minor=paid, cost_minor=cost,
    )  # fmt: skip
    assert position.net_minor == net
    assert compare(position, net) == 0
    assert compare(position, net + 1) == 1


def test_a_hundred_thousand_payments_among_twenty_banks_move_a_hundredth_of_the_gross() -> None:
    dice = random.Random(20)
    banks = [f"bank-{number}" for number in range(20)]
    many = []
    for _ in range(100_000):
        debtor, creditor = dice.sample(banks, 2)
        many.append(Obligation(debtor, creditor, dice.randrange(1, 1_000_000)))
    pairs, nets = bilateral(many), multilateral(many)
    assert len(pairs) <= 190
    assert len(nets) == 20
    assert moved_minor(nets) * 50 < gross_minor(many)
    assert moved_minor(nets) < gross_minor(pairs) < gross_minor(many) // 10
