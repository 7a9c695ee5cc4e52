"""From the ledger's rows to what a model is trained on. Pure.

Rule 1: each payment has the features it had when it was made: labels count from when they became
        known, as they do online; the definition is the one that online scoring uses.
Rule 2: the latest label of a payment holds. A payment of which nothing became known for
        ``HONEST_AFTER_MS`` was honest; a younger one without a label teaches nothing.
Rule 3: where the features were kept with the decision, those very doubles are taken: they are what
        a model would have been asked. The others are computed again from the history, which sees
        neither what has been pruned since nor who tried a payment that was declined.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.risk.features.catalogue import PAYMENT
from backend.risk.features.columns import Events, compute
from backend.risk.features.label_columns import Labels
from backend.risk.features.place import NOWHERE
from backend.risk.labels.model import news
from backend.risk.models.train import Inputs

Rows = Sequence[Mapping[str, Any]]

HONEST_AFTER_MS = 30 * 86_400_000
_KEYS = {"payer": "payer_id", "card": "instrument_id", "device": "device",
         "merchant": "merchant_id", "store": "store"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a model learns from, and of how many rows the features were kept or computed again."""

    inputs: Inputs
    kept_rows: int
    computed_rows: int


def ledger_inputs(
    payments: Rows, labels: Rows, *, until_ms: int, kept: Mapping[str, bytes]
) -> Gathered:
    """What is known by ``until_ms`` of payments in order of time, and of labels in the order in
    which they became known. ``kept``: the vectors that were judged by, little-endian doubles of
    this feature set, by payment."""
    at, known = _times(payments), _labels(payments, labels)
    verdict = np.where(at < until_ms - HONEST_AFTER_MS, 0, -1)
    verdict[known.rows] = known.is_fraud  # in order, so that the latest holds
    taught = np.nonzero(verdict >= 0)[0]
    matrix, computed_rows = _vectors(payments, known, taught, kept)
    inputs = Inputs(PAYMENT.names, PAYMENT.digest, matrix, verdict[taught] == 1)
    return Gathered(inputs, len(taught) - computed_rows, computed_rows)


def ledger_vectors(
    payments: Rows, labels: Rows, *, kept: Mapping[str, bytes], first: int = 0
) -> NDArray[np.float64]:
    """The features that the payments from the ``first`` on had when they were made (rule 3); those
    before only fill the windows."""
    rows = np.arange(first, len(payments))
    return _vectors(payments, _labels(payments, labels), rows, kept)[0]


def _vectors(
    payments: Rows, labels: Labels, rows: NDArray[np.int64], kept: Mapping[str, bytes]
) -> tuple[NDArray[np.float64], int]:
    """The features of some rows, and of how many of them they were computed again."""
    vectors = [kept.get(payments[row]["payment_id"]) for row in rows.tolist()]
    missing = [place for place, vector in enumerate(vectors) if vector is None]
    matrix = np.empty((len(rows), len(PAYMENT.names)))
    for place, vector in enumerate(vectors):
        if vector is not None:
            matrix[place] = np.frombuffer(vector, "<f8")
    if missing:
        computed = compute(PAYMENT, _events(payments, _times(payments)), labels)
        matrix[missing] = computed[rows[missing]]
    return matrix, len(missing)


def _times(payments: Rows) -> NDArray[np.int64]:
    return np.array([payment["created_at_ms"] for payment in payments], np.int64)


def _labels(payments: Rows, labels: Rows) -> Labels:
    row_of = {payment["payment_id"]: row for row, payment in enumerate(payments)}
    known = [label for label in news(labels) if label["payment_id"] in row_of]
    return Labels(
        np.array([row_of[label["payment_id"]] for label in known], np.int64),
        np.array([bool(label["is_fraud"]) for label in known], np.bool_),
        np.array([label["available_at_ms"] for label in known], np.int64),
    )


def _events(payments: Rows, at: NDArray[np.int64]) -> Events:
    size = len(payments)
    columns = {
        "amount_minor": np.array([payment["amount_minor"] for payment in payments], np.int64),
        "lat_e6": np.full(size, NOWHERE),
        "lon_e6": np.full(size, NOWHERE),
        "address": np.full(size, -1),
    }
    for name, column in _KEYS.items():
        codes: dict[str, int] = {}
        columns[name] = np.array(
            [
                codes.setdefault(payment[column], len(codes)) if payment[column] else -1
                for payment in payments
            ],
            np.int64,
        )
    return Events(at, columns)
