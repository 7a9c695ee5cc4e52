"""From a forest's raw value to a probability: a sigmoid over its log-odds. Pure.

Rule 1: it rises strictly, so it changes no ranking and makes no ties.
Rule 2: it is fitted on values the forest gave to rows that it was not trained on.
"""

from dataclasses import dataclass
from math import exp, inf, isfinite, log

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RAW_MARGIN = 1e-6
"""A raw value nearer to 0 or 1 is taken as this far away, on a line through it, so that values
beyond still differ."""
ITERATIONS_MAX = 100
RIDGE = 1e-3
"""Holds the slope near 1 where few labels speak."""
SLOPE_MIN = 1e-3


@dataclass(frozen=True, slots=True)
class Calibration:
    """``probability = 1 / (1 + exp(-(slope * logit(raw) + shift)))``."""

    slope: float = 1.0
    shift: float = 0.0

    def __post_init__(self) -> None:
        if not (isfinite(self.slope) and isfinite(self.shift) and self.slope >= SLOPE_MIN):
            raise ValueError("a calibration rises and is finite")

    def probability(self, raw: float) -> float:
        """Of one raw value; of none, none: NaN is not the lowest."""
        z = self.slope * _logit(raw) + self.shift
        return 0.0 if z <= -700 else 1 / (1 + exp(-z))

    def probabilities(self, raw: Floats) -> Floats:
        """The probabilities of many raw values."""
        return np.array([self.probability(value) for value in raw.tolist()], np.float64)


def _logit(raw: float) -> float:
    """The log-odds, continued as a straight line near 0 and 1 and beyond."""
    inner = min(max(raw, RAW_MARGIN), 1 - RAW_MARGIN)
    return log(inner / (1 - inner)) + (raw - inner) / (inner * (1 - inner))


def fit(raw: Floats, is_fraud: NDArray[np.bool_], weight: Floats) -> Calibration:
    """The likeliest sigmoid (Newton's method), with targets drawn in a little as Platt did, so that
    a perfect ranking does not give an endless slope. Without both kinds of rows: no change."""
    frauds, honest = float(weight[is_fraud].sum()), float(weight[~is_fraud].sum())
    if frauds == 0 or honest == 0:
        return Calibration()
    target = np.where(is_fraud, (frauds + 1) / (frauds + 2), 1 / (honest + 2))
    x = np.array([_logit(value) for value in raw.tolist()])
    slope, shift, before = 1.0, 0.0, inf
    for _ in range(ITERATIONS_MAX):
        p = 1 / (1 + np.exp(-np.clip(slope * x + shift, -50, 50)))
        error, spread = weight * (p - target), weight * np.maximum(p * (1 - p), 1e-12)
        gradient = np.array([(error * x).sum() + RIDGE * (slope - 1), error.sum()])
        cross = (spread * x).sum()
        curvature = np.array([[(spread * x * x).sum() + RIDGE, cross], [cross, spread.sum()]])
        step = np.linalg.solve(curvature + 1e-9 * np.eye(2), gradient)
        scale = min(1.0, 2.0 / max(1e-12, float(np.abs(step).max())))
        slope, shift = (
            max(SLOPE_MIN, slope - scale * float(step[0])),
            shift - scale * float(step[1]),
        )
        moved = float(np.abs(step).max())
        if moved < 1e-9 or moved == before:
            break
        before = moved
    return Calibration(slope, shift)
