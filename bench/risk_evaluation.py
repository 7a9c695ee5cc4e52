"""What the risk engine finds on the Fraud Detection Handbook's protocol, beside the book's forest.

Six seeds of our own generator and four folds each; nothing was chosen by the last three. The
book's forest is trained on its fifteen inputs and the seven days of training; ours is scored as
``tillway risk evaluate`` scores, from what is known by the first day of the test. Both are tested
on the same rows, and so is somebody who knows the world's rules (``risk_ceiling``): what he does
not reach, nobody can.

Some eighty minutes of one core, a sixth of it with ``--scale 0.17``, which is one seed. Each fold
is told as soon as it is known, so that a run that is broken off has told what it found.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import astuple

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from backend.risk.evaluation.history import DAY_S, History
from backend.risk.evaluation.inputs import features_of
from backend.risk.evaluation.scoring import SETTINGS, score_days
from backend.risk.features.catalogue import CARD_TERMINAL, HANDBOOK, UNEXPLAINED
from backend.risk.features.definition import LABELLED
from backend.risk.features.label_columns import Labels
from backend.risk.models.train import Settings
from bench.result import Result
from bench.risk_ceiling import ceiling
from bench.risk_protocol import GAP_DAYS, Figures, Fold, figures, folds
from tests.support.handbook import DRIFTING, FIRST_DAY, FULL, Parameters, World, make_world

SEEDS, FOLDS, FAMILY_FOLDS = 6, 4, 2
Floats = NDArray[np.float64]
NAMES = ("average_precision", "auc", "card_precision_100")


def run(scale: float) -> list[Result]:
    """``--scale 0.17`` is one seed."""
    seeds = range(max(1, round(SEEDS * scale)))
    found: list[Result] = []
    for variant, parameters in (("", FULL), ("_drift", DRIFTING)):
        plain, ours, best, seconds = [], [], [], []
        for seed in seeds:
            bench = BenchWorld.of(seed, parameters)
            for number, fold in enumerate(folds(bench.world, FOLDS)):
                plain.append(astuple(bench.book(fold)))
                begun = time.process_time()
                ours.append(astuple(bench.ours(fold)))
                seconds.append(time.process_time() - begun)
                best.append(ours[-1] if variant else astuple(bench.best(fold, parameters)))
                _tell(f"seed {seed}, fold {number}{variant}", plain[-1], ours[-1], best[-1])
            if not variant and seed == 0:
                found += _families(bench)
        found += _results(variant, np.array(plain), np.array(ours), np.array(best), len(seeds))
        found.append(
            Result(f"risk{variant}_week_s", float(np.mean(seconds)), "s",
                   "of a core: training on what is known and scoring a week of some 67,000 rows")
        )  # fmt: skip
    return found


def _tell(which: str, *figures_of: tuple[float, ...]) -> None:
    said = "; ".join(" ".join(f"{figure:.3f}" for figure in one) for one in figures_of)
    print(f"{which}: the book's, ours, the ceiling (AP, AUC, CP@100): {said}", flush=True)


class BenchWorld:
    """One world with the features of both forests."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.history = history_of(world)
        self._matrix = features_of(self.history)

    @classmethod
    def of(cls, seed: int, parameters: Parameters) -> "BenchWorld":
        """The world of a seed."""
        return cls(make_world(seed, parameters))

    def book(self, fold: Fold) -> Figures:
        """The book's forest: scikit-learn's own, a hundred trees, nothing set."""
        inputs = self._matrix.only(HANDBOOK.names).values.astype(np.float32)
        forest = RandomForestClassifier(100, random_state=0, n_jobs=1)
        forest.fit(inputs[fold.train], self.world.is_fraud[fold.train])
        score = forest.predict_proba(inputs[fold.test])[:, 1]
        return figures(self.world, fold.test, score)

    def best(self, fold: Fold, parameters: Parameters) -> Figures:
        """Whoever knows the world's rules, and like us only the labels that are known."""
        return figures(self.world, fold.test, ceiling(self.world, fold.test, parameters))

    def ours(self, fold: Fold, names: Sequence[str] = (), settings: Settings = SETTINGS) -> Figures:
        """Ours, with all of its features or some."""
        found = score_days(
            self.history,
            self._matrix.only(names) if names else self._matrix,
            from_day=fold.first_day,
            to_day=fold.last_day,
            settings=settings,
        )
        score = np.zeros(len(self.world.t_sec))
        score[found.rows] = found.score
        return figures(self.world, fold.test, score[fold.test])


def history_of(world: World) -> History:
    """The world as ``read_history`` reads it from files: each label is known a week later."""
    size = len(world.t_sec)
    known_at = world.t_sec + GAP_DAYS * DAY_S
    return History(
        tx_id=range(size),  # type: ignore[arg-type]
        place=np.arange(size),
        t_sec=world.t_sec,
        card=world.card,
        terminal=world.terminal,
        amount_minor=world.amount_minor,
        labels=Labels(np.arange(size), world.is_fraud, known_at),
        origin_s=int((FIRST_DAY - FIRST_DAY.replace(year=1970, month=1, day=1)).total_seconds()),
    )


def _results(
    variant: str, plain: Floats, ours: Floats, best: Floats, seeds: int
) -> Iterator[Result]:
    for name, before, now, most in zip(NAMES, plain.T, ours.T, best.T, strict=True):
        known = "" if variant else f"; whoever knows the world's rules {most.mean():.3f}"
        yield Result(
            f"risk{variant}_{name}", float(now.mean()), "",
            f"{seeds} seeds x {FOLDS} folds, from {now.min():.3f} to {now.max():.3f}; the book's"
            f" forest on the same rows {before.mean():.3f}"
            f" ({now.mean() - before.mean():+.3f}, worst {(now - before).min():+.3f}){known}",
        )  # fmt: skip


def _families(seed: BenchWorld) -> Iterator[Result]:
    """What each family of features adds to the one before it."""
    cards = [
        f.name for f in CARD_TERMINAL.features if f.entity == "card" and f.kind not in LABELLED
    ]
    steps = (
        ("the book's fifteen inputs", HANDBOOK.names),
        ("what the card usually does", cards),
        ("what became known of cards and terminals", CARD_TERMINAL.names),
        ("what became known of terminals from ordinary amounts", UNEXPLAINED.names),
    )
    chosen: list[str] = []
    before = 0.0
    for number, (family, names) in enumerate(steps):
        chosen += [name for name in names if name not in chosen]
        ap = float(np.mean([seed.ours(f, chosen).ap for f in folds(seed.world, FAMILY_FOLDS)]))
        gain = f" ({ap - before:+.3f})" if number else ""
        yield Result(f"risk_family_{number}_average_precision", ap, "",
                     f"{len(chosen)} features: with {family}{gain}; seed 0")  # fmt: skip
        before = ap
