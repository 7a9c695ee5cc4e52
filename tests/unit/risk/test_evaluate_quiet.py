"""What is left to go by where the forest finds nothing: the card's chance and the terminal's."""

from math import nan

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.risk.evaluation import quiet
from backend.risk.evaluation.history import DAY_S, History
from backend.risk.evaluation.inputs import Matrix, features_of
from backend.risk.evaluation.quiet import (
    KNOWN_AGAINST,
    OF_CARD,
    UNVOUCHED,
    QuietChances,
    learn_quiet,
    speaks_of,
    stood_alone,
    turns_by_day,
)
from backend.risk.features.label_columns import Labels

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
NAMES = (UNVOUCHED, KNOWN_AGAINST, *OF_CARD)
NOBODY = np.zeros(0, np.int64)


def a_world(
    age_s: Floats,
    *,
    ratio: Floats | float = 1.0,
    against: Floats | float = 0.0,
    payments: Floats | float = 10.0,
    payments_per_terminal: int = 1,
) -> tuple[History, Matrix]:
    """Rows a second apart after a hundred days, those of a terminal one after another."""
    size = len(age_s)
    columns = np.broadcast_arrays(age_s, against, 500.0, ratio, 0.0, payments)
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


def test_counted_by_day_whoever_vouched_did_so_for_the_rest_of_his_day() -> None:
    """At the first seconds of day 100; the first two were vouched for on day 91, the third in the
    last hour of day 90, the fourth by a payment of today."""
    history, matrix = a_world(np.array([8.2, 8.9, 9.04, 0.0]) * DAY_S)
    by_day = chances(QuietChances(bad_per_s=1e-7, by_day=1.0), history, matrix)
    assert by_day[0] == by_day[1] < by_day[2]
    assert by_day[0] == pytest.approx(1e-7 * 9 * DAY_S, rel=0.05)
    assert by_day[3] == 0
    by_second = chances(QuietChances(bad_per_s=1e-7), history, matrix)
    half = chances(QuietChances(bad_per_s=1e-7, by_day=0.5), history, matrix)
    assert by_second[0] < by_second[1]
    assert by_second[0] < half[0] < by_day[0]


def terminals_that_turn(at_s: Integers) -> tuple[History, NDArray[np.bool_]]:
    """A terminal each, paid at every hour and a half of ten days; bad from its second on."""
    times = np.arange(0, 10 * DAY_S, 5_400)
    t_sec = np.repeat(times, len(at_s)) + np.tile(np.arange(len(at_s)), len(times))
    terminal = np.tile(np.arange(len(at_s)), len(times))
    rows = np.arange(len(t_sec))
    history = History(
        tx_id=range(len(rows)),  # type: ignore[arg-type]
        place=rows, t_sec=t_sec, card=rows, terminal=terminal,
        amount_minor=np.full(len(rows), 500), labels=Labels(NOBODY, NOBODY > 0, NOBODY),
    )  # fmt: skip
    return history, t_sec >= at_s[terminal]


def test_whether_terminals_turn_with_the_day_or_within_it_is_told_by_what_is_known() -> None:
    def learned(at_s: Integers) -> float:
        history, is_bad = terminals_that_turn(at_s)
        return turns_by_day(history, np.arange(len(is_bad)), is_bad, is_bad)

    days = np.arange(200) % 8 + 1
    second = np.random.default_rng(1).integers(0, DAY_S, 200)
    assert learned(days * DAY_S) > 0.95
    assert learned(days * DAY_S + second) < 0.15
    assert learned(days[:1] * DAY_S) < 0.6  # one is no proof
    assert learned(np.full(200, 11 * DAY_S)) == 0  # none went bad: nothing is known


def test_where_no_two_payments_share_a_day_time_is_counted_in_seconds() -> None:
    history, _ = a_world(np.full(10, 8.0 * DAY_S))
    honest = np.zeros(10, np.bool_)
    assert turns_by_day(history, np.arange(10), honest, honest) == 0
    assert turns_by_day(history, NOBODY, NOBODY > 0, NOBODY > 0) == 0


def test_an_honest_payment_of_any_amount_vouches_for_its_terminal() -> None:
    """A card pays five twice and fifty once; a week later that is the latest known to be good."""
    amounts = [500, 500, 5_000, 500]
    t_sec = np.array([0, 1, 3, 13]) * DAY_S
    rows = np.arange(4)
    history = History(
        tx_id=range(4),  # type: ignore[arg-type]
        place=rows, t_sec=t_sec, card=np.ones(4, np.int64), terminal=np.ones(4, np.int64),
        amount_minor=np.array(amounts), labels=Labels(rows, rows < 0, t_sec + 7 * DAY_S),
    )  # fmt: skip
    assert features_of(history).column(UNVOUCHED)[3] == 10 * DAY_S


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


def test_a_card_that_pays_often_and_as_usual_is_suspected_less() -> None:
    luck = np.random.default_rng(7)
    payments = luck.integers(1, 30, 6_000).astype(np.float64)
    is_fraud = luck.random(6_000) < np.where(payments < 10, 0.1, 0.01)
    history, matrix = a_world(np.full(6_000, 7.0 * DAY_S), payments=payments)
    found = chances(
        learn_quiet(history, matrix, np.arange(6_000), is_fraud, seed=0), history, matrix
    )
    assert (np.diff(found[np.argsort(payments, kind="stable")]) <= 0).all()
    assert found[payments < 10].mean() == pytest.approx(0.1, rel=0.25)
    assert found[payments >= 10].mean() == pytest.approx(0.01, rel=0.25)


def test_without_the_features_nothing_is_said() -> None:
    matrix = a_world(np.zeros(3))[1]
    assert speaks_of(matrix)
    assert not speaks_of(matrix.only(NAMES[1:]))
