"""Rows in which a forest finds nothing: how likely each is a fraud all the same. Pure.

How a forest's votes differ among them is mostly chance. What is left to go by is little and smooth,
so little is asked: the chance that the card is in other hands, and the chance that the terminal has
gone bad since somebody vouched for it. Either is enough.

Rule 1: which of them a known fraud was is told by its neighbours: one that stood alone, between
        payments at its terminal that were honest, says nothing against the terminal.
Rule 2: a card's chance rises, and never falls, with how large and how unusual the amount is, and
        with how often its amounts were unusual lately; it is learned in steps of a hundred rows.
Rule 3: a terminal goes bad at a rate that is the same everywhere: all frauds that did not stand
        alone, over all the time that nobody had vouched, where nothing was known against it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier

from backend.risk.evaluation.history import History
from backend.risk.evaluation.inputs import OWN_RATIO, UNUSUAL_FROM, Matrix

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Integers = NDArray[np.int64]

UNVOUCHED = "terminal.since_ordinary_s"
"""How long ago the latest payment was made at the terminal that is known to be good."""
KNOWN_AGAINST = "terminal.unexplained_run"
OF_CARD = ("payment.amount_minor", OWN_RATIO, "card.high_ratios_14d")
HONEST_MAX = 100_000
"""Honest rows that a card's chance is learned from; of more, so many are drawn."""
LEAF_ROWS_MIN = 100


@dataclass(frozen=True, slots=True)
class QuietChances:
    """What is known of quiet rows at a moment. ``card`` is None where no fraud stood alone."""

    bad_per_s: float
    card: DecisionTreeClassifier | None = None
    drawn_share: float = 1.0
    """Of the honest rows, those that ``card`` was shown."""

    def of(self, history: History, matrix: Matrix, rows: Integers) -> Floats:
        """The chance of each row, below 1."""
        good = np.exp(-self.bad_per_s * _unvouched_s(history, matrix, rows))
        if self.card is not None:
            honest, fraud = self.card.predict_proba(_of_card(matrix, rows)).T
            good *= honest / (honest + self.drawn_share * fraud)
        chance: Floats = 1 - good
        return chance


def speaks_of(matrix: Matrix) -> bool:
    """Whether these features are enough."""
    return {UNVOUCHED, KNOWN_AGAINST, *OF_CARD} <= set(matrix.names)


def learn_quiet(
    history: History, matrix: Matrix, rows: Integers, is_fraud: Flags, *, seed: int
) -> QuietChances:
    """From known rows in the order of time."""
    alone = stood_alone(history.terminal[rows], is_fraud)
    is_ordinary = ~(matrix.column(OWN_RATIO)[rows] >= UNUSUAL_FROM)
    is_open = is_ordinary & ~(matrix.column(KNOWN_AGAINST)[rows] > 0)
    went_bad = int((is_open & is_fraud & ~alone).sum())
    unvouched_s = float(_unvouched_s(history, matrix, rows[is_open]).sum())
    # One more than were seen: what was never seen is not impossible.
    bad_per_s = (went_bad + 1) / max(unvouched_s, 1.0)
    honest = np.nonzero(~is_fraud)[0]
    if not alone.any() or not len(honest):
        return QuietChances(bad_per_s)
    drawn = honest
    if len(honest) > HONEST_MAX:
        drawn = np.random.default_rng(seed).choice(honest, HONEST_MAX, replace=False)
    shown = np.sort(np.concatenate((np.nonzero(alone)[0], drawn)))
    card = DecisionTreeClassifier(
        min_samples_leaf=LEAF_ROWS_MIN, monotonic_cst=[1] * len(OF_CARD), random_state=seed
    ).fit(_of_card(matrix, rows[shown]), alone[shown])
    return QuietChances(bad_per_s, card, len(drawn) / len(honest))


def stood_alone(terminal: Integers, is_fraud: Flags) -> Flags:
    """Rule 1, of rows in the order of time: frauds whose terminal's payments before and after, as
    far as there are any, were honest."""
    order = np.argsort(terminal, kind="stable")
    sorted_fraud, is_same = is_fraud[order], np.diff(terminal[order]) == 0
    beside = np.zeros(len(order), np.bool_)
    beside[1:] |= is_same & sorted_fraud[:-1]
    beside[:-1] |= is_same & sorted_fraud[1:]
    found = np.zeros(len(order), np.bool_)
    found[order] = sorted_fraud & ~beside
    return found


def _unvouched_s(history: History, matrix: Matrix, rows: Integers) -> Floats:
    """Where nobody ever vouched, all the time since the history's first day."""
    age_s = matrix.column(UNVOUCHED)[rows]
    return np.where(np.isnan(age_s), history.t_sec[rows], age_s)


def _of_card(matrix: Matrix, rows: Integers) -> Floats:
    """An amount that nothing is known to compare with is as usual; so is a number of none."""
    amount, ratio, often = (matrix.column(name)[rows] for name in OF_CARD)
    return np.stack((amount, np.nan_to_num(ratio, nan=1.0), np.nan_to_num(often)), axis=1)
