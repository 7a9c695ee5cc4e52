"""One definition, three ways: the stream, the columns, and a plain oracle. The first two must give
the same doubles; the oracle the same numbers."""

import math
import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.risk.features import history as history_module
from backend.risk.features.catalogue import CARD_TERMINAL, HANDBOOK, PAYMENT
from backend.risk.features.columns import Events, compute
from backend.risk.features.definition import (
    EVENT,
    Column,
    ColumnType,
    DefinitionError,
    Feature,
    FeatureSet,
    Kind,
    Where,
)
from backend.risk.features.label_columns import Labels
from backend.risk.features.past import Past, Sightings
from backend.risk.features.place import NOWHERE
from backend.risk.features.stream import EventError, FeatureState
from tests.support.feature_oracle import Oracle, Told

DAY_MS = 86_400_000
START_MS = 1_790_000_000_000


def story(
    seed: int, feature_set: FeatureSet, size: int, *, days: int, has_late: bool = True,
    corrected: float = 0.0,
) -> list[Told]:  # fmt: skip
    """Events in order of arrival, some late and many at one time, and labels when known, of which a
    share is corrected, some again and again."""
    luck = random.Random(seed)
    at = START_MS
    told: list[Told] = []
    open_labels: list[Told] = []
    step = days * DAY_MS // size
    if feature_set.ticks_per_s == 1:
        at, step = at // 1000, step // 1000
    day = 86_400 * feature_set.ticks_per_s
    for _ in range(size):
        at += luck.choice((0, 0, luck.randrange(2 * step), luck.randrange(3 * step)))
        for label in [label for label in open_labels if label.available_at <= at]:
            open_labels.remove(label)
            told.append(label)
        late = luck.choice((0, 0, 0, luck.randrange(day // 2), luck.randrange(2 * day)))
        event = Told(at - late * has_late, tuple(_value(luck, c) for c in feature_set.columns))
        told.append(event)
        if luck.random() < 0.4:
            known = at + luck.choice((1, luck.randrange(day), 7 * day))
            label = replace(event, is_fraud=luck.random() < 0.6, available_at=known)
            open_labels.append(label)
            while luck.random() < corrected:
                later = luck.choice((0, luck.randrange(day), luck.randrange(40 * day)))
                label = replace(label, is_fraud=not label.is_fraud,
                                available_at=label.available_at + later)  # fmt: skip
                open_labels.append(label)
    return told


def _value(luck: random.Random, column: Column) -> str | int | None:
    match column.type:
        case ColumnType.KEY:
            return luck.choice((None, *(f"{column.name}{n}" for n in range(4))))
        case ColumnType.DEGREES:
            return luck.choice((None, 31_230_000, 31_230_000 + luck.randrange(400_000)))
        case _:
            return luck.choice((0, 1, luck.randrange(100_000), luck.randrange(10_000_000)))


def streamed(feature_set: FeatureSet, told: list[Told]) -> np.ndarray:
    state, rows = FeatureState(feature_set), []
    since: dict[int, int] = {}
    for item in told:
        if item.is_fraud is None:
            rows.append(state.observe(item.at, item.row))
            continue
        state.learn(item.at, item.row, is_fraud=item.is_fraud, available_at=item.available_at,
                    instead_since=since.get(id(item.row)))  # fmt: skip
        since[id(item.row)] = item.available_at
    return np.array(rows)


def in_columns(feature_set: FeatureSet, told: list[Told]) -> np.ndarray:
    events = [item for item in told if item.is_fraud is None]
    labels = [item for item in told if item.is_fraud is not None]
    place = {id(e.row): n for n, e in enumerate(events)}
    columns = {}
    for index, column in enumerate(feature_set.columns):
        values: list[Any] = [event.row[index] for event in events]
        if column.type is ColumnType.KEY:
            codes = {key: n for n, key in enumerate(sorted({v for v in values if v}))}
            values = [-1 if value is None else codes[value] for value in values]
        elif column.type is ColumnType.DEGREES:
            values = [NOWHERE if value is None else value for value in values]
        columns[column.name] = np.array(values, np.int64)
    return compute(
        feature_set,
        Events(np.array([e.at for e in events], np.int64), columns),
        Labels(
            np.array([place[id(label.row)] for label in labels], np.int64),
            np.array([bool(label.is_fraud) for label in labels]),
            np.array([label.available_at for label in labels], np.int64),
        ),
    )


def by_the_oracle(feature_set: FeatureSet, told: list[Told]) -> np.ndarray:
    oracle, rows = Oracle(feature_set), []
    for item in told:
        if item.is_fraud is None:
            rows.append(list(oracle.observe(item.at, item.row).values()))
        else:
            oracle.learn(item)
    return np.array(rows)


def assert_same(feature_set: FeatureSet, ours: np.ndarray, theirs: np.ndarray) -> None:
    for place, name in enumerate(feature_set.names):
        wrong = np.nonzero(
            ~(
                (ours[:, place] == theirs[:, place])
                | _both_unknown(ours[:, place], theirs[:, place])
            )
        )[0]
        assert not len(wrong), (
            f"{name} at event {wrong[0]}: {ours[wrong[0], place]} != {theirs[wrong[0], place]}"
        )


def _both_unknown(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    both: np.ndarray = np.isnan(ours) & np.isnan(theirs)
    return both


KINDS = FeatureSet(
    columns=PAYMENT.columns,
    place=PAYMENT.place,
    features=(
        *PAYMENT.features,
        *(
            Feature(name=f"payer.every_{kind}", entity="payer", kind=kind, of="amount_minor",
                    window_s=86_400)
            for kind in (Kind.MIN, Kind.MAX, Kind.SD, Kind.RATIO_MAX)
        ),
        Feature(name="payer.all_merchants", entity="payer", kind=Kind.DISTINCT, of="merchant",
                window_s=7 * 86_400, includes_current=True),
        Feature(name="payer.high", entity="payer", kind=Kind.COUNT, window_s=7 * 86_400,
                where=Where(feature="payer.amount_ratio_30d", at_least=1.5)),
        Feature(name="payer.delayed", entity="payer", kind=Kind.MEAN, of="amount_minor",
                window_s=3 * 86_400, delay_s=86_400),
        Feature(name="payer.rate", entity="payer", kind=Kind.LABEL_RATE, window_s=3 * 86_400,
                delay_s=86_400),
        *(
            Feature(name=f"payer.every_{kind}", entity="payer", kind=kind)
            for kind in (Kind.SINCE_FRAUD, Kind.SINCE_LEGITIMATE, Kind.FRAUD_RUN,
                         Kind.FRAUD_RUN_AGE)
        ),
    ),
)  # fmt: skip


@pytest.mark.parametrize("feature_set", [KINDS, CARD_TERMINAL, HANDBOOK], ids=["all", "ct", "fdh"])
@pytest.mark.parametrize(("days", "has_late"), [(1, True), (60, True), (2, False), (40, False)])
def test_stream_columns_and_oracle_agree(
    feature_set: FeatureSet, days: int, has_late: bool
) -> None:
    told = story(7 + days, feature_set, 500, days=days, has_late=has_late, corrected=0.3)
    ours = streamed(feature_set, told)
    assert_same(feature_set, ours, in_columns(feature_set, told))
    plain = by_the_oracle(feature_set, told)
    for place, name in enumerate(feature_set.names):
        loose = 0.02 if name.endswith("geo_speed_kmh") else 1e-7
        np.testing.assert_allclose(
            ours[:, place], plain[:, place], rtol=loose, atol=1e-6, err_msg=name
        )


@settings(max_examples=15)
@given(
    seed=st.integers(0, 2**32),
    days=st.sampled_from([1, 8, 90]),
    has_late=st.booleans(),
    corrected=st.sampled_from([0.0, 0.5]),
)
def test_both_operators_give_the_same_doubles(
    seed: int, days: int, has_late: bool, corrected: float
) -> None:
    told = story(seed, KINDS, 150, days=days, has_late=has_late, corrected=corrected)
    assert_same(KINDS, streamed(KINDS, told), in_columns(KINDS, told))


def test_a_state_that_is_told_the_stored_events_again_goes_on_as_if_it_had_never_stopped() -> None:
    told = story(3, KINDS, 300, days=20)
    whole = streamed(KINDS, told)
    events = sum(item.is_fraud is None for item in told[:200])
    again = streamed(KINDS, told[:200])
    assert_same(KINDS, again, whole[:events])
    assert_same(KINDS, streamed(KINDS, [*told[:200], *told[200:]])[events:], whole[events:])


def test_what_left_every_window_is_forgotten_and_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = story(5, KINDS, 700, days=400, corrected=0.3)
    whole = streamed(KINDS, told)
    monkeypatch.setattr(history_module, "PRUNED_FROM", 1)
    assert_same(KINDS, streamed(KINDS, told), whole)


def test_a_memory_that_nobody_asked_for_weeks_knows_how_many_keys_there_are() -> None:
    """As where several backends share one: each is told of what the others judge."""
    told = [
        (
            START_MS + number * DAY_MS // 144,
            (100, f"p{number % 97}", "c", "d", "m", "s", *[None] * 3),
        )
        for number in range(10_000)
    ]
    asked, silent = FeatureState(PAYMENT), FeatureState(PAYMENT)
    for number, (at, row) in enumerate(told):
        if number == 1_000:
            asked.measure(at, row)
        asked.remember(at, row, [])
        silent.remember(at, row, [])
    now = told[-1][0] + 1
    assert_same(
        PAYMENT,
        np.array([asked.measure(now, told[-1][1])]),
        np.array([silent.measure(now, told[-1][1])]),
    )


ONE = FeatureSet(
    columns=(Column("amount_minor", ColumnType.INTEGER), Column("payer", ColumnType.KEY)),
    features=(
        Feature(name="payer.count", entity="payer", kind=Kind.COUNT, window_s=86_400),
        Feature(name="payer.last", entity="payer", kind=Kind.SINCE_LAST),
    ),
)


@pytest.mark.parametrize(("after_ms", "counted"), [(DAY_MS - 1, 1), (DAY_MS, 0), (DAY_MS + 1, 0)])
def test_a_window_is_open_at_its_beginning_to_the_tick(after_ms: int, counted: int) -> None:
    told = [Told(START_MS, (1, "a")), Told(START_MS + after_ms, (1, "a"))]
    assert streamed(ONE, told)[1, 0] == counted
    assert in_columns(ONE, told)[1, 0] == counted
    assert by_the_oracle(ONE, told)[1, 0] == counted


def test_an_entity_with_more_events_than_are_kept_says_unknown_and_not_too_few(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(history_module, "EVENTS_PER_ENTITY_MAX", 100)
    monkeypatch.setattr(history_module, "PRUNED_FROM", 8)
    state = FeatureState(ONE)
    found = [state.observe(START_MS + second * 1000, (1, "a"))[0] for second in range(500)]
    assert found[:100] == [float(number) for number in range(100)]
    assert math.isnan(found[-1])
    assert all(math.isnan(count) or count == second for second, count in enumerate(found))


def test_only_the_entities_used_last_are_remembered() -> None:
    state = FeatureState(ONE, entities_max=2)
    for second, payer in enumerate("abac"):
        state.observe(START_MS + second * 1000, (1, payer))
    assert state.sizes == {"payer": 2}
    assert state.observe(START_MS + 9000, (1, "a"))[0] == 2
    assert state.observe(START_MS + 9000, (1, "b"))[0] == 0


def test_an_event_that_comes_days_late_is_unknown_and_counted_by_nobody() -> None:
    state = FeatureState(ONE)
    state.observe(START_MS, (1, "a"))
    assert all(math.isnan(value) for value in state.observe(START_MS - 2 * DAY_MS, (1, "a")))
    assert state.observe(START_MS + 1, (1, "a"))[0] == 1


@pytest.mark.parametrize(
    ("at", "row", "place"),
    [
        (-1, (1, "a"), "time"),
        (1 << 60, (1, "a"), "time"),
        (START_MS, (1,), "columns"),
        (START_MS, (-1, "a"), "amount_minor"),
        (START_MS, (1.5, "a"), "amount_minor"),
        (START_MS, (True, "a"), "amount_minor"),
        (START_MS, (None, "a"), "amount_minor"),
        (START_MS, (1 << 50, "a"), "amount_minor"),
        (START_MS, (1, 7), "payer"),
    ],
)
def test_an_absurd_event_is_refused_with_its_column_and_not_remembered(
    at: int, row: tuple[Any, ...], place: str
) -> None:
    state = FeatureState(ONE)
    with pytest.raises(EventError, match=place):
        state.observe(at, row)
    assert state.sizes == {"payer": 0}


def test_a_label_before_its_event_is_refused() -> None:
    state = FeatureState(HANDBOOK)
    with pytest.raises(EventError, match="available_at"):
        state.learn(1000, (1, "a", "b"), is_fraud=True, available_at=999)


@pytest.mark.parametrize(
    ("feature", "why"),
    [
        (Feature(name="payer.count", entity="payer", kind=Kind.COUNT, window_s=1), "taken"),
        (Feature(name="x.a", entity="x", kind=Kind.COUNT, window_s=1), "no such key"),
        (Feature(name="payer.a", entity="payer", kind=Kind.COUNT), "window"),
        (Feature(name="payer.a", entity="payer", kind=Kind.SINCE_LAST, window_s=1), "window"),
        (Feature(name="payer.a", entity="payer", kind=Kind.HOUR), "entity"),
        (Feature(name="payment.a", entity=EVENT, kind=Kind.COUNT, window_s=1), "entity"),
        (Feature(name="payer.a", entity="payer", kind=Kind.SUM, window_s=1), "column"),
        (Feature(name="payer.a", entity="payer", kind=Kind.GEO_SPEED), "no place"),
        (
            Feature(name="payer.a", entity="payer", kind=Kind.DISTINCT, of="payer", window_s=1),
            "column",
        ),
        (
            Feature(name="payer.a", entity="payer", kind=Kind.COUNT, window_s=1, delay_s=1,
                    includes_current=True),
            "include",
        ),
        (
            Feature(name="payer.a", entity="payer", kind=Kind.COUNT, window_s=1,
                    where=Where(feature="payer.none", at_least=1)),
            "condition",
        ),
    ],
)  # fmt: skip
def test_a_feature_that_contradicts_the_rules_is_refused_with_its_name(
    feature: Feature, why: str
) -> None:
    with pytest.raises(DefinitionError, match=f"{feature.name}.*{why}"):
        FeatureSet(columns=ONE.columns, features=(*ONE.features, feature))


def test_of_more_entities_than_are_kept_those_seen_longest_ago_are_forgotten() -> None:
    seen = Sightings(entities_max=2)
    for key, first_at, last_at in ((7, 1, 2), (-8, 3, 3), (7, 4, 5), (9, 6, 6)):
        seen.add(key, first_at, last_at)
    past = Past(seen)
    assert [past.find(key) for key in (-8, 7, 9, 8, 10)] == [None, (1, 5), (6, 6), None, None]
    assert (len(past), len(Past())) == (2, 0)
