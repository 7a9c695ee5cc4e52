"""A small forest to test with: two features that tell, one that does not, some values unknown."""

from functools import cache

import numpy as np

from backend.risk.models.train import Inputs, Settings, train

DIGEST = "d" * 64
FEATURES = ("card.count_1h", "card.amount_ratio_30d", "payment.hour")


def small_inputs(rows: int = 900, seed: int = 5) -> Inputs:
    """Rows with about one fraud in eight."""
    luck = np.random.default_rng(seed)
    matrix = np.column_stack(
        [luck.poisson(2, rows), luck.exponential(1, rows), luck.integers(0, 24, rows)]
    ).astype(np.float64)
    odds = 1.1 * matrix[:, 0] + 1.5 * matrix[:, 1] - 7
    is_fraud = luck.random(rows) < 1 / (1 + np.exp(-odds))
    matrix[luck.random(rows) < 0.1, 1] = np.nan
    return Inputs(FEATURES, DIGEST, matrix, is_fraud)


@cache
def small_model(kind: str = "random_forest") -> bytes:
    """The file of a model of these rows."""
    settings = Settings(kind=kind, trees=12, leaf_rows_min=2, depth_max=6, honest_min=500)
    return train(small_inputs(), settings, trained_at="2026-01-01T00:00:00Z")
