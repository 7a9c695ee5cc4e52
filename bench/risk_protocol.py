"""The Fraud Detection Handbook's protocol (its chapters 3 to 5): what to train on, what to test,
and the three figures. The protocol is the book's, the code is ours.

Rule 1: seven days of training, seven days in which nothing is known, seven days of test.
Rule 2: a card that is known to be stolen is not tested: one with a fraud in the days of training,
        or with one that has become known by the day of the test.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from tests.support.handbook import World

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

FIRST_DAY, TRAIN_DAYS, GAP_DAYS, TEST_DAYS = 115, 7, 7, 7
"""The 25th of July of 2018 is day 115."""
CARDS_PER_DAY = 100


@dataclass(frozen=True, slots=True)
class Fold:
    """Rows of a world."""

    train: Integers
    test: Integers
    first_day: int
    last_day: int
    """Of the test."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Average precision, area under the ROC curve, card precision at 100."""

    ap: float
    auc: float
    cp: float


def folds(world: World, count: int) -> list[Fold]:
    """So many folds, each a week later than the one before."""
    return [_fold(world, FIRST_DAY + TRAIN_DAYS * number) for number in range(count)]


def _fold(world: World, begins: int) -> Fold:
    day, first = world.day, begins + TRAIN_DAYS + GAP_DAYS
    train = np.nonzero((day >= begins) & (day < begins + TRAIN_DAYS))[0]
    known = np.unique(world.card[train][world.is_fraud[train]])
    tested = []
    for today in range(first, first + TEST_DAYS):
        became_known = world.card[(day == today - GAP_DAYS - 1) & world.is_fraud]
        known = np.union1d(known, became_known)
        rows = np.nonzero(day == today)[0]
        tested.append(rows[~np.isin(world.card[rows], known)])
    return Fold(train, np.concatenate(tested), first, first + TEST_DAYS - 1)


def figures(world: World, rows: Integers, score: Floats) -> Figures:
    """Of the scores of these rows."""
    is_fraud = world.is_fraud[rows]
    return Figures(
        float(average_precision_score(is_fraud, score)),
        float(roc_auc_score(is_fraud, score)),
        card_precision(world.day[rows], world.card[rows], is_fraud, score),
    )


def card_precision(
    day: Integers, card: Integers, is_fraud: NDArray[np.bool_], score: Floats
) -> float:
    """How many of the hundred highest cards of a day are stolen, on average over the days; a card
    that was caught is not looked at again."""
    caught = np.zeros(0, np.int64)
    shares = []
    for today in np.unique(day):
        here = (day == today) & ~np.isin(card, caught)
        cards, place = np.unique(card[here], return_inverse=True)
        highest = np.full(len(cards), -np.inf)
        np.maximum.at(highest, place, score[here])
        stolen = np.zeros(len(cards), np.bool_)
        np.logical_or.at(stolen, place, is_fraud[here])
        looked_at = np.argsort(-highest, kind="stable")[:CARDS_PER_DAY]
        found = looked_at[stolen[looked_at]]
        shares.append(len(found) / CARDS_PER_DAY)
        caught = np.concatenate((caught, cards[found]))
    return float(np.mean(shares))
