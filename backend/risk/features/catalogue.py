"""The feature sets that ship. A set is data: add a feature here and both operators compute it."""

from dataclasses import replace

from backend.risk.features.definition import (
    EVENT,
    Column,
    ColumnType,
    Feature,
    FeatureSet,
    Kind,
    Where,
)

M, H, D = 60, 3600, 86_400
SPANS = {"1m": M, "10m": 10 * M, "1h": H, "1d": D, "3d": 3 * D, "7d": 7 * D, "14d": 14 * D,
         "21d": 21 * D, "28d": 28 * D, "30d": 30 * D, "180d": 180 * D}  # fmt: skip
AMOUNT = "amount_minor"


def _each(
    entity: str,
    signal: str,
    kind: Kind,
    spans: str,
    *,
    of: str = "",
    delay_s: int = 0,
    is_current: bool = False,
    where: Where | None = None,
) -> list[Feature]:
    """A feature for each span, named ``entity.signal_span``."""
    return [
        Feature(
            name=f"{entity}.{signal}_{span}",
            entity=entity,
            kind=kind,
            of=of,
            window_s=SPANS[span],
            delay_s=delay_s,
            includes_current=is_current,
            where=where,
        )
        for span in spans.split()
    ]


def _one(entity: str, signal: str, kind: Kind, *, of: str = "", last: int = 0) -> Feature:
    return Feature(name=f"{entity}.{signal}", entity=entity, kind=kind, of=of, last=last)


_CALENDAR = [
    _one(EVENT, "hour", Kind.HOUR),
    _one(EVENT, "weekday", Kind.WEEKDAY),
    _one(EVENT, "is_night", Kind.IS_NIGHT),
    _one(EVENT, "is_weekend", Kind.IS_WEEKEND),
]

PAYMENT = FeatureSet(
    columns=(
        Column(AMOUNT, ColumnType.INTEGER),
        Column("payer", ColumnType.KEY),
        Column("card", ColumnType.KEY),
        Column("device", ColumnType.KEY),
        Column("merchant", ColumnType.KEY),
        Column("store", ColumnType.KEY),
        Column("address", ColumnType.KEY),
        Column("lat_e6", ColumnType.DEGREES),
        Column("lon_e6", ColumnType.DEGREES),
    ),
    place=("lat_e6", "lon_e6"),
    features=(
        _one(EVENT, AMOUNT, Kind.FIELD, of=AMOUNT),
        *_CALENDAR,
        *_each("payer", "count", Kind.COUNT, "1m 1h 1d 7d 30d"),
        *_each("payer", "amount_sum", Kind.SUM, "1h 1d 7d 30d", of=AMOUNT),
        *_each("payer", "amount_mean", Kind.MEAN, "30d", of=AMOUNT),
        *_each("payer", "amount_sd", Kind.SD, "30d", of=AMOUNT),
        *_each("payer", "amount_max", Kind.MAX, "30d", of=AMOUNT),
        *_each("payer", "amount_ratio", Kind.RATIO, "30d", of=AMOUNT),
        *_each("payer", "amount_zscore", Kind.ZSCORE, "30d", of=AMOUNT),
        *_each("payer", "amount_to_max", Kind.RATIO_MAX, "30d", of=AMOUNT),
        _one("payer", "amount_to_median", Kind.RATIO_MEDIAN, of=AMOUNT, last=30),
        *_each("payer", "merchants", Kind.DISTINCT, "1h 1d", of="merchant"),
        *_each("payer", "devices", Kind.DISTINCT, "1d 30d", of="device"),
        *_each("payer", "addresses", Kind.DISTINCT, "1d", of="address"),
        *_each("payer", "cards", Kind.DISTINCT, "30d", of="card"),
        _one("payer", "since_last_s", Kind.SINCE_LAST),
        _one("payer", "since_first_s", Kind.SINCE_FIRST),
        _one("payer", "geo_speed_kmh", Kind.GEO_SPEED),
        *_each("payer", "frauds", Kind.LABEL_COUNT, "30d"),
        *_each("card", "count", Kind.COUNT, "1m 1h 1d 30d"),
        *_each("card", "amount_sum", Kind.SUM, "1d", of=AMOUNT),
        *_each("card", "payers", Kind.DISTINCT, "30d", of="payer"),
        *_each("card", "merchants", Kind.DISTINCT, "1h", of="merchant"),
        *_each("card", "amount_ratio", Kind.RATIO, "30d", of=AMOUNT),
        _one("card", "since_last_s", Kind.SINCE_LAST),
        *_each("card", "frauds", Kind.LABEL_COUNT, "30d"),
        *_each("device", "count", Kind.COUNT, "1m 1h 1d"),
        *_each("device", "amount_sum", Kind.SUM, "1h 1d", of=AMOUNT),
        *_each("device", "payers", Kind.DISTINCT, "1h 1d", of="payer"),
        *_each("device", "amount_zscore", Kind.ZSCORE, "7d", of=AMOUNT),
        _one("device", "geo_speed_kmh", Kind.GEO_SPEED),
        *_each("device", "fraud_rate", Kind.LABEL_RATE, "30d"),
        *_each("merchant", "count", Kind.COUNT, "1m 1h 1d"),
        *_each("merchant", "amount_sum", Kind.SUM, "1d", of=AMOUNT),
        *_each("merchant", "amount_mean", Kind.MEAN, "7d", of=AMOUNT),
        *_each("merchant", "amount_ratio", Kind.RATIO, "7d", of=AMOUNT),
        *_each("merchant", "payers", Kind.DISTINCT, "1d", of="payer"),
        _one("merchant", "since_first_s", Kind.SINCE_FIRST),
        *_each("merchant", "fraud_rate", Kind.LABEL_RATE, "7d 30d"),
        _one("merchant", "since_fraud_s", Kind.SINCE_FRAUD),
        *_each("store", "count", Kind.COUNT, "1h 1d"),
        *_each("store", "payers", Kind.DISTINCT, "1h", of="payer"),
        *_each("address", "count", Kind.COUNT, "1m 1h 1d"),
        *_each("address", "payers", Kind.DISTINCT, "1h 1d", of="payer"),
        *_each("address", "cards", Kind.DISTINCT, "1d", of="card"),
        *_each("address", "fraud_rate", Kind.LABEL_RATE, "30d"),
    ),
)
"""What every payment is judged by."""

