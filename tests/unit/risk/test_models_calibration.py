"""Probabilities that mean what they say, and the index that tells when the world has moved."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.risk.models.calibration import Calibration, fit
from backend.risk.models.drift import CHANGED_FROM, MOVED_FROM, Reference, psi, reference
from tests.support.models import small_inputs


@given(
    st.floats(0.01, 20),
    st.floats(-10, 10),
    st.lists(st.floats(-0.2, 1.2), min_size=2, max_size=30),
)
def test_a_higher_raw_value_is_never_less_probable(
    slope: float, shift: float, raws: list[float]
) -> None:
    calibration = Calibration(slope, shift)
    found = calibration.probabilities(np.array(sorted(raws)))
    assert (np.diff(found) >= 0).all()
    assert ((found >= 0) & (found <= 1)).all()


def test_a_raw_value_that_is_no_number_has_no_probability() -> None:
    found = Calibration().probabilities(np.array([np.nan, -np.inf, np.inf]))
    assert np.isnan(found[0])
    assert found[1:].tolist() == [0.0, 1.0]


def test_a_fit_finds_the_odds_that_the_rows_were_drawn_with() -> None:
    luck = np.random.default_rng(1)
    raw = luck.uniform(0.02, 0.98, 20_000)
    probability = Calibration(1.7, -2.0).probabilities(raw)
    found = fit(raw, luck.random(len(raw)) < probability, np.ones(len(raw)))
    assert abs(found.slope - 1.7) < 0.1
    assert abs(found.shift + 2.0) < 0.1


def test_weights_count_as_so_many_rows() -> None:
    raw, is_fraud = np.array([0.2, 0.4, 0.6, 0.7]), np.array([False, True, False, True])
    twice = fit(np.tile(raw, 3), np.tile(is_fraud, 3), np.ones(12))
    weighted = fit(raw, is_fraud, np.full(4, 3.0))
    assert abs(twice.slope - weighted.slope) < 1e-6


def test_a_perfect_ranking_gives_a_finite_slope() -> None:
    raw = np.concatenate((np.full(50, 0.1), np.full(5, 0.9)))
    found = fit(raw, raw > 0.5, np.ones(55))
    assert 0.001 <= found.slope < 10


@pytest.mark.parametrize("is_fraud", [True, False])
def test_one_kind_of_rows_changes_nothing(*, is_fraud: bool) -> None:
    assert fit(np.array([0.1, 0.2]), np.full(2, is_fraud), np.ones(2)) == Calibration()


@pytest.mark.parametrize("slope", [0.0, -1.0, float("nan"), float("inf")])
def test_a_calibration_that_does_not_rise_cannot_be(slope: float) -> None:
    with pytest.raises(ValueError, match="rises"):
        Calibration(slope, 0.0)


def test_the_index_is_small_for_the_same_world_and_large_for_another() -> None:
    luck = np.random.default_rng(3)
    known = reference(luck.normal(0, 1, 20_000), np.ones(20_000))
    assert psi(known, luck.normal(0, 1, 5_000)) < 0.02
    assert MOVED_FROM < psi(known, luck.normal(0.4, 1, 5_000)) < CHANGED_FROM
    assert psi(known, luck.normal(1, 1, 5_000)) > CHANGED_FROM


def test_values_that_became_unknown_are_seen() -> None:
    values = small_inputs().matrix[:, 1]
    known = reference(values, np.ones(len(values)))
    assert known.shares[-1] == np.isnan(values).mean()
    assert psi(known, np.where(values > 1, np.nan, values)) > CHANGED_FROM


def test_a_value_that_was_always_the_same_moves_when_it_does() -> None:
    known = reference(np.zeros(100), np.ones(100))
    assert psi(known, np.zeros(50)) == 0
    assert psi(known, np.ones(50)) > CHANGED_FROM
    assert psi(known, np.zeros(0)) == 0


@settings(max_examples=40)
@given(st.lists(st.one_of(st.just(float("nan")), st.floats(-5, 5)), min_size=1, max_size=60))
def test_the_index_against_itself_is_zero_and_never_below(values: list[float]) -> None:
    array = np.array(values)
    known = reference(array, np.ones(len(array)))
    assert sum(known.shares) == pytest.approx(1)
    assert psi(known, array) == pytest.approx(0, abs=1e-9)
    assert psi(known, array + 1) >= 0


def test_a_reference_is_whole() -> None:
    with pytest.raises(ValueError, match="share for each bin"):
        Reference((1.0,), (1.0,))
