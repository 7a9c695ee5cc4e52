"""Which account-days look like laundering: learned from the cases that are known, day by day.

Rule 1: what is known before ``labels_until_day`` trains; later labels are not read.
Rule 2: a day is scored from transfers up to its end.
Rule 3: two steps. The first model looks at the account-day itself. The second sees the first one's
scores of the account's days before and of whom it deals with, because laundering has company. Where
it learns, it sees scores of models that did not know the case.
Rule 4: a score is the estimated share of such account-days that are laundering.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from backend.risk.aml.account_days import (
    KEYS,
    counterparties_of,
    in_order,
    numbers,
    of_counterparties,
    own_numbers,
    sides_of,
)
from backend.risk.aml.limits import HONEST_ROWS_A_LAUNDERING_ROW_MAX, HONEST_ROWS_MIN, TREES_MAX
from backend.risk.table_faults import Fault

FOLDS = 3
REMEMBERED_DAYS = 7
ALERT_PRECISION_MIN = 0.92
"""The share of alerts that were laundering, in what the models learned from without knowing it."""
SEED = 20260302

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scored:
    """Account-days with their scores, and the score from which one is an alert."""

    days: pl.DataFrame
    alert_from: float


def score_account_days(transfers: pl.DataFrame, *, labels_until_day: int, from_day: int) -> Scored:
    """``account, day, score`` of every customer's day from ``from_day`` on. Raises
    ``CallerError`` where nothing is known to learn from."""
    if "laundering" not in transfers.columns:
        raise Fault("no column laundering", "缺少列 laundering").refusal()
    dirty = _dirty(in_order(transfers.filter(pl.col("day") < labels_until_day)))
    if not len(dirty):
        raise Fault(
            f"no transfer before day {labels_until_day} is labelled as laundering",
            f"第 {labels_until_day} 天之前没有标为洗钱的转账",
        ).refusal()
    sides = sides_of(transfers)
    days = own_numbers(sides)
    days = days.join(counterparties_of(days, sides), on=KEYS, how="left", maintain_order="left")
    known = _Known.of(days, dirty, labels_until_day)
    if not _has_both(known.is_dirty[known.is_known]):
        raise Fault(
            f"the customers' days before day {labels_until_day} are all laundering, or none is",
            f"第 {labels_until_day} 天之前的客户账户日全是洗钱，或一个也不是",
        ).refusal()
    first = _Step.learn(_matrix(days), known)
    near = _near(days.select(KEYS).with_columns(score=pl.Series(first.scores)), sides)
    second = _Step.learn(
        _matrix(days.join(near, on=KEYS, how="left", maintain_order="left")), known
    )
    scored = days.select(KEYS).with_columns(score=pl.Series(second.scores))
    return Scored(
        scored.filter(pl.col("day") >= from_day).sort("day", "account"),
        second.alert_from(known),
    )


def _has_both(is_dirty: NDArray[np.bool_]) -> bool:
    return bool(is_dirty.any() and not is_dirty.all())


def _matrix(days: pl.DataFrame) -> Floats:
    """The numbers of the account-days; a share of nothing is unknown."""
    matrix = days.select(pl.col(numbers(days)).cast(pl.Float64)).to_numpy(writable=True)
    matrix[~np.isfinite(matrix)] = np.nan
    return matrix


def _dirty(transfers: pl.DataFrame) -> pl.DataFrame:
    """``account, day, case`` of those who took part."""
    dirty = transfers.filter(pl.col("laundering") == 1)
    case = pl.col("case_id") if "case_id" in dirty.columns else pl.col("src")
    return (
        pl.concat(
            dirty.select(pl.col(side).alias("account"), "day", case.alias("case"))
            for side in ("src", "dst")
        )
        .group_by(KEYS)
        .agg(pl.col("case").drop_nulls().first())
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """Which rows are labelled and how, and the fold of each: a case is in one fold."""

    is_known: NDArray[np.bool_]
    is_dirty: NDArray[np.bool_]
    fold: NDArray[np.int64]

    @classmethod
    def of(cls, days: pl.DataFrame, dirty: pl.DataFrame, until: int) -> "_Known":
        joined = days.select(KEYS).join(
            dirty.with_columns(is_dirty=pl.lit(1)), on=KEYS, how="left", maintain_order="left"
        )
        group = pl.coalesce("case", "account").hash(SEED) % FOLDS
        return cls(
            (days["day"] < until).to_numpy(),
            joined["is_dirty"].fill_null(0).cast(pl.Boolean).to_numpy(),
            joined.select(group.cast(pl.Int64)).to_series().to_numpy(),
        )


@dataclass(frozen=True, slots=True)
class _Step:
    """The scores of one model for all rows; for rows that are learned from, those of a model that
    did not know them."""

    scores: Floats

    @classmethod
    def learn(cls, matrix: Floats, known: _Known) -> "_Step":
        scores = np.zeros(len(matrix))
        later = ~known.is_known
        for learned, asked in _rounds(known):
            if asked.any():
                model = _Model.fitted(matrix[learned], known.is_dirty[learned])
                scores[asked] = model.scores(matrix[asked])
        if later.any():
            model = _Model.fitted(matrix[known.is_known], known.is_dirty[known.is_known])
            scores[later] = model.scores(matrix[later])
        return cls(scores)

    def alert_from(self, known: _Known) -> float:
        """The lowest score above which enough of the known rows were laundering."""
        order = np.argsort(-self.scores[known.is_known], kind="stable")
        dirty = known.is_dirty[known.is_known][order]
        precision = np.cumsum(dirty) / np.arange(1, len(dirty) + 1)
        good = np.nonzero(precision >= ALERT_PRECISION_MIN)[0]
        scores = self.scores[known.is_known][order]
        return float(scores[good[-1]]) if len(good) else float(scores[0])


def _rounds(known: _Known) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    for fold in range(FOLDS):
        asked = known.is_known & (known.fold == fold)
        learned = known.is_known & (known.fold != fold)
        if _has_both(known.is_dirty[learned]):
            yield learned, asked


def honest_rows_kept(honest: int, laundering: int) -> int:
    """How many of the honest rows a model learns from."""
    return min(honest, max(HONEST_ROWS_MIN, laundering * HONEST_ROWS_A_LAUNDERING_ROW_MAX))


@dataclass(frozen=True, slots=True)
class _Model:
    """A boosted model of all laundering rows and a part of the rest; each row of that part stands
    for so many. ``columns``: those of which any row has a value."""

    trees: HistGradientBoostingClassifier
    stands_for: float
    columns: NDArray[np.int64]

    @classmethod
    def fitted(cls, matrix: Floats, dirty: NDArray[np.bool_]) -> "_Model":
        luck = np.random.default_rng(SEED)
        honest = np.nonzero(~dirty)[0]
        kept = honest_rows_kept(len(honest), int(dirty.sum()))
        chosen = np.sort(luck.choice(honest, kept, replace=False))
        rows = np.concatenate((np.nonzero(dirty)[0], chosen))
        columns = np.nonzero(~np.isnan(matrix[rows]).all(axis=0))[0]
        trees = HistGradientBoostingClassifier(
            max_iter=TREES_MAX,
            learning_rate=0.08,
            max_leaf_nodes=15,
            min_samples_leaf=15,
            l2_regularization=2.0,
            max_features=0.4,
            early_stopping=False,
            random_state=SEED,
        )
        trees.fit(matrix[np.ix_(rows, columns)], dirty[rows])
        return cls(trees, len(honest) / kept, columns)

    def scores(self, matrix: Floats) -> Floats:
        """The share of such rows that are laundering, among all rows and not the chosen ones."""
        share = self.trees.predict_proba(matrix[:, self.columns])[:, 1]
        found: Floats = share / (share + (1 - share) * self.stands_for)
        return found


def _near(scored: pl.DataFrame, sides: pl.DataFrame) -> pl.DataFrame:
    """What the first step thought of the account lately, and of whom it deals with."""
    before = (
        scored.sort(KEYS)
        .rolling(
            index_column="day", period=f"{REMEMBERED_DAYS}i", group_by="account", closed="left"
        )
        .agg(pl.col("score").max().alias("score_before"))
    )
    own = scored.join(before, on=KEYS, how="left")
    return own.join(of_counterparties(own, sides), on=KEYS, how="left").rename(
        {"score": "score_first"}
    )
