"""What a model sees and says now, against its training: each feature and the score. Pure.

The vectors and probabilities are those of stored decisions, as they were used.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.risk.models.card import ModelCard
from backend.risk.models.drift import CHANGED_FROM, MOVED_FROM, psi
from backend.risk.models.limits import DRIFT_ROWS_MIN

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Moved:
    """A feature, or the score, with its index."""

    name: str
    psi: float

    @property
    def word(self) -> str:
        """``stable``, ``moved`` or ``changed``."""
        if self.psi >= CHANGED_FROM:
            return "changed"
        return "moved" if self.psi >= MOVED_FROM else "stable"


@dataclass(frozen=True, slots=True)
class Drift:
    """``features``: the most moved first. ``is_known`` is false for too few rows to say."""

    rows: int
    score: Moved
    features: tuple[Moved, ...]

    @property
    def is_known(self) -> bool:
        """Whether there are rows enough."""
        return self.rows >= DRIFT_ROWS_MIN

    @property
    def is_alarming(self) -> bool:
        """Whether somebody should look: the score has changed, or any feature."""
        return self.is_known and "changed" in {m.word for m in (self.score, *self.features)}


def drift_of(card: ModelCard, vectors: Floats, probabilities: Floats) -> Drift:
    """The drift of decisions (a row each) against the training of the model that made them."""
    if vectors.shape != (len(probabilities), len(card.features)):
        raise ValueError("a vector a probability, and a column a feature")
    found = [
        Moved(name, psi(known, vectors[:, place]))
        for place, (name, known) in enumerate(
            zip(card.features, card.feature_references, strict=True)
        )
    ]
    found.sort(key=lambda moved: -moved.psi)
    score = Moved("score", psi(card.score_reference, probabilities))
    return Drift(len(probabilities), score, tuple(found))
