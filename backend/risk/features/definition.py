"""What a feature is: the one definition that the stream and the columns both compute.

Rule 1: a feature looks at the events of one entity that **arrived before** the event it is computed
for and whose time lies in the window ``(t - delay - window, t - delay]``; ``includes_current`` adds
the event itself. Two events of one time count in the order of their arrival.
Rule 2: an event that comes late is counted by what arrives after it and rewrites no answer. One
that is more than ``LATE_S_MAX`` behind its entity's latest is counted by nobody, and what it asks
of that entity is unknown.
Rule 3: a label counts from its ``available_at`` on, by the time of the event that asks, until
another of the same event is available. Labels of an event that has left the widest window of an
entity are corrected no more.
Rule 4: unknown is NaN: no history to divide by, no entity, no place. Counts and sums of nothing
are zero.
Rule 5: every sum is one of integers, so that both operators give the same doubles.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from enum import StrEnum

from backend.risk.features.limits import FEATURES_MAX

EVENT = "payment"
"""The entity of a feature that needs no history: the event itself."""


class Kind(StrEnum):
    """What is computed. ``v`` is the event's own value of the column ``of``."""

    FIELD = "field"
    """``v`` itself, as a double."""
    HOUR = "hour"
    WEEKDAY = "weekday"
    """0 is Monday."""
    IS_WEEKEND = "is_weekend"
    IS_NIGHT = "is_night"
    """From midnight to the end of the hour of six."""
    COUNT = "count"
    """Events; with ``where`` those whose own feature was at least so much."""
    SUM = "sum"
    MEAN = "mean"
    SD = "sd"
    """The deviation of the population; needs two events."""
    MIN = "min"
    MAX = "max"
    DISTINCT = "distinct"
    """Different values of a key column; an absent value is none."""
    SINCE_LAST = "since_last"
    """Seconds since the entity's latest event not after this one."""
    SINCE_FIRST = "since_first"
    """Seconds since the entity was first seen."""
    RATIO = "ratio"
    """``v`` to the mean."""
    ZSCORE = "zscore"
    """``v`` less the mean, in deviations."""
    RATIO_MAX = "ratio_max"
    """``v`` to the largest."""
    RATIO_MEDIAN = "ratio_median"
    """``v`` to the median of the ``last`` events."""
    GEO_SPEED = "geo_speed"
    """Kilometres an hour since the latest event with a place, if that is no older than the widest
    window of the entity; at least a second is taken."""
    LABEL_COUNT = "label_count"
    """Events in the window that are known as fraud."""
    LABEL_RATE = "label_rate"
    """The same, to all events in the window; zero when there are none."""
    SINCE_FRAUD = "since_fraud"
    """Seconds since the latest event known as fraud."""
    SINCE_LEGITIMATE = "since_legitimate"
    """Seconds since the latest event known as legitimate."""
    FRAUD_RUN = "fraud_run"
    """How many of the labels that became known last were fraud without a break."""
    FRAUD_RUN_AGE = "fraud_run_age"
    """Seconds since the first event of that run."""


CALENDAR = frozenset({Kind.HOUR, Kind.WEEKDAY, Kind.IS_WEEKEND, Kind.IS_NIGHT})
LABELLED = frozenset(
    {
        Kind.LABEL_COUNT,
        Kind.LABEL_RATE,
        Kind.SINCE_FRAUD,
        Kind.SINCE_LEGITIMATE,
        Kind.FRAUD_RUN,
        Kind.FRAUD_RUN_AGE,
    }
)
OF_NUMBER = frozenset(
    {
        Kind.FIELD,
        Kind.SUM,
        Kind.MEAN,
        Kind.SD,
        Kind.MIN,
        Kind.MAX,
        Kind.RATIO,
        Kind.ZSCORE,
        Kind.RATIO_MAX,
        Kind.RATIO_MEDIAN,
    }
)
WINDOWED = frozenset(
    {
        Kind.COUNT,
        Kind.SUM,
        Kind.MEAN,
        Kind.SD,
        Kind.MIN,
        Kind.MAX,
        Kind.DISTINCT,
        Kind.RATIO,
        Kind.ZSCORE,
        Kind.RATIO_MAX,
        Kind.LABEL_COUNT,
        Kind.LABEL_RATE,
    }
)
MAY_INCLUDE_CURRENT = frozenset({Kind.COUNT, Kind.SUM, Kind.MEAN, Kind.DISTINCT})
MAY_BE_DELAYED = frozenset({Kind.COUNT, Kind.SUM, Kind.MEAN, Kind.LABEL_COUNT, Kind.LABEL_RATE})


