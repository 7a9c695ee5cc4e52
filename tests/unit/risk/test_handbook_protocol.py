"""The benchmark's own parts: the generator keeps to its parameters, the figures to their names."""

import numpy as np
import pytest

from backend.risk.models.train import Settings
from bench.risk_evaluation import BenchWorld, history_of
from bench.risk_protocol import card_precision, figures, folds
from tests.support.handbook import CHANGED, DAY_S, SMALL, Parameters, World, make_world

LONG = Parameters(cards=60, terminals=120, days=140, radius=15.0, later=CHANGED)


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(3, LONG)


def test_a_world_follows_from_its_seed() -> None:
    first, again, other = (make_world(seed, SMALL) for seed in (1, 1, 2))
    assert np.array_equal(first.amount_minor, again.amount_minor)
    assert len(first.t_sec) != len(other.t_sec)
    assert (np.diff(first.t_sec) >= 0).all()
    assert first.day.max() == SMALL.days - 1


def test_a_large_amount_is_fraud_by_the_bound_of_its_day(world: World) -> None:
    large = world.scenario == 1
    late = world.day >= LONG.days - LONG.days // 3
    assert world.amount_minor[large & ~late].min() > LONG.scenarios.amount_minor_above
    assert world.amount_minor[large & late].min() > CHANGED.amount_minor_above
    assert world.amount_minor[~world.is_fraud & late].max() <= CHANGED.amount_minor_above


def test_a_bad_terminal_s_payments_are_all_fraud(world: World) -> None:
    bad = world.scenario == 2
    for terminal in np.unique(world.terminal[bad])[:20]:
        mine = world.terminal == terminal
        first = world.day[mine & bad].min()
        stays = mine & (world.day >= first) & (world.day < first + CHANGED.terminal_days)
        assert world.is_fraud[stays].all()


def test_a_fold_tests_a_week_after_a_week_of_silence_and_no_known_card(world: World) -> None:
    fold = folds(world, 1)[0]
    assert np.unique(world.day[fold.train]).tolist() == list(range(115, 122))
    assert (fold.first_day, fold.last_day) == (129, 135)
    known = set(world.card[fold.train][world.is_fraud[fold.train]].tolist())
    assert not known & set(world.card[fold.test].tolist())
    for today in range(129, 136):
        stolen = world.card[(world.day == today - 8) & world.is_fraud]
        tested = world.card[fold.test][world.day[fold.test] == today]
        assert not set(stolen.tolist()) & set(tested.tolist())


def test_a_caught_card_is_not_looked_at_again() -> None:
    day, card = np.array([0, 0, 1, 1]), np.array([1, 2, 1, 3])
    is_fraud = np.array([True, False, True, False])
    assert card_precision(day, card, is_fraud, np.array([0.9, 0.1, 0.9, 0.1])) == 0.005


def test_the_benchmark_scores_what_the_command_scores(world: World) -> None:
    seed = BenchWorld(world)
    fold = folds(world, 1)[0]
    history = history_of(world)
    assert history.origin_s == 1_522_540_800
    assert ((history.labels.available_at - world.t_sec) == 7 * DAY_S).all()
    ours, book = (
        seed.ours(fold, settings=Settings(trees=3, trees_per_part=2, honest_min=300)),
        seed.book(fold),
    )
    assert 0 < ours.ap <= 1
    assert 0 < book.ap <= 1
    perfect = figures(world, fold.test, world.is_fraud[fold.test].astype(np.float64))
    assert (perfect.ap, perfect.auc) == (1, 1)
    assert ours.cp <= perfect.cp