_CARD_TERMINAL_COLUMNS = (
    Column(AMOUNT, ColumnType.INTEGER),
    Column("card", ColumnType.KEY),
    Column("terminal", ColumnType.KEY),
)
LABEL_DELAY_S = 7 * D

_HANDBOOK = [
    _one(EVENT, AMOUNT, Kind.FIELD, of=AMOUNT),
    _one(EVENT, "is_weekend", Kind.IS_WEEKEND),
    _one(EVENT, "is_night", Kind.IS_NIGHT),
    *_each("card", "count", Kind.COUNT, "1d 7d 30d", is_current=True),
    *_each("card", "amount_mean", Kind.MEAN, "1d 7d 30d", of=AMOUNT, is_current=True),
    *_each("terminal", "count_delayed", Kind.COUNT, "1d 7d 30d", delay_s=LABEL_DELAY_S),
    *_each("terminal", "fraud_rate", Kind.LABEL_RATE, "1d 7d 30d", delay_s=LABEL_DELAY_S),
]

HANDBOOK = FeatureSet(
    columns=_CARD_TERMINAL_COLUMNS,
    features=tuple(_HANDBOOK),
    ticks_per_s=1,
    utc_offset_s=0,
)
"""The fifteen inputs of the Fraud Detection Handbook's baseline (its chapter 3)."""

_HIGH = Where(feature="card.amount_ratio_180d", at_least=3.0)

CARD_TERMINAL = replace(
    HANDBOOK,
    features=(
        *_HANDBOOK,
        *_each("card", "amount_ratio", Kind.RATIO, "7d 30d 180d", of=AMOUNT),
        *_each("card", "amount_zscore", Kind.ZSCORE, "7d 30d 180d", of=AMOUNT),
        *_each("card", "amount_to_max", Kind.RATIO_MAX, "180d", of=AMOUNT),
        _one("card", "amount_to_median", Kind.RATIO_MEDIAN, of=AMOUNT, last=30),
        *_each("card", "high_ratios", Kind.COUNT, "3d 14d", where=_HIGH),
        *_each("card", "frauds", Kind.LABEL_COUNT, "30d"),
        _one("card", "since_fraud_s", Kind.SINCE_FRAUD),
        *_each("terminal", "fraud_rate", Kind.LABEL_RATE, "3d 14d 21d 28d", delay_s=LABEL_DELAY_S),
        *_each("terminal", "frauds", Kind.LABEL_COUNT, "30d"),
        _one("terminal", "since_fraud_s", Kind.SINCE_FRAUD),
        _one("terminal", "since_legitimate_s", Kind.SINCE_LEGITIMATE),
        _one("terminal", "fraud_run", Kind.FRAUD_RUN),
        _one("terminal", "fraud_run_age_s", Kind.FRAUD_RUN_AGE),
    ),
)
"""The same with what cards usually do and what is known of terminals: for files that name no more
than a card and a terminal."""

UNEXPLAINED = replace(
    HANDBOOK,
    features=(
        *_each("terminal", "unexplained_frauds", Kind.LABEL_COUNT, "7d 14d 28d"),
        _one("terminal", "since_unexplained_s", Kind.SINCE_FRAUD),
        _one("terminal", "since_ordinary_s", Kind.SINCE_LEGITIMATE),
        _one("terminal", "unexplained_run", Kind.FRAUD_RUN),
        _one("terminal", "unexplained_run_age_s", Kind.FRAUD_RUN_AGE),
    ),
)
"""What is known of a terminal from the labels of ordinary amounts alone: a fraud that was unusual
for its card says more of the card than of the terminal."""
