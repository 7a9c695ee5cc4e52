"""Rows in which a forest finds nothing: how likely each is a fraud all the same. Pure.

How a forest's votes differ among them is mostly chance. What is left to go by is little and smooth,
so little is asked: the chance that the card is in other hands, and the chance that the terminal has
gone bad since somebody vouched for it. Either is enough.

Rule 1: which of them a known fraud was is told by its neighbours: one that stood alone, between
        payments at its terminal that were honest, says nothing against the terminal.
Rule 2: a card's chance rises, and never falls, with how large and how unusual the amount is, and
        with how often its amounts were unusual lately; and falls, and never rises, with how often
        it pays, since a thief would have shown. It is learned in steps of a hundred rows.
Rule 3: a terminal goes bad at a rate that is the same everywhere: all frauds that did not stand
        alone, over all the time that nobody had vouched, where nothing was known against it.
Rule 4: where days that began well at a terminal seldom end badly, whoever vouched did so for the
        rest of his day, and the time is counted in midnights; else in seconds (``turns_by_day``).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier

from backend.risk.evaluation.history import DAY_S, History
from backend.risk.evaluation.inputs import OWN_RATIO, UNUSUAL_FROM, Matrix

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Integers = NDArray[np.int64]

UNVOUCHED = "terminal.since_legitimate_s"
"""How long ago the latest payment was made at the terminal that is known to be good."""
KNOWN_AGAINST = "terminal.unexplained_run"
OF_CARD = ("payment.amount_minor", OWN_RATIO, "card.high_ratios_14d", "card.count_7d")
CARD_RISES = (1, 1, 1, -1)
"""With each of these, or falls (rule 2)."""
HONEST_MAX = 100_000
"""Honest rows that a card's chance is learned from; of more, so many are drawn."""
LEAF_ROWS_MIN = 100


@dataclass(frozen=True, slots=True)
class QuietChances:
    """What is known of quiet rows at a moment. ``card`` is None where no fraud stood alone."""

    bad_per_s: float
    by_day: float = 0.0
    """How much of the time that nobody vouched is counted in midnights."""
    card: DecisionTreeClassifier | None = None
    drawn_share: float = 1.0
    """Of the honest rows, those that ``card`` was shown."""

    def of(self, history: History, matrix: Matrix, rows: Integers) -> Floats:
        """The chance of each row, below 1."""
        good = np.exp(-self.bad_per_s * _unvouched_s(history, matrix, rows, self.by_day))
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
    by_day = turns_by_day(history, rows, is_fraud, is_ordinary & is_fraud & ~alone)
    unvouched_s = float(_unvouched_s(history, matrix, rows[is_open], by_day).sum())
    # One more than were seen: what was never seen is not impossible.
    bad_per_s = (went_bad + 1) / max(unvouched_s, 1.0)
    honest = np.nonzero(~is_fraud)[0]
    if not alone.any() or not len(honest):
        return QuietChances(bad_per_s, by_day)
    drawn = honest
    if len(honest) > HONEST_MAX:
        drawn = np.random.default_rng(seed).choice(honest, HONEST_MAX, replace=False)
    shown = np.sort(np.concatenate((np.nonzero(alone)[0], drawn)))
    card = DecisionTreeClassifier(
        min_samples_leaf=LEAF_ROWS_MIN, monotonic_cst=CARD_RISES, random_state=seed
    ).fit(_of_card(matrix, rows[shown]), alone[shown])
    return QuietChances(bad_per_s, by_day, card, len(drawn) / len(honest))


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


def turns_by_day(history: History, rows: Integers, is_fraud: Flags, is_bad: Flags) -> float:
    """Rule 4, of rows in the order of time, ``is_bad`` those in which a terminal was bad: 1 where
    none went bad between two payments of a day, 0 where as many did as in any time so long."""
    order = np.argsort(history.terminal[rows], kind="stable")
    t_sec, terminal = history.t_sec[rows][order], history.terminal[rows][order]
    was_good = (np.diff(terminal) == 0) & ~is_fraud[order][:-1]
    pause_s = np.diff(t_sec)[was_good]
    went_bad = is_bad[order][1:][was_good]
    in_a_day = (np.diff(t_sec // DAY_S) == 0)[was_good]
    if not pause_s[in_a_day].any():
        return 0.0
    # One more than were seen, as of the rate.
    seen = (int((went_bad & in_a_day).sum()) + 1) / (int(went_bad.sum()) + 1)
    expected = float(pause_s[in_a_day].sum() / pause_s.sum())
    return max(0.0, 1 - seen / expected)


def _unvouched_s(history: History, matrix: Matrix, rows: Integers, by_day: float) -> Floats:
    """Where nobody ever vouched, all the time since the history's first day."""
    now_s, age_s = history.t_sec[rows], matrix.column(UNVOUCHED)[rows]
    age_s = np.where(np.isnan(age_s), now_s, age_s)
    midnights = now_s // DAY_S - (now_s - age_s) // DAY_S
    return (1 - by_day) * age_s + by_day * midnights * DAY_S


def _of_card(matrix: Matrix, rows: Integers) -> Floats:
    """An amount that nothing is known to compare with is as usual; so is a number of none."""
    amount, ratio, often, payments = (matrix.column(name)[rows] for name in OF_CARD)
    known = (amount, np.nan_to_num(ratio, nan=1.0), np.nan_to_num(often), np.nan_to_num(payments))
    return np.stack(known, axis=1)
