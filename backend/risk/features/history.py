"""What is kept of one entity, and what its features are at an event. Pure.

Events are in order of time, those of one time in order of arrival; beside their times run the
cumulated sums, so that any window is two look-ups and a difference, also of a late event.

Each payment asks for some forty kinds, so those that are asked for have a name of the module's own:
Python 3.11 takes ten times as long to find a member in the class of its enum.
"""

from array import array
from bisect import bisect_right
from math import nan, sqrt

from backend.risk.features.definition import Kind
from backend.risk.features.labels import NEVER, Labels
from backend.risk.features.limits import EVENTS_PER_ENTITY_MAX, SQUARED_MAX
from backend.risk.features.place import NOWHERE, speed_kmh
from backend.risk.features.plan import EntityPlan
from backend.risk.features.recent import Recent

ABSENT = 0
"""Stands for an absent key."""
PRUNED_FROM = 64
"""A history is looked through for what has left every window when so much may have."""

_SUM, _MEAN, _SD, _MIN, _MAX = Kind.SUM, Kind.MEAN, Kind.SD, Kind.MIN, Kind.MAX
_SINCE_LAST, _LABEL_COUNT = Kind.SINCE_LAST, Kind.LABEL_COUNT
_FRAUD_RUN, _SINCE_FRAUD = Kind.FRAUD_RUN, Kind.SINCE_FRAUD
_SINCE_LEGITIMATE = Kind.SINCE_LEGITIMATE

Row = tuple[object, ...]


