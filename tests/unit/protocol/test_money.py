"""Money: integers only, one currency at a time, nothing lost to rounding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import CallerError
from protocol.money import Money, fee_half_up, fee_returned, positive, split


def test_money_is_shown_with_the_minor_digits_of_its_currency() -> None:
    assert str(Money(1280, "CNY")) == "12.80 CNY"
    assert str(Money(-5, "CNY")) == "-0.05 CNY"
    assert str(Money(1280, "JPY")) == "1280 JPY"


@pytest.mark.parametrize("amount", [1.5, True, "1", None, 10**16, -(10**16)])
def test_an_amount_that_is_no_sane_integer_is_refused(amount: object) -> None:
    with pytest.raises(CallerError) as caught:
        Money(amount, "CNY")  # type: ignore[arg-type]
    assert caught.value.code == "amount_invalid"


def test_a_currency_that_is_not_accepted_is_refused() -> None:
    with pytest.raises(CallerError) as caught:
        Money(1, "XXX")
    assert caught.value.code == "currency_unsupported"


def test_two_currencies_never_meet_in_one_sum() -> None:
    with pytest.raises(CallerError) as caught:
        Money(1, "CNY") + Money(1, "USD")
    assert caught.value.code == "currency_mismatch"
    assert Money(3, "CNY") - Money(1, "CNY") == Money(2, "CNY")


@pytest.mark.parametrize("amount", [0, -1])
def test_only_a_positive_amount_can_be_asked_for(amount: int) -> None:
    with pytest.raises(CallerError):
        positive(amount, "CNY")


def test_the_fee_is_rounded_half_up_to_the_fen() -> None:
    # The sum over 1…10,000 fen at 0.6 % is 300,040 when rounded half up (facts of the field).
    assert fee_half_up(83, 60) == 0
    assert fee_half_up(84, 60) == 1
    assert sum(fee_half_up(amount, 60) for amount in range(1, 10_001)) == 300_040


def test_fifty_refunds_of_two_yuan_give_back_the_whole_fee_of_a_hundred() -> None:
    returned = sum(
        fee_returned(refunded_before_minor=200 * part, refund_minor=200, fee_bps=60)
        for part in range(50)
    )
    assert returned == fee_half_up(10_000, 60) == 60


@given(st.integers(1, 10**9), st.integers(0, 1000), st.lists(st.integers(1, 100), min_size=1))
def test_fees_given_back_in_parts_never_differ_from_the_fee_of_their_sum(
    unit: int, fee_bps: int, parts: list[int]
) -> None:
    refunds = [unit * part for part in parts]
    total, returned = 0, 0
    for refund in refunds:
        returned += fee_returned(refunded_before_minor=total, refund_minor=refund, fee_bps=fee_bps)
        total += refund
    assert returned == fee_half_up(total, fee_bps)


@given(st.integers(0, 10**12), st.lists(st.integers(0, 1000), min_size=1, max_size=20))
def test_a_split_gives_away_every_unit_and_nothing_to_a_zero_weight(
    amount: int, weights: list[int]
) -> None:
    if not sum(weights):
        with pytest.raises(CallerError):
            split(amount, weights)
        return
    shares = split(amount, weights)
    assert sum(shares) == amount
    assert all(share == 0 for share, weight in zip(shares, weights, strict=True) if weight == 0)
    exact = [amount * weight / sum(weights) for weight in weights]
    assert all(
        abs(share - fair) <= 1 + 1e-3 * fair for share, fair in zip(shares, exact, strict=True)
    )
