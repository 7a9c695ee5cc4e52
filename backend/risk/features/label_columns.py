"""The label features of a whole history at once. See ``labels`` for the same one by one."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from backend.risk.features.definition import Kind
from backend.risk.features.grouped import Grouped
from backend.risk.features.labels import NEVER
from backend.risk.features.plan import EntityPlan

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels of events: which row, whether fraud, and since when that is known. A row may have
    several, in the order in which they became known, each the opposite of the one before."""

    rows: Integers = field(default_factory=lambda: np.zeros(0, np.int64))
    is_fraud: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    available_at: Integers = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def corrected(self) -> Integers:
        """The rows that have more than one."""
        return np.nonzero(np.bincount(self.rows) > 1)[0] if len(self.rows) else self.rows


@dataclass(frozen=True, slots=True)
class _Known:
    """The labels of the grouped events in order of entity, available_at, time."""

    codes: Integers
    at: Integers
    available_at: Integers
    is_fraud: NDArray[np.bool_]

    @classmethod
    def of(cls, grouped: Grouped, labels: Labels, events: int) -> "_Known":
        place_of = np.full(events, -1, np.int64)
        place_of[grouped.rows] = grouped.places
        places = place_of[labels.rows]
        mine = places >= 0
        places, available_at = places[mine], labels.available_at[mine]
        is_fraud = labels.is_fraud[mine]
        order = np.lexsort((is_fraud, grouped.at[places], available_at, grouped.codes[places]))
        places = places[order]
        return cls(grouped.codes[places], grouped.at[places], available_at[order], is_fraud[order])


def label_features(
    plan: EntityPlan,
    grouped: Grouped,
    begins: list[Integers],
    ends: list[Integers],
    labels: Labels,
    events: int,
) -> list[tuple[int, Floats]]:
    """The label features with their places in the vector, in the order of ``grouped``."""
    if not plan.is_labelled:
        return []
    known = _Known.of(grouped, labels, events)
    found = []
    for asked in plan.label_counts:
        window = plan.windows[asked.window]
        frauds = _frauds_in(grouped, known, begins=window.begins, ends=window.ends)
        if asked.feature.kind is Kind.LABEL_RATE:
            number = ends[asked.window] - begins[asked.window]
            frauds = np.where(number > 0, frauds / np.maximum(number, 1), 0.0)
        found.append((asked.out, frauds))
    return found + _ages(plan, grouped, known)


def _frauds_in(grouped: Grouped, known: _Known, *, begins: int, ends: int) -> Floats:
    start = np.maximum(known.at + ends, known.available_at)
    end = known.at + begins
    counts = known.is_fraud & (start < end)
    codes = known.codes[counts]
    starts = np.sort(grouped.on_axis(codes, start[counts]))
    over = np.sort(grouped.on_axis(codes, end[counts]))
    entered = np.searchsorted(starts, grouped.axis, side="right")
    return (entered - np.searchsorted(over, grouped.axis, side="right")).astype(np.float64)


def _ages(plan: EntityPlan, grouped: Grouped, known: _Known) -> list[tuple[int, Floats]]:
    if not plan.label_ages:
        return []
    size = len(known.codes)
    axis = grouped.on_axis(known.codes, known.available_at)
    place = np.searchsorted(axis, grouped.axis, side="right") - 1
    is_known = place >= 0
    is_known[is_known] = known.codes[place[is_known]] == grouped.codes[is_known]
    place = np.where(is_known, place, size)  # one place more stands for nothing known
    then = {
        Kind.SINCE_FRAUD: _latest(grouped, known, known.is_fraud),
        Kind.SINCE_LEGITIMATE: _latest(grouped, known, ~known.is_fraud),
    }
    run, then[Kind.FRAUD_RUN_AGE] = _runs(known)
    found = []
    for asked in plan.label_ages:
        if asked.feature.kind is Kind.FRAUD_RUN:
            found.append((asked.out, np.append(run, 0)[place].astype(np.float64)))
            continue
        at = np.append(then[asked.feature.kind], NEVER)[place]
        age = (grouped.at - at) / plan.ticks_per_s
        found.append((asked.out, np.where(at >= 0, age, np.nan)))
    return found


def _latest(grouped: Grouped, known: _Known, which: NDArray[np.bool_]) -> Integers:
    """The latest time of such an event among an entity's labels up to each."""
    base = known.codes * grouped.stride
    reached = np.where(which, base + (known.at - grouped.origin), base)
    offset = np.maximum.accumulate(reached) - base if len(reached) else reached
    return np.where(offset > 0, offset + grouped.origin, NEVER)


def _runs(known: _Known) -> tuple[Integers, Integers]:
    """How long the run of frauds is at each label, and when its first event was."""
    size = len(known.codes)
    places = np.arange(size)
    is_first = np.ones(size, np.bool_)
    is_first[1:] = known.codes[1:] != known.codes[:-1]
    breaks = np.where(~known.is_fraud, places, np.where(is_first, places - 1, -2))
    last_break = np.maximum.accumulate(breaks) if size else breaks
    run = places - last_break
    began = np.minimum(last_break + 1, max(size - 1, 0))
    return run, np.where(run > 0, known.at[began] if size else began, NEVER)
