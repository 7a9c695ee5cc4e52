"""What is known of each transaction of a history when it is made. Pure.

Two sets of features: what cards usually do and what became known of terminals; and what became
known of terminals from the labels of ordinary amounts alone. Both are computed as the engine does.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.risk.evaluation.history import History
from backend.risk.features.catalogue import CARD_TERMINAL, UNEXPLAINED
from backend.risk.features.columns import compute
from backend.risk.features.label_columns import Labels

OWN_RATIO = "card.amount_ratio_180d"
UNUSUAL_FROM = 2.0
"""An amount of so many times what the card usually pays explains a fraud by the card."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """``values``: a row a transaction, a column a feature; NaN is unknown."""

    names: tuple[str, ...]
    digest: str
    values: NDArray[np.float64]

    def column(self, name: str) -> NDArray[np.float64]:
        """One feature."""
        return self.values[:, self.names.index(name)]

    def only(self, names: Sequence[str]) -> "Matrix":
        """Some of the features, in the order of this matrix."""
        places = [place for place, name in enumerate(self.names) if name in names]
        chosen = tuple(self.names[place] for place in places)
        return Matrix(chosen, _digest(self.digest, *chosen), self.values[:, places])


def features_of(history: History) -> Matrix:
    """The features of all rows of a history, each from labels that were available at its second."""
    events, labels = history.events, history.dated_labels
    usual = compute(CARD_TERMINAL, events, labels)
    ratio = usual[:, CARD_TERMINAL.names.index(OWN_RATIO)][labels.rows]
    ordinary = ~(ratio >= UNUSUAL_FROM)  # also where it is unknown
    taught = Labels(labels.rows[ordinary], labels.is_fraud[ordinary], labels.available_at[ordinary])
    values = np.concatenate((usual, compute(UNEXPLAINED, events, taught)), axis=1)
    digest = _digest(CARD_TERMINAL.digest, UNEXPLAINED.digest, f"{UNUSUAL_FROM}")
    return Matrix((*CARD_TERMINAL.names, *UNEXPLAINED.names), digest, values)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
