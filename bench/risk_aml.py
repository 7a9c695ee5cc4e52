"""What the search for laundering finds, beside six plain rules and one model of the account's day.

Three seeds of a town of 16,000 persons, 90 days and 300 cases in eight shapes, among honest things
that look alike; and the same with quieter crime. What is known before day 60 trains; days 60 to 89
are tested. Precision is of account-days: an alert is right if the account took part in laundering
on that day; a case is found if one of its account-days is an alert.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import average_precision_score

from backend.risk.aml.account_days import KEYS, numbers, own_numbers, sides_of
from backend.risk.aml.detection import score_account_days
from bench.result import Result
from tests.support.transfer_flows import laundering_account_days, transfers_of_a_town

SEEDS = 3
PERSONS, DAYS, CASES = 16_000, 90, 300
TRAINED_DAYS = 60
CASE_RECALL = 0.95
HARD = 0.6
YUAN = 100
HONEST_ROWS = 100_000
Floats = NDArray[np.float64]


def run(scale: float) -> list[Result]:
    """``--scale 0.34`` is one seed."""
    found: list[Result] = []
    for variant, hardness in (("", 0.0), ("_hard", HARD)):
        rows = [_seed(seed, hardness) for seed in range(max(1, round(SEEDS * scale)))]
        for name in rows[0]:
            values = [row[name] for row in rows]
            spread = f"{len(values)} seeds, {min(values):.3f} to {max(values):.3f}"
            unit = "s" if name.endswith("_s") else "of 1"
            found.append(Result(f"risk_aml{variant}_{name}", float(np.mean(values)), unit, spread))
    return found


def _seed(seed: int, hardness: float) -> dict[str, float]:
    told = _minor(
        transfers_of_a_town(1000 + seed, persons=PERSONS, days=DAYS, cases=CASES, hardness=hardness)
    )
    truth = Truth.of(told)
    begun = time.process_time()
    scored = score_account_days(told, labels_until_day=TRAINED_DAYS, from_day=TRAINED_DAYS)
    found = {"cpu_s": time.process_time() - begun}
    ours = scored.days.with_columns(score=pl.col("score"))
    found |= _named("ours", truth.figures(ours))
    alerts = ours.filter(pl.col("score") >= scored.alert_from)
    found["ours_alert_precision"], found["ours_alert_case_recall"] = truth.of_alerts(alerts)
    days = own_numbers(sides_of(told))
    tested = days.filter(pl.col("day") >= TRAINED_DAYS)
    ruled = tested.filter(pl.any_horizontal(_hand_rules()))
    found["rules_precision"], found["rules_case_recall"] = truth.of_alerts(ruled)
    found |= _named("one_model", truth.figures(_one_model(days, told)))
    return found


def _named(whose: str, figures: tuple[float, float]) -> Iterator[tuple[str, float]]:
    precision, average = figures
    yield f"{whose}_precision_at_case_recall_95", precision
    yield f"{whose}_average_precision", average


def _minor(told: pl.DataFrame) -> pl.DataFrame:
    amount = pl.col("amount").str.replace(".", "", literal=True).cast(pl.Int64)
    return told.with_columns(amount, pl.col("laundering").cast(pl.Int64))


@dataclass(frozen=True, slots=True)
class Truth:
    """Which account-days of the tested days took part, in which cases."""

    cases_of: dict[tuple[str, int], set[str]]
    cases: frozenset[str]

    @classmethod
    def of(cls, told: pl.DataFrame) -> "Truth":
        """What the generator knows."""
        cases_of: dict[tuple[str, int], set[str]] = {}
        tested = told.filter(pl.col("day") >= TRAINED_DAYS)
        for account, day, case in laundering_account_days(tested):
            cases_of.setdefault((account, day), set()).add(case)
        return cls(cases_of, frozenset(case for found in cases_of.values() for case in found))

    def figures(self, scored: pl.DataFrame) -> tuple[float, float]:
        """Precision where 95 % of the cases are found, and average precision."""
        keys = list(scored.sort("score", descending=True).select(KEYS).iter_rows())
        found: set[str] = set()
        right = 0
        precision = 0.0
        for count, key in enumerate(keys, start=1):
            cases = self.cases_of.get(key, set())
            right += bool(cases)
            found |= cases
            if len(found) >= CASE_RECALL * len(self.cases):
                precision = right / count
                break
        dirty = [key in self.cases_of for key in scored.select(KEYS).iter_rows()]
        return precision, float(average_precision_score(dirty, scored["score"].to_numpy()))

    def of_alerts(self, alerts: pl.DataFrame) -> tuple[float, float]:
        """Precision and case recall of a set of alerts."""
        hit = [self.cases_of.get(key, set()) for key in alerts.select(KEYS).iter_rows()]
        found = {case for cases in hit for case in cases}
        return sum(map(bool, hit)) / max(1, len(hit)), len(found) / len(self.cases)


def _hand_rules() -> list[pl.Expr]:
    """Structuring, fan-in, fan-out, pass-through, a sleeper that wakes, cash-out in round sums."""
    large = 20_000 * YUAN
    through = pl.min_horizontal("in_sum", "out_sum") / pl.max_horizontal("in_sum", "out_sum")
    return [
        pl.col("in_below_sum") >= 80_000 * YUAN,
        (pl.col("in_others") >= 8) & (pl.col("in_sum") >= large),
        (pl.col("out_others") >= 8) & (pl.col("out_sum") >= large),
        (through >= 0.85) & (pl.col("in_sum") >= large),
        (pl.col("idle_days").fill_null(DAYS) >= 30) & (pl.col("in_sum") >= large),
        (pl.col("out_is_round") >= 0.9)
        & (pl.col("out_count") >= 2)
        & (pl.col("out_sum") >= 6_000 * YUAN),
    ]


def _one_model(days: pl.DataFrame, told: pl.DataFrame) -> pl.DataFrame:
    """A forest over the account-day's own numbers."""
    known = told.filter(pl.col("day") < TRAINED_DAYS)
    dirty = {(account, day) for account, day, _ in laundering_account_days(known)}
    plain = days.select(pl.col(numbers(days)).cast(pl.Float64)).to_numpy(writable=True)
    matrix: Floats = np.where(np.isfinite(plain), plain, -1.0)
    is_dirty = np.array([key in dirty for key in days.select(KEYS).iter_rows()])
    is_known = (days["day"] < TRAINED_DAYS).to_numpy()
    luck = np.random.default_rng(0)
    honest = np.nonzero(is_known & ~is_dirty)[0]
    chosen = luck.choice(honest, min(len(honest), HONEST_ROWS), replace=False)
    rows = np.concatenate((np.nonzero(is_known & is_dirty)[0], chosen))
    forest = RandomForestClassifier(100, min_samples_leaf=2, n_jobs=1, random_state=0)
    forest.fit(matrix[rows], is_dirty[rows])
    scores = forest.predict_proba(matrix[~is_known])[:, 1]
    return days.filter(pl.Series(~is_known)).select(KEYS).with_columns(score=pl.Series(scores))
