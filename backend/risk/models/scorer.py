"""Scoring with a model's file: one call of onnxruntime on one thread.

Rule 1: ``raw`` is the base and the contributions added up in the order of the features, as doubles;
        so the explanation is the score, not a story about it.
Rule 2: the same vector gives the same score, alone or among others.
Rule 3: only this module imports onnxruntime, which tells its maker about every process that loads
        it, unless the environment forbids that before.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import onnxruntime  # rule 3

from backend.risk.models.card import ModelCard, ModelError
from backend.risk.models.limits import ROWS_PER_CALL_MAX
from backend.risk.models.onnx_file import INPUT, OUTPUT, read_model


@dataclass(frozen=True, slots=True)
class Score:
    """``contributions``: one a feature, in the order of the model's features."""

    probability: float
    raw: float
    base: float
    contributions: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Scores:
    """Of many rows: ``contributions`` has a row each and a column a feature."""

    probability: NDArray[np.float64]
    raw: NDArray[np.float64]
    base: float
    contributions: NDArray[np.float64]


class Scorer:
    """A loaded model. ``model_id`` names its bytes (SHA-256, hex). Raises ``ModelError`` where the
    runtime does not take the file."""

    def __init__(self, card: ModelCard, data: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                data, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # the runtime's errors share no class
            raise ModelError(f"the runtime refuses it: {str(error)[:200]}") from error
        self._row = np.empty((1, len(card.features)), np.float32)
        self._given = np.empty((1, 1 + len(card.features)), np.float32)
        self._bound = self._bind()
        self._calibration = card.calibration
        self.card = card
        self.model_id = hashlib.sha256(data).hexdigest()

    @classmethod
    def load(cls, data: bytes, feature_digest: str) -> "Scorer":
        """The scorer of a file, for vectors of this feature set. Raises ``ModelError``."""
        card = read_model(data)
        if card.feature_digest != feature_digest:
            raise ModelError("the model was trained on another set of features")
        return cls(card, data)

    def score(self, vector: Sequence[float]) -> Score:
        """The score of one vector; NaN is unknown. One caller at a time."""
        self._row[0] = vector
        self._session.run_with_iobinding(self._bound)
        given = self._given[0].tolist()
        raw = base = given[0]
        for part in (contributions := given[1:]):
            raw += part
        return Score(self._calibration.probability(raw), raw, base, tuple(contributions))

    def score_many(self, matrix: NDArray[np.float64]) -> Scores:
        """The scores of a matrix with a row each."""
        rows = matrix.astype(np.float32)
        parts = [
            self._session.run(None, {INPUT: rows[at : at + ROWS_PER_CALL_MAX]})[0].astype(
                np.float64
            )
            for at in range(0, len(rows), ROWS_PER_CALL_MAX)
        ]
        given = np.concatenate(parts) if parts else np.zeros((0, 1 + rows.shape[1]))
        # Column by column, for the same order of additions as a single score's.
        raw = given[:, 0].copy()
        for column in range(1, given.shape[1]):
            raw += given[:, column]
        base = float(given[0, 0]) if len(given) else 0.0
        return Scores(self._calibration.probabilities(raw), raw, base, given[:, 1:])

    def _bind(self) -> "onnxruntime.IOBinding":
        """One row in and one out, at places of our own: looking names, shapes and types up and
        making an array for each answer takes a third of a call."""
        bound = self._session.io_binding()
        for bind, name, array in (
            (bound.bind_input, INPUT, self._row),
            (bound.bind_output, OUTPUT, self._given),
        ):
            bind(name, "cpu", 0, np.float32, array.shape, array.ctypes.data)
        return bound