class History:
    """One entity's events, as far back as a feature looks."""

    __slots__ = (
        "ats", "before_at", "first_at", "flags", "keys", "labels", "last_place", "lats", "lons",
        "lost_at", "prune_at", "recents", "squares", "sums", "values",
    )  # fmt: skip

    def __init__(self, plan: EntityPlan) -> None:
        self.ats = array("q")
        self.first_at = -1
        self.before_at = -1
        """The latest event before those that were ever kept, of which no more is known."""
        self.lost_at = -1
        self.prune_at = PRUNED_FROM
        self.sums = [array("q", (0,)) for _ in plan.summed_columns]
        self.squares = [(array("q", (0,)), array("q", (0,))) for _ in plan.squared_columns]
        self.values = [array("q") for _ in plan.value_columns]
        self.keys = [array("q") for _ in plan.distinct_columns]
        self.recents: list[Recent | None] = [None] * len(plan.distincts)
        self.flags = [array("q", (0,)) for _ in plan.wheres]
        self.lats = array("q")
        self.lons = array("q")
        self.last_place: tuple[int, int, int] | None = None
        self.labels: Labels | None = None
        """None until there is one: of most entities nothing ever becomes known."""

    def is_too_late(self, plan: EntityPlan, at: int) -> bool:
        """Whether an event comes so late that nobody counts it and it must not be inserted."""
        return len(self.ats) > 0 and at < self.ats[-1] - plan.late

    def measure(self, plan: EntityPlan, at: int, row: "Row", out: list[float]) -> None:
        """Write the entity's features of an event into the vector; one that comes too late has
        none."""
        ats = self.ats
        position = len(ats)
        if position and at < ats[-1]:
            if at < ats[-1] - plan.late:
                return
            position = bisect_right(ats, at)
        begins = [bisect_right(ats, at - ago, 0, position) for ago in plan.reaches]
        ends = self._ends(plan, at, position)
        for asked in plan.counts:
            window = asked.window
            out[asked.out] = float(ends[window] - begins[window] + asked.current)
        if plan.sums:
            self._sums(plan, row, begins, ends, out)
        if plan.deviations:
            self._deviations(plan, row, begins, ends, out)
        if plan.ranges or plan.medians:
            self._ranges(plan, row, begins, position, out)
        if plan.distincts:
            self._distincts(plan, row, begins, position, out)
        self._ages(plan, at, position, out)
        if plan.speeds:
            self._speeds(plan, at, row, position, out)
        for asked in plan.flagged:
            flags = self.flags[asked.slot]
            out[asked.out] = float(flags[ends[asked.window]] - flags[begins[asked.window]])
        if plan.is_labelled:
            self._labels(plan, at, begins, ends, out)
        if self.lost_at >= 0:
            self._unknown_where_lost(plan, at, out)

    def insert(self, plan: EntityPlan, at: int, row: "Row", out: list[float]) -> None:
        """Keep an event whose vector was written."""
        ats = self.ats
        position = len(ats)
        if self.first_at < 0 or at < self.first_at:
            self.first_at = at
        if position and at < ats[-1]:
            position = bisect_right(ats, at)
            self.recents = [None] * len(self.recents)
            self._insert_late(plan, position, row, out)
        else:
            self._append(plan, row, out)
        ats.insert(position, at)
        if plan.place_columns is not None:
            self._insert_place(position, at, row, plan.place_columns)
        if position >= self.prune_at:
            self._prune(plan)

    def _ends(self, plan: EntityPlan, at: int, position: int) -> list[int]:
        ends = [position] * len(plan.windows)
        for window, ago in plan.delays:
            ends[window] = bisect_right(self.ats, at - ago, 0, position)
        return ends

    def _append(self, plan: EntityPlan, row: "Row", out: list[float]) -> None:
        """Behind all others, as nearly every event comes."""
        for place, column in enumerate(plan.summed_columns):
            sums = self.sums[place]
            sums.append(sums[-1] + row[column])  # type: ignore[operator]
        for place, column in enumerate(plan.squared_columns):
            plain, squared = self.squares[place]
            value = min(row[column], SQUARED_MAX)  # type: ignore[call-overload]
            plain.append(plain[-1] + value)
            squared.append(squared[-1] + value * value)
        for place, column in enumerate(plan.value_columns):
            self.values[place].append(row[column])  # type: ignore[arg-type]
        for place, column in enumerate(plan.distinct_columns):
            self.keys[place].append(row[column])  # type: ignore[arg-type]
        for place, where in enumerate(plan.wheres):
            flags = self.flags[place]
            flags.append(flags[-1] + (out[plan.where_outs[place]] >= where.at_least))

    def _insert_late(self, plan: EntityPlan, position: int, row: "Row", out: list[float]) -> None:
        for sums, column in zip(self.sums, plan.summed_columns, strict=True):
            _cumulate(sums, position, row[column])  # type: ignore[arg-type]
        for (plain, squared), column in zip(self.squares, plan.squared_columns, strict=True):
            value = min(row[column], SQUARED_MAX)  # type: ignore[call-overload]
            _cumulate(plain, position, value)
            _cumulate(squared, position, value * value)
        for values, column in zip(self.values, plan.value_columns, strict=True):
            values.insert(position, row[column])  # type: ignore[arg-type]
        for keys, column in zip(self.keys, plan.distinct_columns, strict=True):
            keys.insert(position, row[column])  # type: ignore[arg-type]
        for flags, where, asked in zip(self.flags, plan.wheres, plan.where_outs, strict=True):
            _cumulate(flags, position, int(out[asked] >= where.at_least))

    def learn(
        self,
        plan: EntityPlan,
        at: int,
        available_at: int,
        *,
        is_fraud: bool,
        instead_since: int | None = None,
    ) -> None:
        """Keep a label of an event of this entity, or one that stands instead of the opposite,
        which had been known since a time."""
        if not plan.is_labelled:
            return
        if self.labels is None:
            self.labels = Labels(len(plan.windows))
        if instead_since is not None and available_at < at + plan.span:
            self.labels.take_back(
                at, available_at, plan.windows, is_fraud=not is_fraud, since=instead_since
            )
        self.labels.learn(at, available_at, plan.windows, is_fraud=is_fraud)

    def _sums(
        self, plan: EntityPlan, row: "Row", begins: list[int], ends: list[int], out: list[float]
    ) -> None:
        for asked in plan.sums:
            window = asked.window
            sums = self.sums[asked.slot]
            total = sums[ends[window]] - sums[begins[window]]
            number = ends[window] - begins[window]
            value: int = row[plan.summed_columns[asked.slot]]  # type: ignore[assignment]
            if asked.current:
                total += value
                number += 1
            if asked.kind is _SUM:
                out[asked.out] = float(total)
            elif asked.kind is _MEAN:
                out[asked.out] = total / number if number else nan
            else:
                out[asked.out] = value / (total / number) if total else nan

    def _deviations(
        self, plan: EntityPlan, row: "Row", begins: list[int], ends: list[int], out: list[float]
    ) -> None:
        for asked in plan.deviations:
            begin, end = begins[asked.window], ends[asked.window]
            plain, squared = self.squares[asked.slot]
            number = end - begin
            if number < 2:
                out[asked.out] = nan
                continue
            mean = (plain[end] - plain[begin]) / number
            variance = (squared[end] - squared[begin]) / number - mean * mean
            deviation = sqrt(variance) if variance > 0 else 0.0
            if asked.kind is _SD:
                out[asked.out] = deviation
            else:
                value = min(row[plan.squared_columns[asked.slot]], SQUARED_MAX)  # type: ignore[call-overload]
                out[asked.out] = (value - mean) / deviation if deviation else nan

    def _ranges(
        self, plan: EntityPlan, row: "Row", begins: list[int], position: int, out: list[float]
    ) -> None:
        for asked in plan.ranges:
            kept = self.values[asked.slot][begins[asked.window] : position]
            if not kept:
                out[asked.out] = nan
            elif asked.kind is _MIN:
                out[asked.out] = float(min(kept))
            elif asked.kind is _MAX:
                out[asked.out] = float(max(kept))
            else:
                out[asked.out] = _to(row[plan.value_columns[asked.slot]], float(max(kept)))
        for asked in plan.medians:
            first = max(0, position - asked.feature.last)
            kept = self.values[asked.slot][first:position]
            if kept:
                ordered = sorted(kept)
                half = len(ordered) // 2
                median = (ordered[half] + ordered[-1 - half]) / 2
                out[asked.out] = _to(row[plan.value_columns[asked.slot]], median)
            else:
                out[asked.out] = nan

    def _distincts(
        self, plan: EntityPlan, row: "Row", begins: list[int], position: int, out: list[float]
    ) -> None:
        for number, asked in enumerate(plan.distincts):
            slot, begin = asked.slot, begins[asked.window]
            keys = self.keys[slot]
            extra: int = row[plan.distinct_columns[slot]] if asked.current else 0  # type: ignore[assignment]
            if position - begin > Recent.WORTH or self.recents[number] is not None:
                recent = self.recents[number]
                if recent is None:
                    recent = self.recents[number] = Recent(begin)
                if recent.may_move(begin, position):
                    recent.move(keys, begin, position)
                    out[asked.out] = float(recent.different_with(extra))
                    continue
            if begin == position:
                out[asked.out] = float(extra != ABSENT)
                continue
            seen = set(keys[begin:position])
            seen.add(extra)
            seen.discard(ABSENT)
            out[asked.out] = float(len(seen))

    def _ages(self, plan: EntityPlan, at: int, position: int, out: list[float]) -> None:
        for asked in plan.ages:
            if asked.kind is _SINCE_LAST:
                then = self.ats[position - 1] if position else self.before_at
            else:
                then = self.first_at
            out[asked.out] = (at - then) / plan.ticks_per_s if 0 <= then <= at else nan

    def _speeds(
        self, plan: EntityPlan, at: int, row: "Row", position: int, out: list[float]
    ) -> None:
        lat, lon = plan.place_columns or (0, 0)
        now: tuple[int, int] = (row[lat], row[lon])  # type: ignore[assignment]
        before = self._place_before(position)
        speed = nan
        if before is not None and NOWHERE not in now and at - before[0] <= plan.span:
            elapsed = at - before[0]
            speed = speed_kmh(before[1:], now, elapsed, ticks_per_s=plan.ticks_per_s)
        for asked in plan.speeds:
            out[asked.out] = speed

    def _place_before(self, position: int) -> tuple[int, int, int] | None:
        """When and where the entity was last before this place of its history."""
        if position == len(self.ats):
            return self.last_place  # also when the event has left the history
        while position > 0:
            position -= 1
            if self.lats[position] != NOWHERE:
                return self.ats[position], self.lats[position], self.lons[position]
        return None

    def _insert_place(self, position: int, at: int, row: "Row", columns: tuple[int, int]) -> None:
        lat: int = row[columns[0]]  # type: ignore[assignment]
        lon: int = row[columns[1]]  # type: ignore[assignment]
        if lat == NOWHERE or lon == NOWHERE:
            lat = lon = NOWHERE
        elif self.last_place is None or at >= self.last_place[0]:
            self.last_place = (at, lat, lon)
        self.lats.insert(position, lat)
        self.lons.insert(position, lon)

    def _labels(
        self, plan: EntityPlan, at: int, begins: list[int], ends: list[int], out: list[float]
    ) -> None:
        labels = self.labels
        for asked in plan.label_counts:
            window = asked.window
            known = labels.count(window, at) if labels is not None else 0
            if asked.kind is _LABEL_COUNT:
                out[asked.out] = float(known)
            else:
                number = ends[window] - begins[window]
                out[asked.out] = known / number if number else 0.0
        place = labels.known_by(at) if labels is not None else NEVER
        for asked in plan.label_ages:
            out[asked.out] = _label_age(labels, asked.kind, place, at, plan.ticks_per_s)

    def _unknown_where_lost(self, plan: EntityPlan, at: int, out: list[float]) -> None:
        """Windows that reach back to events which the bound threw away."""
        for group in (
            plan.counts, plan.sums, plan.deviations, plan.ranges, plan.distincts, plan.flagged,
            plan.label_counts,
        ):  # fmt: skip
            for asked in group:
                if at - plan.windows[asked.window].begins < self.lost_at:
                    out[asked.out] = nan

    def _prune(self, plan: EntityPlan) -> None:
        ats = self.ats
        oldest = ats[-1] - plan.span - plan.late
        gone = bisect_right(ats, oldest)
        if len(ats) - gone > EVENTS_PER_ENTITY_MAX:
            gone = len(ats) - EVENTS_PER_ENTITY_MAX * 3 // 4
            self.lost_at = ats[gone - 1]
            self.recents = [None] * len(self.recents)
        # The latest events stay whatever their age: a median and a pause ask for them, also those
        # of an event that comes late.
        latest = bisect_right(ats, ats[-1] - plan.late)
        gone = min(gone, latest - max((m.feature.last for m in plan.medians), default=1))
        if gone > 0:
            self._drop(gone)
            if self.labels is not None:
                self.labels.forget_before(ats[-1] - plan.late, oldest)
        self.prune_at = max(PRUNED_FROM, len(ats) * 2)
        self.prune_at = min(self.prune_at, EVENTS_PER_ENTITY_MAX + 1 + PRUNED_FROM)

    def _drop(self, gone: int) -> None:
        del self.ats[:gone]
        for cumulated in (*self.sums, *(c for pair in self.squares for c in pair), *self.flags):
            base = cumulated[gone]
            cumulated[:] = array("q", [total - base for total in cumulated[gone:]])
        for column in (*self.values, *self.keys, self.lats, self.lons):
            del column[:gone]
        for number, recent in enumerate(self.recents):
            if recent is not None and not recent.shift(gone):
                self.recents[number] = None


def _cumulate(cumulated: "array[int]", position: int, value: int) -> None:
    """Insert a value at a place of the cumulated sums, which have one more place than values."""
    cumulated.insert(position + 1, cumulated[position] + value)
    for later in range(position + 2, len(cumulated)):
        cumulated[later] += value


def _to(value: object, measure: float) -> float:
    return value / measure if measure else nan  # type: ignore[operator]


def _label_age(labels: Labels | None, kind: Kind, place: int, at: int, ticks_per_s: int) -> float:
    if labels is None or place < 0:
        return 0.0 if kind is _FRAUD_RUN else nan
    if kind is _FRAUD_RUN:
        return float(labels.run[place])
    if kind is _SINCE_FRAUD:
        then = labels.fraud_at[place]
    elif kind is _SINCE_LEGITIMATE:
        then = labels.legitimate_at[place]
    else:
        then = labels.run_at[place] if labels.run[place] else -1
    return (at - then) / ticks_per_s if then >= 0 else nan
