"""What a feature is, computed the slow and plain way from everything that came before: for one
event, over a list of all earlier events. Shares nothing with the two operators but the definition.
"""

import datetime as dt
import statistics
from dataclasses import dataclass
from math import asin, cos, nan, radians, sin, sqrt
from typing import Any

from backend.risk.features.definition import EVENT, Feature, FeatureSet, Kind, span_s
from backend.risk.features.limits import LATE_S_MAX, SQUARED_MAX


@dataclass(frozen=True)
class Told:
    """An event, or the label of an event that came before it in the story."""

    at: int
    row: tuple[Any, ...]
    is_fraud: bool | None = None
    available_at: int = 0


_Event = tuple[int, dict[str, Any], dict[str, float], set[str]]


@dataclass(frozen=True)
class Before:
    """What was told of an entity before an event: other events by their time, and labels."""

    seen: list[_Event]
    known: list[tuple[int, int, bool]]


class Oracle:
    """All events and labels that were told, and what each feature is of the next event."""

    def __init__(self, feature_set: FeatureSet) -> None:
        self._set = feature_set
        self._events: list[_Event] = []
        self._labels: list[tuple[int, int, bool, dict[str, Any]]] = []
        self._latest: dict[int, int] = {}
        self._taken_back: dict[int, int] = {}
        """Since when a label no longer stands, because another of its event is known."""

    def learn(self, label: Told) -> None:
        row = self._named(label.row)
        assert label.is_fraud is not None
        self._labels.append((label.available_at, label.at, label.is_fraud, row))
        before = self._latest.get(id(label.row))
        if before is not None:
            self._taken_back[before] = label.available_at
        self._latest[id(label.row)] = len(self._labels) - 1

    def observe(self, at: int, values: tuple[object, ...]) -> dict[str, float]:
        row = self._named(values)
        before = {
            entity: self._before(entity, at, row[entity])
            for entity in self._set.entities
            if row[entity] is not None
        }
        found = {f.name: self._feature(f, at, row, before) for f in self._set.features}
        late = {entity for entity, told in before.items() if told is None}
        self._events.append((at, row, found, {e for e in self._set.entities if e not in late}))
        return found

    def _before(self, entity: str, at: int, key: object) -> Before | None:
        """None: the event comes too late to be told."""
        ticks = self._set.ticks_per_s
        mine = [e for e in self._events if e[1][entity] == key and entity in e[3]]
        if mine and at < max(e[0] for e in mine) - LATE_S_MAX * ticks:
            return None
        span = span_s(self._set, entity) * ticks
        known = sorted(
            (a, t, fraud)
            for number, (a, t, fraud, r) in enumerate(self._labels)
            if r[entity] == key and a <= at
            if number not in self._taken_back
            or not self._taken_back[number] <= at
            or not self._taken_back[number] < t + span
        )
        return Before(sorted((e for e in mine if e[0] <= at), key=lambda e: e[0]), known)

    def _named(self, values: tuple[object, ...]) -> dict[str, Any]:
        return {c.name: v for c, v in zip(self._set.columns, values, strict=True)}

    def _feature(  # noqa: C901  (one case a kind, as in the definition)
        self, f: Feature, at: int, row: dict[str, Any], before: dict[str, Before | None]
    ) -> float:
        if f.entity == EVENT:
            return self._plain(f, at, row)
        told = before.get(f.entity)
        if told is None:
            return nan
        seen, known, ticks = told.seen, told.known, self._set.ticks_per_s
        begin, end = at - (f.delay_s + f.window_s) * ticks, at - f.delay_s * ticks
        window = [e for e in seen if begin < e[0] <= end]
        frauds = [t for _, t, fraud in known if fraud and begin < t <= end]
        v: Any = row.get(f.of)
        amounts = [e[1][f.of] for e in window] if f.of else []
        if f.includes_current and f.of:
            amounts.append(v)
        match f.kind:
            case Kind.COUNT if f.where:
                return float(sum(e[2][f.where.feature] >= f.where.at_least for e in window))
            case Kind.COUNT:
                return float(len(window) + f.includes_current)
            case Kind.SUM:
                return float(sum(amounts))
            case Kind.MEAN:
                return sum(amounts) / len(amounts) if amounts else nan
            case Kind.RATIO:
                return v / (sum(amounts) / len(amounts)) if sum(amounts) else nan
            case Kind.SD | Kind.ZSCORE:
                cut = [min(a, SQUARED_MAX) for a in amounts]
                if len(cut) < 2:
                    return nan
                sd = statistics.pstdev(cut)
                if f.kind is Kind.SD:
                    return sd
                return (min(v, SQUARED_MAX) - statistics.fmean(cut)) / sd if sd else nan
            case Kind.MIN:
                return float(min(amounts, default=nan))
            case Kind.MAX:
                return float(max(amounts, default=nan))
            case Kind.RATIO_MAX:
                return v / max(amounts) if amounts and max(amounts) else nan
            case Kind.RATIO_MEDIAN:
                last = [e[1][f.of] for e in seen][-f.last :]
                median = statistics.median(last) if last else 0
                return v / median if median else nan
            case Kind.DISTINCT:
                return float(len({a for a in amounts if a is not None}))
            case Kind.SINCE_LAST:
                return (at - seen[-1][0]) / ticks if seen else nan
            case Kind.SINCE_FIRST:
                return (at - seen[0][0]) / ticks if seen else nan
            case Kind.GEO_SPEED:
                return self._speed(f.entity, seen, at, row)
            case Kind.LABEL_COUNT:
                return float(len(frauds))
            case Kind.LABEL_RATE:
                return len(frauds) / len(window) if window else 0.0
            case Kind.SINCE_FRAUD | Kind.SINCE_LEGITIMATE:
                wanted = f.kind is Kind.SINCE_FRAUD
                times = [t for _, t, fraud in known if fraud is wanted]
                return (at - max(times)) / ticks if times else nan
            case _:
                run: list[int] = []
                for _, t, fraud in known:
                    run = [*run, t] if fraud else []
                if f.kind is Kind.FRAUD_RUN:
                    return float(len(run))
                return (at - run[0]) / ticks if run else nan

    def _plain(self, f: Feature, at: int, row: dict[str, Any]) -> float:
        zone = dt.timezone(dt.timedelta(seconds=self._set.utc_offset_s))
        when = dt.datetime.fromtimestamp(at // self._set.ticks_per_s, zone)
        match f.kind:
            case Kind.FIELD:
                return float(row[f.of])
            case Kind.HOUR:
                return float(when.hour)
            case Kind.WEEKDAY:
                return float(when.weekday())
            case Kind.IS_NIGHT:
                return float(when.hour <= 6)
            case _:
                return float(when.weekday() >= 5)

    def _speed(self, entity: str, seen: list[Any], at: int, row: dict[str, Any]) -> float:
        assert self._set.place is not None
        lat, lon = self._set.place
        placed = [e for e in seen if e[1][lat] is not None and e[1][lon] is not None]
        if not placed or row[lat] is None or row[lon] is None:
            return nan
        then, before = placed[-1][0], placed[-1][1]
        if at - then > span_s(self._set, entity) * self._set.ticks_per_s:
            return nan
        a, b = radians(before[lat] / 1e6), radians(row[lat] / 1e6)
        x = radians((row[lon] - before[lon]) / 1e6)
        h = sin((b - a) / 2) ** 2 + cos(a) * cos(b) * sin(x / 2) ** 2
        seconds = max(at - then, self._set.ticks_per_s) / self._set.ticks_per_s
        return 2 * 6371 * asin(sqrt(h)) / (seconds / 3600)
