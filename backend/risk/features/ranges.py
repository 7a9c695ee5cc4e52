"""What windows of one long column hold: sums, the largest, the median, how many are different."""

import numpy as np
from numpy.typing import NDArray

from backend.risk.features.grouped import Grouped

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

ROWS_A_TIME = 200_000
"""Rows whose last values are laid side by side at once, so that memory stays small."""


def cumulated(values: Integers) -> Integers:
    """The sums of all before each place, with one place more."""
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(values)))


def largest(values: Integers, begin: Integers, end: Integers) -> Floats:
    """The largest of ``values[begin:end]`` for each pair, NaN where there is none."""
    out = np.full(len(begin), np.nan)
    length = end - begin
    level, width = values, 1
    while True:
        here = np.nonzero((length >= width) & (length < 2 * width))[0]
        if len(here):
            out[here] = np.maximum(level[begin[here]], level[end[here] - width])
        if not (length >= 2 * width).any():
            return out
        level = np.maximum(level[:-width], level[width:])
        width *= 2


def median_of_last(values: Integers, grouped: Grouped, last: int) -> Floats:
    """The median of up to so many of the entity's events before each, NaN where there is none."""
    out = np.full(len(values), np.nan)
    steps = np.arange(1, last + 1)
    for start in range(0, len(values), ROWS_A_TIME):
        places = grouped.places[start : start + ROWS_A_TIME]
        number = np.minimum(places - grouped.firsts[start : start + ROWS_A_TIME], last)
        at = places[:, None] - steps
        top = np.iinfo(np.int64).max
        kept = np.where(steps <= number[:, None], values[np.maximum(at, 0)], top)
        kept.sort(axis=1)
        rows = np.nonzero(number)[0]
        half = number[rows] // 2
        low, high = kept[rows, number[rows] - 1 - half], kept[rows, half]
        out[start + rows] = (high + low) / 2
    return out


def distinct(grouped: Grouped, keys: Integers, begins: int, *, includes_current: bool) -> Floats:
    """How many different keys (none: -1) each event's window ``(t - begins, t]`` holds.

    Every event speaks for its key from just after itself until the key comes again or the event has
    left the window: a range of places, added up in one pass over their edges.
    """
    size = len(keys)
    again = _next_of_same(grouped.codes, keys)
    # The last place that still has this event in its window.
    leaves = grouped.until(grouped.at + begins) - 1
    ends = np.minimum(again - 1 if includes_current else again, leaves)
    starts = grouped.places + (0 if includes_current else 1)
    speaks = (keys >= 0) & (starts <= ends)
    edges = np.zeros(size + 2, np.int64)
    np.add.at(edges, starts[speaks], 1)
    np.add.at(edges, ends[speaks] + 1, -1)
    return np.cumsum(edges)[:size].astype(np.float64)


def _next_of_same(codes: Integers, keys: Integers) -> Integers:
    """The place of the next event of the same entity and key; beyond all where there is none."""
    size = len(keys)
    order = np.lexsort((np.arange(size), keys, codes))
    following = np.full(size, size + 1, np.int64)
    same = (codes[order][1:] == codes[order][:-1]) & (keys[order][1:] == keys[order][:-1])
    following[order[:-1][same]] = order[1:][same]
    return following
