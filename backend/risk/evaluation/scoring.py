"""Scores of a period, each from what was known when its transaction was made. Pure.

Rule 1: a feature sees the labels that are available at its row's second; a model is trained at a
        day's midnight from the rows before it whose labels are available by then.
Rule 2: a new model is trained every day of the first fortnight and every ``LATER_STEP_DAYS`` after
        it, whatever the last day is; so a longer period, or rows that are added or taken away
        later, change no score.
        Fraud changes: the rows are in parts by age (``train``, rule 3).
Rule 3: where nothing can be learned yet, a row is scored by how unusual its amount is for its card:
        far below what a model gives, and in the right order.
Rule 4: one row in fifty stands out, or three for each fraud that there is to expect: those in which
        the forest finds more than in the others of the week before, whose labels have yet to come.
        How the votes differ among the rest is mostly chance. So these quiet rows stand below all
        others, by the chance that is left to each (``quiet``), which means the same whichever day's
        model found them quiet.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.risk.evaluation.history import DAY_S, History
from backend.risk.evaluation.inputs import Matrix
from backend.risk.evaluation.quiet import QuietChances, learn_quiet, speaks_of
from backend.risk.models.scorer import Scorer
from backend.risk.models.train import Inputs, Settings, train

DAILY_DAYS, LATER_STEP_DAYS = 14, 3
WINDOW_DAYS_MAX = 84
PART_DAYS = (3, 7, 21)
"""Where the rows are parted by age, counted from the latest that is known."""
LABEL_DELAY_S = 7 * DAY_S
UNLEARNED_MAX = 1e-3
"""The highest score of a row that no model has judged."""
LOUD_SHARE_MIN, LOUD_PER_FRAUD = 0.02, 3
QUIET_MAX = 1e-3
"""No quiet row stands higher, and every other row does."""
UNUSUAL = "card.amount_ratio_30d"

SETTINGS = Settings(trees_per_part=40, honest_per_fraud=20, frauds_max=1_200)
"""Many honest rows show where a sharp bound of fraud lies; few frauds tell as much as many."""

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
OnDay = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class DayScores:
    """``rows`` of the history with their scores."""

    rows: Integers
    score: Floats


@dataclass(frozen=True, slots=True)
class _Learned:
    """A forest, and the chances of what is quiet, where the features tell of them."""

    model: Scorer
    quiet: QuietChances | None

    def scores(self, history: History, matrix: Matrix, rows: Integers, *, at_s: int) -> Floats:
        """The scores of rows that come after the moment at which this was learned."""
        probability = self.model.score_many(matrix.values[rows]).probability
        if self.quiet is None:
            return probability
        week = (history.t_sec >= at_s - LABEL_DELAY_S) & (history.t_sec < at_s)
        usual = self.model.score_many(matrix.values[week]).probability
        loud_from = np.quantile(usual, 1 - _loud_share(self.model)) if len(usual) else -np.inf
        chance = self.quiet.of(history, matrix, rows)
        return _below_the_rest(probability, float(loud_from), chance)


def score_days(
    history: History,
    matrix: Matrix,
    *,
    from_day: int,
    to_day: int,
    settings: Settings = SETTINGS,
    on_day: OnDay = lambda _: None,
) -> DayScores:
    """The scores of all rows of the days, in the order of the history. ``on_day`` is told of each
    model's first day before it is trained."""
    score = np.zeros(len(history.t_sec))
    day = history.day
    scored = np.nonzero((day >= from_day) & (day <= to_day))[0]
    for first, after in _spells(day[scored], from_day):
        rows = scored[(day[scored] >= first) & (day[scored] < after)]
        on_day(first)
        learned = _learned(history, matrix, settings, at_s=first * DAY_S)
        if learned is None:
            score[rows] = _unlearned(matrix, history.t_sec < first * DAY_S, rows)
        else:
            score[rows] = learned.scores(history, matrix, rows, at_s=first * DAY_S)
    return DayScores(scored, score[scored])


