"""What the clock on the wall said at an event. Pure, by integers alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.risk.features.definition import FeatureSet, Kind

_HOUR_S = 3600
_DAY_S = 86_400
_MONDAY = 3
"""1970-01-01 was a Thursday, the third day from a Monday."""
_NIGHT_ENDS = 6
_SATURDAY = 5


def calendar_features(
    kind: Kind, at: NDArray[np.int64], feature_set: FeatureSet
) -> NDArray[np.float64]:
    """One calendar feature of a column of times in ticks since 1970."""
    read = CALENDAR_READS[kind](at // feature_set.ticks_per_s + feature_set.utc_offset_s)
    return np.asarray(read, np.float64)


def _hour(second: Any) -> Any:  # noqa: ANN401  (a number or a column of them, as below)
    return second % _DAY_S // _HOUR_S


def _weekday(second: Any) -> Any:  # noqa: ANN401
    return (second // _DAY_S + _MONDAY) % 7


def _is_night(second: Any) -> Any:  # noqa: ANN401
    return _hour(second) <= _NIGHT_ENDS


def _is_weekend(second: Any) -> Any:  # noqa: ANN401
    return _weekday(second) >= _SATURDAY


CALENDAR_READS: dict[Kind, Callable[[Any], Any]] = {
    Kind.HOUR: _hour,
    Kind.WEEKDAY: _weekday,
    Kind.IS_NIGHT: _is_night,
    Kind.IS_WEEKEND: _is_weekend,
}
"""Each calendar feature, of a second since 1970 by the calendar's zone."""
