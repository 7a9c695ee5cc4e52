"""How fast somebody would have had to travel. Pure, and of + - * / and square root only, so that a
number and an array of numbers give the same doubles.

On the sphere's plane at the middle latitude: within 1 % up to some 1,000 km, and of the right order
beyond, which is all that a speed no traveller has needs.
"""

import math

import numpy as np
from numpy.typing import NDArray

KM_A_DEGREE = 111.19492664455873
"""Of a sphere of 6,371 km."""

NOWHERE = 1 << 40
"""Stands for an absent place."""

LATITUDE_E6_MAX = 90_000_000
LONGITUDE_E6_MAX = 180_000_000

_E6 = 1_000_000
COSINES = tuple(math.cos(math.radians(degree)) for degree in (*range(91), 90))
"""Of whole degrees; between them a straight line."""


def speed_kmh(
    before: tuple[int, int], now: tuple[int, int], elapsed: int, *, ticks_per_s: int
) -> float:
    """Kilometres an hour between two places in millionths of a degree."""
    middle = abs(before[0] + now[0]) // 2
    degree = middle // _E6
    low, high = COSINES[degree], COSINES[degree + 1]
    around = abs(now[1] - before[1])
    east = min(around, 360 * _E6 - around)
    cosine = low + (high - low) * ((middle - degree * _E6) / _E6)
    x = (east / _E6) * cosine
    y = (now[0] - before[0]) / _E6
    hours = max(elapsed, ticks_per_s) / (3600 * ticks_per_s)
    return math.sqrt(x * x + y * y) * KM_A_DEGREE / hours


def speeds_kmh(
    before: tuple[NDArray[np.int64], NDArray[np.int64]],
    now: tuple[NDArray[np.int64], NDArray[np.int64]],
    elapsed: NDArray[np.int64],
    *,
    ticks_per_s: int,
) -> NDArray[np.float64]:
    """``speed_kmh`` of columns."""
    middle = np.abs(before[0] + now[0]) // 2
    degree = middle // _E6
    cosines = np.array(COSINES)
    low, high = cosines[degree], cosines[degree + 1]
    around = np.abs(now[1] - before[1])
    east = np.minimum(around, 360 * _E6 - around)
    cosine = low + (high - low) * ((middle - degree * _E6) / _E6)
    x = (east / _E6) * cosine
    y = (now[0] - before[0]) / _E6
    hours = np.maximum(elapsed, ticks_per_s) / (3600 * ticks_per_s)
    speeds: NDArray[np.float64] = np.sqrt(x * x + y * y) * KM_A_DEGREE / hours
    return speeds
