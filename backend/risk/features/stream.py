"""The features of events one by one, as they arrive. Pure: events and labels in, vectors out."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from math import nan

from backend.risk.features.calendar import CALENDAR_READS
from backend.risk.features.definition import Column, ColumnType, FeatureSet, Kind
from backend.risk.features.history import ABSENT, History
from backend.risk.features.limits import AT_MAX, ENTITIES_MAX, KEYS_REMEMBERED_MAX, VALUE_MAX
from backend.risk.features.past import Past
from backend.risk.features.place import LATITUDE_E6_MAX, LONGITUDE_E6_MAX, NOWHERE
from backend.risk.features.plan import EntityPlan, entity_plans, event_features

Value = str | int | float | None


class EventError(ValueError):
    """An event that cannot be: names the column and says why."""


class FeatureState:
    """What is remembered of all entities of one feature set.

    An event is its time in ticks and a row in the order of the set's columns. ``pasts``: when the
    entities of a kind were seen before the first event that will be told.
    """

    def __init__(
        self,
        feature_set: FeatureSet,
        *,
        entities_max: int = ENTITIES_MAX,
        pasts: Mapping[str, Past] | None = None,
    ) -> None:
        self.feature_set = feature_set
        self._plans = entity_plans(feature_set)
        self._pasts = [(pasts or {}).get(plan.entity, Past()) for plan in self._plans]
        plain = event_features(feature_set)
        self._fields = [(asked.out, asked.slot) for asked in plain if asked.kind is Kind.FIELD]
        self._calendar = [
            (asked.out, CALENDAR_READS[asked.kind])
            for asked in plain
            if asked.kind is not Kind.FIELD
        ]
        self._histories: list[dict[int, History]] = [{} for _ in self._plans]
        self._nobodies = [History(plan) for plan in self._plans]
        self._entities_max = entities_max
        self._coders = [_coder(feature_set, column) for column in feature_set.columns]
        self._size = len(feature_set.features)

    def observe(self, at: int, row: Sequence[Value]) -> list[float]:
        """The vector of an event, which is remembered. Raises ``EventError``."""
        vector = self.measure(at, row)
        self.remember(at, row, vector)
        return vector

    def measure(
        self, at: int, row: Sequence[Value], is_over: Callable[[], bool] | None = None
    ) -> list[float]:
        """The vector of an event, which leaves no trace. Raises ``EventError``. ``is_over`` is
        asked before each entity; once it says so, the features of the rest are unknown."""
        if not 0 <= at <= AT_MAX:
            raise EventError(f"time: {at} is not within 0 and {AT_MAX}")
        coded = self.code(row)
        out = [nan] * self._size
        for place, column in self._fields:
            value = row[column]
            out[place] = nan if value is None else float(value)
        second = at // self.feature_set.ticks_per_s + self.feature_set.utc_offset_s
        for place, read in self._calendar:
            out[place] = float(read(second))
        for plan, histories, past, nobody in zip(
            self._plans, self._histories, self._pasts, self._nobodies, strict=True
        ):
            if is_over is not None and is_over():
                break
            key: int = coded[plan.key_column]  # type: ignore[assignment]
            if key != ABSENT:
                history = histories.get(key) or _recalled(plan, past, key) or nobody
                history.measure(plan, at, coded, out)
        return out

    def remember(self, at: int, row: Sequence[Value], vector: list[float]) -> None:
        """Keep an event whose vector was measured."""
        coded = self.code(row)
        for plan, histories, past in zip(self._plans, self._histories, self._pasts, strict=True):
            key: int = coded[plan.key_column]  # type: ignore[assignment]
            if key == ABSENT:
                continue
            history = histories.pop(key, None)
            if history is None:
                history = _recalled(plan, past, key) or History(plan)
                self._make_room(histories)
            histories[key] = history  # the latest used stands last
            if not history.is_too_late(plan, at):
                history.insert(plan, at, coded, vector)

    def learn(
        self,
        at: int,
        row: Sequence[Value],
        *,
        is_fraud: bool,
        available_at: int,
        instead_since: int | None = None,
    ) -> None:
        """A label of an event that was observed with this time and row; ``instead_since``: it takes
        the place of the opposite one, which had been known since then.

        Raises ``EventError`` for a label that was known before its event, or before that other."""
        check_label(at, available_at, instead_since)
        coded = self.code(row)
        for plan, histories, past in zip(self._plans, self._histories, self._pasts, strict=True):
            key: int = coded[plan.key_column]  # type: ignore[assignment]
            history = histories.get(key)
            if history is None and plan.is_labelled:
                history = _recalled(plan, past, key)
                if history is not None:
                    self._make_room(histories)
                    histories[key] = history
            if history is not None:
                history.learn(
                    plan, at, available_at, is_fraud=is_fraud, instead_since=instead_since
                )

    def _make_room(self, histories: dict[int, History]) -> None:
        if len(histories) >= self._entities_max:
            del histories[next(iter(histories))]

    @property
    def sizes(self) -> dict[str, int]:
        """How many entities of each kind are remembered."""
        return {
            plan.entity: len(histories)
            for plan, histories in zip(self._plans, self._histories, strict=True)
        }

    def code(self, row: Sequence[Value]) -> tuple[object, ...]:
        """The row with keys as 64-bit numbers and absent places as ``NOWHERE``. Raises
        ``EventError``."""
        if len(row) != len(self._coders):
            raise EventError(f"a row has {len(self._coders)} columns, not {len(row)}")
        return tuple([coder(value) for coder, value in zip(self._coders, row, strict=True)])


def _recalled(plan: EntityPlan, past: Past, key: int) -> History | None:
    """An entity that was seen before what was told, with no more than that."""
    seen = past.find(key) if len(past) else None
    if seen is None:
        return None
    history = History(plan)
    history.first_at, history.before_at = seen
    return history


def check_label(at: int, available_at: int, instead_since: int | None) -> None:
    """Raises ``EventError`` for a label that comes before its event or before the one that it
    corrects."""
    if available_at < at:
        raise EventError("available_at: a label is not known before its event")
    if instead_since is not None and available_at < instead_since:
        raise EventError("available_at: a label does not correct a later one")


@lru_cache(KEYS_REMEMBERED_MAX)
def key_of(text: str) -> int:
    """A key as a number that is its own on every machine (BLAKE2b, 64 bits, never 0)."""
    digest = blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True) or 1


def _coder(feature_set: FeatureSet, column: Column) -> Callable[[Value], object]:
    """How one column's values are checked and kept."""
    lowest, highest = 0, VALUE_MAX
    if column.type is ColumnType.DEGREES:
        is_latitude = feature_set.place is not None and column.name == feature_set.place[0]
        highest = LATITUDE_E6_MAX if is_latitude else LONGITUDE_E6_MAX
        lowest = -highest

    def integer(value: Value) -> object:
        if type(value) is int and lowest <= value <= highest:
            return value
        raise EventError(f"{column.name}: {value!r} is no {column.type} up to {highest}")

    def degrees(value: Value) -> object:
        return NOWHERE if value is None else integer(value)

    def key(value: Value) -> object:
        if not value and value in {None, ""}:
            return ABSENT
        if isinstance(value, str):
            return key_of(value)
        raise EventError(f"{column.name}: {value!r} is no {column.type}")

    def number(value: Value) -> object:
        if value is None or type(value) in {int, float}:
            return value
        raise EventError(f"{column.name}: {value!r} is no {column.type}")

    return {
        ColumnType.KEY: key,
        ColumnType.INTEGER: integer,
        ColumnType.NUMBER: number,
        ColumnType.DEGREES: degrees,
    }[column.type]
