"""Events sorted by entity, time and arrival, so that a window is two places in one long column."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.risk.features.limits import EVENTS_PER_ENTITY_MAX

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Grouped:
    """``rows``: the events' numbers in order of entity, time, arrival. The other columns stand in
    that order: the entity's code, the time, the own place, the place of the entity's first."""

    rows: Integers
    codes: Integers
    at: Integers
    places: Integers
    firsts: Integers
    axis: Integers
    """Entity and time as one rising number."""
    stride: int
    origin: int

    @classmethod
    def of(
        cls, keys: NDArray[np.int64] | NDArray[np.float64], at: Integers, *, span: int
    ) -> "Grouped":
        """Sort the events that have a key. ``span``: how far back a window reaches, in ticks."""
        present = np.nonzero(np.asarray(keys) >= 0)[0]
        _, codes = np.unique(np.asarray(keys)[present], return_inverse=True)
        order = np.lexsort((at[present], codes))  # stable: ties stay in order of arrival
        rows, codes = present[order], codes[order].astype(np.int64)
        times = at[rows]
        places = np.arange(len(rows), dtype=np.int64)
        is_first = np.ones(len(rows), np.bool_)
        is_first[1:] = codes[1:] != codes[:-1]
        firsts = np.maximum.accumulate(np.where(is_first, places, 0))
        origin = int(times.min()) - span - 1 if len(rows) else 0
        stride = int(times.max()) - origin + span + 2 if len(rows) else 1
        return cls(
            rows, codes, times, places, firsts, codes * stride + (times - origin), stride, origin
        )

    def before(self, ticks: int) -> Integers:
        """For each event, the place after its entity's last event that is so old or older; never
        after the event itself."""
        found = np.searchsorted(self.axis, self.axis - ticks, side="right")
        return np.minimum(found, self.places)

    def on_axis(self, codes: Integers, at: Integers) -> Integers:
        """Times of entities on the axis. One beyond what the column holds is taken as just beyond,
        so that it stays its entity's."""
        return codes * self.stride + np.clip(at - self.origin, 0, self.stride - 1)

    def until(self, at: Integers) -> Integers:
        """For each event, the place of its entity's first event that is not before a time."""
        return np.searchsorted(self.axis, self.on_axis(self.codes, at), side="left")

    def odd(self, corrected: Integers) -> list[Integers]:
        """The events of each entity, in order of arrival, that the fast way cannot do: also where
        the label of a row was ``corrected``."""
        same = self.codes[1:] == self.codes[:-1]
        backwards = self.codes[1:][same & (self.rows[1:] < self.rows[:-1])]
        sizes = np.bincount(self.codes) if len(self.codes) else np.zeros(0, np.int64)
        odd = np.union1d(backwards, np.nonzero(sizes > EVENTS_PER_ENTITY_MAX)[0])
        if len(corrected):
            odd = np.union1d(odd, self.codes[np.isin(self.rows, corrected)])
        edges = (
            np.searchsorted(self.codes, odd, side="left"),
            np.searchsorted(self.codes, odd, side="right"),
        )
        return [np.sort(self.rows[a:b]) for a, b in zip(*edges, strict=True)]
