"""A feature set sorted by what must be kept of each entity and computed from it.

Both operators work from this plan, so a feature is read from its definition once.
"""

from dataclasses import dataclass, field
from typing import Any

from backend.risk.features.definition import EVENT, Feature, FeatureSet, Kind, Where, span_s
from backend.risk.features.limits import LATE_S_MAX

SUMMED = frozenset({Kind.SUM, Kind.MEAN, Kind.RATIO})
SQUARED = frozenset({Kind.SD, Kind.ZSCORE})
RANGED = frozenset({Kind.MIN, Kind.MAX, Kind.RATIO_MAX})


@dataclass(frozen=True, slots=True)
class Window:
    """How far before the event a window begins and ends, in ticks."""

    begins: int
    ends: int


@dataclass(slots=True)
class Asked:
    """A feature with its place in the vector, its window and its column among those kept."""

    out: int
    feature: Feature
    window: int = 0
    slot: int = 0
    kind: Kind = field(init=False)
    current: int = field(init=False)
    """1 if the event itself counts."""

    def __post_init__(self) -> None:
        self.kind = self.feature.kind
        self.current = int(self.feature.includes_current)


@dataclass(slots=True)
class EntityPlan:
    """One entity's part. Each ``*_columns`` names the columns of a row that are kept in that way;
    ``slot`` of a feature is the place in it."""

    entity: str
    key_column: int
    windows: list[Window] = field(default_factory=list)
    reaches: list[int] = field(default_factory=list)
    """How far before the event each window begins."""
    delays: list[tuple[int, int]] = field(default_factory=list)
    """The windows that end before the event, and how far before."""
    wheres: list[Where] = field(default_factory=list)
    summed_columns: list[int] = field(default_factory=list)
    squared_columns: list[int] = field(default_factory=list)
    value_columns: list[int] = field(default_factory=list)
    distinct_columns: list[int] = field(default_factory=list)
    place_columns: tuple[int, int] | None = None
    counts: list[Asked] = field(default_factory=list)
    sums: list[Asked] = field(default_factory=list)
    deviations: list[Asked] = field(default_factory=list)
    ranges: list[Asked] = field(default_factory=list)
    medians: list[Asked] = field(default_factory=list)
    distincts: list[Asked] = field(default_factory=list)
    ages: list[Asked] = field(default_factory=list)
    speeds: list[Asked] = field(default_factory=list)
    flagged: list[Asked] = field(default_factory=list)
    label_counts: list[Asked] = field(default_factory=list)
    label_ages: list[Asked] = field(default_factory=list)
    where_outs: list[int] = field(default_factory=list)
    span: int = 0
    late: int = 0
    ticks_per_s: int = 1

    @property
    def is_labelled(self) -> bool:
        """Whether labels must be kept."""
        return bool(self.label_counts or self.label_ages)

    @property
    def outs(self) -> list[int]:
        """The places of the vector that are this entity's."""
        groups = (
            self.counts, self.sums, self.deviations, self.ranges, self.medians, self.distincts,
            self.ages, self.speeds, self.flagged, self.label_counts, self.label_ages,
        )  # fmt: skip
        return [asked.out for group in groups for asked in group]


def entity_plans(feature_set: FeatureSet) -> list[EntityPlan]:
    """The parts of a set, one an entity."""
    return [_plan(feature_set, entity) for entity in feature_set.entities]


def event_features(feature_set: FeatureSet) -> list[Asked]:
    """The features that need no history; ``slot`` is the column of a FIELD."""
    return [
        Asked(out, feature, slot=feature_set.column(feature.of) if feature.of else 0)
        for out, feature in enumerate(feature_set.features)
        if feature.entity == EVENT
    ]


def _plan(feature_set: FeatureSet, entity: str) -> EntityPlan:
    ticks = feature_set.ticks_per_s
    plan = EntityPlan(
        entity=entity,
        key_column=feature_set.column(entity),
        span=span_s(feature_set, entity) * ticks,
        late=LATE_S_MAX * ticks,
        ticks_per_s=ticks,
    )
    outs = {feature.name: out for out, feature in enumerate(feature_set.features)}
    for out, feature in enumerate(feature_set.features):
        if feature.entity == entity:
            _place(plan, feature_set, out, feature, outs)
    plan.reaches = [window.begins for window in plan.windows]
    plan.delays = [
        (number, window.ends) for number, window in enumerate(plan.windows) if window.ends
    ]
    return plan


def _place(
    plan: EntityPlan, feature_set: FeatureSet, out: int, feature: Feature, outs: dict[str, int]
) -> None:
    kind = feature.kind
    delay = feature.delay_s * plan.ticks_per_s
    window = _once(plan.windows, Window(delay + feature.window_s * plan.ticks_per_s, delay))
    column = feature_set.column(feature.of) if feature.of else 0
    if kind is Kind.COUNT and feature.where is not None:
        if feature.where not in plan.wheres:
            plan.where_outs.append(outs[feature.where.feature])
        slot = _once(plan.wheres, feature.where)
        plan.flagged.append(Asked(out, feature, window, slot))
    elif kind is Kind.COUNT:
        plan.counts.append(Asked(out, feature, window))
    elif kind in SUMMED:
        plan.sums.append(Asked(out, feature, window, _once(plan.summed_columns, column)))
    elif kind in SQUARED:
        plan.deviations.append(Asked(out, feature, window, _once(plan.squared_columns, column)))
    elif kind in RANGED:
        plan.ranges.append(Asked(out, feature, window, _once(plan.value_columns, column)))
    elif kind is Kind.RATIO_MEDIAN:
        plan.medians.append(Asked(out, feature, slot=_once(plan.value_columns, column)))
    elif kind is Kind.DISTINCT:
        plan.distincts.append(Asked(out, feature, window, _once(plan.distinct_columns, column)))
    elif kind in {Kind.SINCE_LAST, Kind.SINCE_FIRST}:
        plan.ages.append(Asked(out, feature))
    elif kind is Kind.GEO_SPEED:
        lat, lon = feature_set.place or ("", "")
        plan.place_columns = (feature_set.column(lat), feature_set.column(lon))
        plan.speeds.append(Asked(out, feature))
    elif kind in {Kind.LABEL_COUNT, Kind.LABEL_RATE}:
        plan.label_counts.append(Asked(out, feature, window))
    else:
        plan.label_ages.append(Asked(out, feature))


def _once(known: list[Any], item: object) -> int:
    if item not in known:
        known.append(item)
    return known.index(item)
