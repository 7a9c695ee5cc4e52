"""The features of a whole history at once: columns of events in, one row of the matrix an event.

The same definition as the stream and the same doubles. An entity whose events came out of order,
that has more events than the stream keeps, or of which a label was corrected, is computed by the
stream's own history, so the fast way has to know only events in order and labels that stand.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.risk.features import ranges
from backend.risk.features.calendar import calendar_features
from backend.risk.features.definition import ColumnType, FeatureSet, Kind
from backend.risk.features.grouped import Grouped
from backend.risk.features.history import History
from backend.risk.features.label_columns import Labels, label_features
from backend.risk.features.limits import SQUARED_MAX
from backend.risk.features.place import NOWHERE, speeds_kmh
from backend.risk.features.plan import EntityPlan, entity_plans, event_features

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


_NONE = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Events:
    """Events in the order of their arrival. Key columns hold codes, any whole numbers that name
    the values, -1 for none; degrees hold ``NOWHERE`` for none."""

    at: Integers
    columns: Mapping[str, NDArray[np.int64] | Floats]


def compute(feature_set: FeatureSet, events: Events, labels: Labels | None = None) -> Floats:
    """The matrix of features: ``len(events.at)`` rows in the order of arrival, a column a feature,
    NaN for unknown."""
    known = labels if labels is not None else Labels()
    out = np.full((len(feature_set.features), len(events.at)), np.nan)
    for asked in event_features(feature_set):
        if asked.feature.kind is Kind.FIELD:
            out[asked.out] = events.columns[asked.feature.of]
        else:
            out[asked.out] = calendar_features(asked.feature.kind, events.at, feature_set)
    corrected = known.corrected
    for plan in entity_plans(feature_set):
        _entity(feature_set, plan, events, known, corrected, out)
    return out.T


def _entity(
    feature_set: FeatureSet,
    plan: EntityPlan,
    events: Events,
    labels: Labels,
    corrected: Integers,
    out: Floats,
) -> None:
    grouped = Grouped.of(events.columns[plan.entity], events.at, span=plan.span)
    if not len(grouped.rows):
        return
    begins = [grouped.before(w.begins) for w in plan.windows]
    ends = [grouped.before(w.ends) if w.ends else grouped.places for w in plan.windows]
    kept = {
        column.name: np.asarray(events.columns[column.name], np.int64)[grouped.rows]
        for column in feature_set.columns
        if column.type is not ColumnType.NUMBER and column.name in events.columns
    }
    part = _Part(feature_set, plan, grouped, begins, ends, kept)
    for place, values in part.features():
        out[place, grouped.rows] = values
    for place, values in label_features(plan, grouped, begins, ends, labels, len(events.at)):
        out[place, grouped.rows] = values
    for asked, column in zip(plan.flagged, part.flagged(out), strict=True):
        out[asked.out, grouped.rows] = column
    for members in grouped.odd(corrected if plan.is_labelled else _NONE):
        _by_the_stream(feature_set, plan, events, labels, members, out)


@dataclass(frozen=True, slots=True)
class _Part:
    """One entity's events in order, and where each event's windows begin and end among them."""

    feature_set: FeatureSet
    plan: EntityPlan
    grouped: Grouped
    begins: list[Integers]
    ends: list[Integers]
    kept: Mapping[str, Integers]

    def features(self) -> list[tuple[int, Floats]]:
        plan, found = self.plan, []
        for asked in plan.counts:
            number = self._number(asked.window) + asked.feature.includes_current
            found.append((asked.out, number.astype(np.float64)))
        found += self._sums() + self._deviations() + self._ranges()
        for asked in plan.distincts:
            found.append(
                (
                    asked.out,
                    ranges.distinct(
                        self.grouped,
                        self.kept[asked.feature.of],
                        plan.windows[asked.window].begins,
                        includes_current=asked.feature.includes_current,
                    ),
                )
            )
        return found + self._ages() + self._speeds()

    def flagged(self, out: Floats) -> list[Floats]:
        cumulated = []
        for where, place in zip(self.plan.wheres, self.plan.where_outs, strict=True):
            hit = out[place, self.grouped.rows] >= where.at_least
            cumulated.append(ranges.cumulated(hit.astype(np.int64)))
        return [
            (
                cumulated[asked.slot][self.ends[asked.window]]
                - cumulated[asked.slot][self.begins[asked.window]]
            ).astype(np.float64)
            for asked in self.plan.flagged
        ]

    def _number(self, window: int) -> Integers:
        return self.ends[window] - self.begins[window]

    def _of(self, name: str) -> Integers:
        return self.kept[name]

    def _sums(self) -> list[tuple[int, Floats]]:
        found = []
        running = {name: ranges.cumulated(self._of(name)) for name in _columns(self.plan.sums)}
        for asked in self.plan.sums:
            feature, window = asked.feature, asked.window
            sums, value = running[feature.of], self._of(feature.of)
            total = sums[self.ends[window]] - sums[self.begins[window]]
            number = self._number(window)
            if feature.includes_current:
                total, number = total + value, number + 1
            if feature.kind is Kind.SUM:
                result = total.astype(np.float64)
            else:
                with np.errstate(divide="ignore", invalid="ignore"):
                    result = total / number
                    if feature.kind is Kind.RATIO:
                        result = np.where(total != 0, value / result, np.nan)
            found.append((asked.out, result))
        return found

    def _deviations(self) -> list[tuple[int, Floats]]:
        found = []
        cut = {
            name: np.minimum(self._of(name), SQUARED_MAX) for name in _columns(self.plan.deviations)
        }
        running = {name: ranges.cumulated(values) for name, values in cut.items()}
        squares = {name: ranges.cumulated(values * values) for name, values in cut.items()}
        for asked in self.plan.deviations:
            name, window = asked.feature.of, asked.window
            begin, end = self.begins[window], self.ends[window]
            number = end - begin
            with np.errstate(divide="ignore", invalid="ignore"):
                mean = (running[name][end] - running[name][begin]) / number
                variance = (squares[name][end] - squares[name][begin]) / number - mean * mean
                deviation = np.sqrt(np.where(variance > 0, variance, 0.0))
                result = deviation
                if asked.feature.kind is Kind.ZSCORE:
                    result = np.where(deviation > 0, (cut[name] - mean) / deviation, np.nan)
            found.append((asked.out, np.where(number > 1, result, np.nan)))
        return found

    def _ranges(self) -> list[tuple[int, Floats]]:
        found = []
        for asked in self.plan.ranges:
            value = self._of(asked.feature.of)
            begin, end = self.begins[asked.window], self.grouped.places
            if asked.feature.kind is Kind.MIN:
                result = -ranges.largest(-value, begin, end)
            else:
                result = ranges.largest(value, begin, end)
            if asked.feature.kind is Kind.RATIO_MAX:
                result = _to(value, result)
            found.append((asked.out, result))
        for asked in self.plan.medians:
            value = self._of(asked.feature.of)
            median = ranges.median_of_last(value, self.grouped, asked.feature.last)
            found.append((asked.out, _to(value, median)))
        return found

    def _ages(self) -> list[tuple[int, Floats]]:
        at, found = self.grouped.at, []
        for asked in self.plan.ages:
            if asked.feature.kind is Kind.SINCE_LAST:
                then = np.maximum(self.grouped.places - 1, self.grouped.firsts)
            else:
                then = self.grouped.firsts
            age = (at - at[then]) / self.plan.ticks_per_s
            found.append(
                (asked.out, np.where(self.grouped.places > self.grouped.firsts, age, np.nan))
            )
        return found

    def _speeds(self) -> list[tuple[int, Floats]]:
        if not self.plan.speeds or self.feature_set.place is None:
            return []
        lat, lon = (self._of(name) for name in self.feature_set.place)
        has_place = (lat != NOWHERE) & (lon != NOWHERE)
        places, firsts = self.grouped.places, self.grouped.firsts
        latest = np.maximum.accumulate(np.where(has_place, places, -1))
        before = np.concatenate(([-1], latest[:-1]))
        elapsed = self.grouped.at - self.grouped.at[np.maximum(before, 0)]
        is_known = has_place & (before >= firsts) & (elapsed <= self.plan.span)
        here, there = np.nonzero(is_known)[0], before[is_known]
        speed = np.full(len(places), np.nan)
        speed[here] = speeds_kmh(
            (lat[there], lon[there]),
            (lat[here], lon[here]),
            elapsed[here],
            ticks_per_s=self.plan.ticks_per_s,
        )
        return [(asked.out, speed) for asked in self.plan.speeds]


def _columns(group: list) -> set[str]:  # type: ignore[type-arg]
    return {asked.feature.of for asked in group}


def _to(value: Integers, measure: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((measure != 0) & ~np.isnan(measure), value / measure, np.nan)


def _by_the_stream(
    feature_set: FeatureSet,
    plan: EntityPlan,
    events: Events,
    labels: Labels,
    members: Integers,
    out: Floats,
) -> None:
    """One entity's events, in the order of arrival, through the history that the stream keeps."""
    history = History(plan)
    mine = np.isin(labels.rows, members)
    since: dict[int, int] = {}
    for row, available_at, is_fraud in zip(
        labels.rows[mine].tolist(),
        labels.available_at[mine].tolist(),
        labels.is_fraud[mine].tolist(),
        strict=True,
    ):
        history.learn(
            plan,
            int(events.at[row]),
            available_at,
            is_fraud=is_fraud,
            instead_since=since.get(row),
        )
        since[row] = available_at
    rows = [
        # A history's absent key is 0, a column's -1.
        (events.columns[column.name][members] + (column.type is ColumnType.KEY)).tolist()
        for column in feature_set.columns
    ]
    places = plan.outs
    for index, (row, at) in enumerate(
        zip(zip(*rows, strict=True), events.at[members].tolist(), strict=True)
    ):
        vector = [np.nan] * len(feature_set.features)
        if not history.is_too_late(plan, at):
            history.measure(plan, at, row, vector)
            history.insert(plan, at, row, vector)
        out[places, members[index]] = [vector[place] for place in places]
