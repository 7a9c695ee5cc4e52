"""Has what a model sees moved from what it was trained on? The population stability index. Pure.

Rule 1: the bins are cut where the training's values lie, unknown values are a bin of their own.
Rule 2: an empty bin counts as ``SHARE_MIN``, so one value in a new place is noticed, not endless.
"""

from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BINS = 10
SHARE_MIN = 1e-4
MOVED_FROM, CHANGED_FROM = 0.10, 0.25
"""The usual marks of credit scoring: below 0.10 stable, from 0.25 changed."""


@dataclass(frozen=True, slots=True)
class Reference:
    """``shares`` has one more place than there are bins between ``edges``: the last is unknown."""

    edges: tuple[float, ...]
    shares: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.shares) != len(self.edges) + 2 or list(self.edges) != sorted(self.edges):
            raise ValueError("a reference has a share for each bin, and one of the unknown")
        if not all(map(isfinite, (*self.edges, *self.shares))):
            raise ValueError("a reference is finite")


def reference(values: Floats, weight: Floats) -> Reference:
    """Where the values of the training lie, each counted with its weight."""
    is_known = ~np.isnan(values)
    order = np.argsort(values[is_known], kind="stable")
    ranked, passed = values[is_known][order], np.cumsum(weight[is_known][order])
    edges: list[float] = []
    if len(ranked):
        places = np.searchsorted(passed, passed[-1] * np.arange(1, BINS) / BINS)
        edges = np.unique(ranked[np.minimum(places, len(ranked) - 1)]).tolist()
    return Reference(tuple(edges), tuple(_shares(edges, values, weight).tolist()))


def psi(known: Reference, values: Floats) -> float:
    """The index of these values against the training's: 0 when they lie alike; 0 for no values."""
    if not len(values):
        return 0.0
    now = np.maximum(_shares(list(known.edges), values, np.ones(len(values))), SHARE_MIN)
    then = np.maximum(np.array(known.shares), SHARE_MIN)
    return float(((now - then) * np.log(now / then)).sum())


def _shares(edges: list[float], values: Floats, weight: Floats) -> Floats:
    place = np.searchsorted(np.array(edges, np.float64), values, side="left")
    place = np.where(np.isnan(values), len(edges) + 1, place)
    counted = np.bincount(place, weight, minlength=len(edges) + 2)
    shares: Floats = counted / max(float(weight.sum()), 1e-300)
    return shares