class ColumnType(StrEnum):
    """What a column of an event holds."""

    KEY = "key"
    """Who or where: text, or none."""
    INTEGER = "integer"
    """A count or an amount in minor units, from zero up."""
    NUMBER = "number"
    """A double, or none; for FIELD only."""
    DEGREES = "degrees"
    """A latitude or longitude in millionths of a degree, or none."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the events."""

    name: str
    type: ColumnType


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Only events whose own value of an earlier feature of the same entity was at least this."""

    feature: str
    at_least: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One number. ``name`` is ``entity.signal``, as a rule reads it."""

    name: str
    entity: str
    kind: Kind
    of: str = ""
    window_s: int = 0
    delay_s: int = 0
    includes_current: bool = False
    where: Where | None = None
    last: int = 0
    """RATIO_MEDIAN: of so many events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSet:
    """Columns, the entities among them, and the features in the order of the vector.

    ``ticks_per_s``: the unit of an event's time. ``utc_offset_s``: where the calendar is read.
    """

    columns: tuple[Column, ...]
    features: tuple[Feature, ...]
    ticks_per_s: int = 1000
    utc_offset_s: int = 8 * 3600
    place: tuple[str, str] | None = None
    """The columns of latitude and longitude."""

    def __post_init__(self) -> None:
        check(self)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the vector's places."""
        return tuple(feature.name for feature in self.features)

    @property
    def entities(self) -> tuple[str, ...]:
        """The key columns that have features, in order of first use."""
        used = dict.fromkeys(f.entity for f in self.features if f.entity != EVENT)
        return tuple(used)

    @property
    def digest(self) -> str:
        """Names what the vector means: the hash of the whole definition (SHA-256, hex)."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def column(self, name: str) -> int:
        """The place of a column in a row."""
        return next(i for i, column in enumerate(self.columns) if column.name == name)


class DefinitionError(ValueError):
    """A feature that cannot be computed: names the feature and says why."""


def check(feature_set: FeatureSet) -> None:
    """Raises ``DefinitionError`` at the first feature that contradicts the rules."""
    types = {column.name: column.type for column in feature_set.columns}
    if len(types) != len(feature_set.columns):
        raise DefinitionError("a column is named twice")
    if not 0 < len(feature_set.features) <= FEATURES_MAX:
        raise DefinitionError(f"a set has 1 to {FEATURES_MAX} features")
    for name in feature_set.place or ():
        if types.get(name) is not ColumnType.DEGREES:
            raise DefinitionError(f"the place's column {name} is not in degrees")
    earlier: dict[str, Feature] = {}
    for feature in feature_set.features:
        why = _objection(feature, types, earlier, has_place=feature_set.place is not None)
        if why:
            raise DefinitionError(f"{feature.name}: {why}")
        earlier[feature.name] = feature


def _objection(
    feature: Feature, types: dict[str, ColumnType], earlier: dict[str, Feature], *, has_place: bool
) -> str:
    kind = feature.kind
    needs_history = kind not in CALENDAR | {Kind.FIELD}
    tests = [
        (feature.name in earlier, "the name is taken"),
        (needs_history == (feature.entity == EVENT), "has the wrong entity"),
        (needs_history and types.get(feature.entity) is not ColumnType.KEY, "no such key column"),
        ((kind in WINDOWED) != (feature.window_s > 0), "the window is wrong"),
        (feature.delay_s < 0 or (feature.delay_s and kind not in MAY_BE_DELAYED), "has a delay"),
        (
            feature.includes_current and (kind not in MAY_INCLUDE_CURRENT or feature.delay_s > 0),
            "cannot include the current event",
        ),
        ((kind is Kind.RATIO_MEDIAN) != (feature.last > 0), "last is for the median only"),
        (kind is Kind.GEO_SPEED and not has_place, "there is no place"),
        (not _has_its_column(feature, types), "its column is missing or of the wrong type"),
        (feature.where is not None and not _may_ask(feature, earlier), "its condition is wrong"),
    ]
    return next((why for is_wrong, why in tests if is_wrong), "")


def _has_its_column(feature: Feature, types: dict[str, ColumnType]) -> bool:
    found = types.get(feature.of)
    if feature.kind is Kind.FIELD:
        return found in {ColumnType.INTEGER, ColumnType.NUMBER}
    if feature.kind in OF_NUMBER:
        return found is ColumnType.INTEGER
    if feature.kind is Kind.DISTINCT:
        return found is ColumnType.KEY and feature.of != feature.entity
    return not feature.of


def _may_ask(feature: Feature, earlier: dict[str, Feature]) -> bool:
    """A condition is for counts, on an unconditional earlier feature of the same entity."""
    asked = earlier.get(feature.where.feature) if feature.where else None
    return (
        feature.kind is Kind.COUNT
        and not feature.includes_current
        and asked is not None
        and asked.where is None
        and asked.entity == feature.entity
    )


def span_s(feature_set: FeatureSet, entity: str) -> int:
    """How far back any feature of the entity looks, in seconds."""
    reach = [f.window_s + f.delay_s for f in feature_set.features if f.entity == entity]
    return max(reach, default=0)
