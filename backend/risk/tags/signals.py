"""The features that tags read, computed after the answer or over a stored history.

Rule 1: a signal that payments are also judged by has the very same definition there.
Rule 2: what became of a payment is known from when it became so: outcomes are labels with the time
of their availability, so that no tag looks ahead.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from backend.risk.features.catalogue import PAYMENT
from backend.risk.features.columns import Events, compute
from backend.risk.features.definition import Column, ColumnType, Feature, FeatureSet, Kind
from backend.risk.features.label_columns import Labels
from backend.risk.tags.families import FAMILIES

PAIRS = ("payer_device", "payer_merchant", "payer_store", "card_device")
"""Two keys as one: whether these two have met before."""
FLAGS = ("is_night", "is_weekend", "is_small", "is_round", "is_big", "is_code")
OUTCOMES = (
    "declined", "small_declined", "no_funds", "pin_wrong", "unconfirmed", "advance", "coupon",
    "refunded", "disputed", "expired", "closed", "reversed", "contact_lost", "unfinished",
)  # fmt: skip
COLUMNS = (
    *PAYMENT.columns,
    Column("cashier", ColumnType.KEY),
    *(Column(name, ColumnType.KEY) for name in PAIRS),
    *(Column(name, ColumnType.INTEGER) for name in FLAGS),
)


def _met(pair: str) -> tuple[Feature, Feature]:
    return (
        Feature(name=f"{pair}.since_first_s", entity=pair, kind=Kind.SINCE_FIRST),
        Feature(name=f"{pair}.count_1d", entity=pair, kind=Kind.COUNT, window_s=86_400),
    )


@cache
def signal_sets() -> Mapping[str, FeatureSet]:
    """The features of each outcome, and of none (""), each named once."""
    found: dict[str, dict[str, Feature]] = {outcome: {} for outcome in ("", *OUTCOMES)}
    for family in FAMILIES:
        for outcome, feature in family.features():
            found[outcome].setdefault(feature.name, feature)
    found[""] |= {feature.name: feature for pair in PAIRS for feature in _met(pair)}
    return {
        outcome: FeatureSet(columns=COLUMNS, features=tuple(features.values()), place=PAYMENT.place)
        for outcome, features in found.items()
    }


def signals_of(events: Events, outcomes: Mapping[str, Labels]) -> dict[str, NDArray[np.float64]]:
    """Every signal of payments in the order of their arrival, by its name."""
    signals: dict[str, NDArray[np.float64]] = {
        "payment.amount_minor": np.asarray(events.columns["amount_minor"], np.float64)
    }
    for outcome, feature_set in signal_sets().items():
        matrix = compute(feature_set, events, outcomes[outcome] if outcome else None)
        signals |= dict(zip(feature_set.names, matrix.T, strict=True))
    return signals
