"""What the clock on the wall said at an event. Pure, by integers alone."""

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


def calendar_feature(kind: Kind, at: int, feature_set: FeatureSet) -> float:
    """One calendar feature of a time in ticks since 1970."""
    return float(_read(kind, at // feature_set.ticks_per_s + feature_set.utc_offset_s))


def calendar_features(
    kind: Kind, at: NDArray[np.int64], feature_set: FeatureSet
) -> NDArray[np.float64]:
    """The same of a column."""
    read = _read(kind, at // feature_set.ticks_per_s + feature_set.utc_offset_s)
    return np.asarray(read, np.float64)


def _read(kind: Kind, second: Any) -> Any:  # noqa: ANN401  (a number or a column of them)
    hour = second % _DAY_S // _HOUR_S
    weekday = (second // _DAY_S + _MONDAY) % 7
    match kind:
        case Kind.HOUR:
            return hour
        case Kind.WEEKDAY:
            return weekday
        case Kind.IS_NIGHT:
            return hour <= _NIGHT_ENDS
        case _:
            return weekday >= _SATURDAY