def _spells(days: Integers, from_day: int) -> Iterator[tuple[int, int]]:
    """The days on which the models of some days begin, each with the day after its last."""
    ago = np.unique(days) - from_day
    begins = np.where(ago < DAILY_DAYS, ago, ago - (ago - DAILY_DAYS) % LATER_STEP_DAYS)
    for begin in np.unique(begins):
        step = 1 if begin < DAILY_DAYS else LATER_STEP_DAYS
        yield from_day + int(begin), from_day + int(min(begin + step, ago[-1] + 1))


def _loud_share(model: Scorer) -> float:
    """Rule 4: how many of a usual week's rows stand out."""
    return min(max(LOUD_SHARE_MIN, LOUD_PER_FRAUD * model.card.frauds / model.card.rows), 1.0)


def _below_the_rest(probability: Floats, loud_from: float, quiet: Floats) -> Floats:
    """Rule 4."""
    loud = QUIET_MAX + (1 - QUIET_MAX) * probability
    return np.where(probability > loud_from, loud, QUIET_MAX * quiet)


def _learned(history: History, matrix: Matrix, settings: Settings, *, at_s: int) -> _Learned | None:
    """What is known at a moment, or nothing when that is not both kinds of rows."""
    rows, is_fraud = _known(history, at_s)
    if not 0 < int(is_fraud.sum()) < len(is_fraud):
        return None
    values = matrix.values[rows]
    inputs = Inputs(matrix.names, matrix.digest, values, is_fraud, _parts(history.t_sec[rows]))
    model = train(inputs, settings, trained_at=f"second {at_s}")
    quiet = None
    if speaks_of(matrix):
        quiet = learn_quiet(history, matrix, rows, is_fraud, seed=settings.seed)
    return _Learned(Scorer.load(model, matrix.digest), quiet)


def _parts(t_sec: Integers) -> tuple[Integers, ...]:
    """The rows that are known longest first, those of the latest days last."""
    age_days = (t_sec[-1] - t_sec) / DAY_S
    part = np.searchsorted(PART_DAYS, age_days)
    return tuple(np.nonzero(part == number)[0] for number in range(len(PART_DAYS), -1, -1))


def _known(history: History, at_s: int) -> tuple[Integers, NDArray[np.bool_]]:
    """The rows of the window with a label by then, of which the latest counts. A feed of frauds
    alone says by its silence, a week after, that the others were honest."""
    labels, begins_s = history.labels, at_s - WINDOW_DAYS_MAX * DAY_S - LABEL_DELAY_S
    then = history.t_sec[labels.rows]
    is_known = (labels.available_at <= at_s) & (then < at_s) & (then >= begins_s)
    rows, is_fraud = labels.rows[is_known], labels.is_fraud[is_known]
    is_latest = np.append(rows[1:] != rows[:-1], np.ones(min(len(rows), 1), np.bool_))
    rows, is_fraud = rows[is_latest], is_fraud[is_latest]
    if len(rows) and is_fraud.all():
        silent = (history.t_sec < at_s - LABEL_DELAY_S) & (history.t_sec >= begins_s)
        silent[rows] = False
        rows = np.concatenate((rows, np.nonzero(silent)[0]))
        is_fraud = np.concatenate((is_fraud, np.zeros(len(rows) - len(is_fraud), np.bool_)))
        order = np.argsort(rows, kind="stable")
        rows, is_fraud = rows[order], is_fraud[order]
    return rows, is_fraud


def _unlearned(matrix: Matrix, earlier: NDArray[np.bool_], rows: Integers) -> Floats:
    """Rule 3: the share of earlier rows that were less unusual."""
    ratio = np.nan_to_num(matrix.column(UNUSUAL), nan=1.0)
    ranked = np.sort(ratio[earlier])
    return UNLEARNED_MAX * np.searchsorted(ranked, ratio[rows]) / max(len(ranked), 1)
