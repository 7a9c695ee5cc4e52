"""What is left to go by where the forest finds nothing: the card's chance and the terminal's."""

from math import nan

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.risk.evaluation import quiet
from backend.risk.evaluation.history import DAY_S, History
from backend.risk.evaluation.inputs import Matrix
from backend.risk.evaluation.quiet import (
    KNOWN_AGAINST,
    OF_CARD,
    UNVOUCHED,
    QuietChances,
    learn_quiet,
    speaks_of,
    stood_alone,
)
from backend.risk.features.label_columns import Labels

Floats = NDArray[np.float64]
NAMES = (UNVOUCHED, KNOWN_AGAINST, *OF_CARD)
NOBODY = np.zeros(0, np.int64)


def a_world(
    age_s: Floats,
    *,
    ratio: Floats | float = 1.0,
    against: Floats | float = 0.0,
    payments_per_terminal: int = 1,
) -> tuple[History, Matrix]:
    """Rows a second apart after a hundred days, those of a terminal one after another."""
    size = len(age_s)
    columns = np.broadcast_arrays(age_s, against, 500.0, ratio, 0.0)
    rows = np.arange(size)
    history = History(
        tx_id=range(size),  # type: ignore[arg-type]
        place=rows, t_sec=100 * DAY_S + rows, card=rows, terminal=rows // payments_per_terminal,
        amount_minor=np.full(size, 500), labels=Labels(NOBODY, NOBODY > 0, NOBODY),
    )  # fmt: skip
    return history, Matrix(NAMES, "", np.stack(columns, axis=1))


def chances(known: QuietChances, history: History, matrix: Matrix) -> Floats:
    return known.of(history, matrix, np.arange(len(history.t_sec)))


def test_a_fraud_stood_alone_if_its_terminal_s_payments_around_it_were_honest() -> None:
    terminal = np.array([1, 2, 1, 2, 1, 3, 2, 1, 4, 4])
    is_fraud = np.array([0, 0, 1, 1, 0, 1, 1, 0, 1, 0]) > 0
    alone = [2, 5, 8]  # 3 and 6 follow each other at terminal 2; 5 is all that is known of its own
    assert np.nonzero(stood_alone(terminal, is_fraud))[0].tolist() == alone
    assert stood_alone(NOBODY, NOBODY > 0).tolist() == []


def test_a_terminal_is_suspected_more_the_longer_nobody_has_vouched_for_it() -> None:
    age_s = np.array([9.0, 1.0, 7.0, nan, 0.0]) * DAY_S
    found = chances(QuietChances(bad_per_s=1e-7), *a_world(age_s))
    assert np.argsort(found).tolist() == [4, 1, 2, 0, 3]
    assert found[4] == 0
    assert found[0] == pytest.approx(1e-7 * 9 * DAY_S, rel=0.05)
    assert found.max() < 1


def test_the_rate_is_of_frauds_that_did_not_stand_alone_where_nothing_was_known_against() -> None:
    """Ten terminals of two payments, of which one goes bad; what is unusual for its card, or at a
    terminal with a known run, tells nothing of the rate."""
    age_s = np.full(24, 8.0 * DAY_S)
    ratio, against = np.ones(24), np.zeros(24)
    ratio[20:22], against[22:] = 5.0, 1.0
    history, matrix = a_world(age_s, ratio=ratio, against=against, payments_per_terminal=2)
    is_fraud = np.zeros(24, np.bool_)
    is_fraud[[0, 1, *range(20, 24)]] = True
    found = learn_quiet(history, matrix, np.arange(24), is_fraud, seed=0)
    assert found.bad_per_s == pytest.approx((2 + 1) / (20 * 8 * DAY_S))
    assert found.card is None  # no fraud stood alone


def test_what_was_never_seen_is_not_impossible() -> None:
    history, matrix = a_world(np.full(10, 8.0 * DAY_S))
    honest = np.zeros(10, np.bool_)
    found = learn_quiet(history, matrix, np.arange(10), honest, seed=0)
    assert found.bad_per_s > 0
    nobody = learn_quiet(history, matrix, NOBODY, NOBODY > 0, seed=0)
    assert np.isfinite(chances(nobody, history, matrix)).all()


@pytest.mark.parametrize("honest_max", [quiet.HONEST_MAX, 1_500])
def test_a_card_s_chance_rises_with_the_amount_and_is_that_of_the_world_whatever_was_drawn(
    monkeypatch: pytest.MonkeyPatch, honest_max: int
) -> None:
    monkeypatch.setattr(quiet, "HONEST_MAX", honest_max)
    luck = np.random.default_rng(4)
    ratio = np.concatenate((luck.uniform(0, 4, 6_000), [nan]))
    is_fraud = luck.random(6_001) < np.where(ratio > 2, 0.1, 0.01)
    history, matrix = a_world(np.full(6_001, 7.0 * DAY_S), ratio=ratio)
    known = learn_quiet(history, matrix, np.arange(6_001), is_fraud, seed=0)
    found = chances(known, history, matrix)
    order = np.argsort(ratio[:6_000])
    assert (np.diff(found[order]) >= 0).all()
    assert found[ratio > 2].mean() == pytest.approx(0.1, rel=0.25)
    assert found[ratio < 2].mean() == pytest.approx(0.01, rel=0.25)
    assert found[-1] == found[np.argmin(np.abs(ratio[:6_000] - 1.0))]  # unknown is as usual


def test_without_the_features_nothing_is_said() -> None:
    matrix = a_world(np.zeros(3))[1]
    assert speaks_of(matrix)
    assert not speaks_of(matrix.only(NAMES[1:]))
