"""What a model says about itself, inside its file: strictly read, since a file may be anything."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from backend.risk.models.calibration import Calibration
from backend.risk.models.drift import Reference
from backend.risk.models.limits import (
    CARD_INTEGER_MAX,
    MODEL_CARD_CHARS_MAX,
    MODEL_FEATURES_MAX,
)

KINDS = ("decision_tree", "random_forest")
FORMAT = 1


class ModelError(ValueError):
    """A model's file that is refused: says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """``data_hash`` names the rows and labels it was trained on (SHA-256), ``feature_digest`` the
    definition of its inputs; ``metrics`` were measured on rows that it was not trained on."""

    kind: str
    features: tuple[str, ...]
    feature_digest: str
    data_hash: str
    trained_at: str
    rows: int
    frauds: int
    parameters: Mapping[str, float | str]
    metrics: Mapping[str, float]
    calibration: Calibration
    feature_references: tuple[Reference, ...]
    """Where the training's values lay, for the drift monitor: one a feature."""
    score_reference: Reference

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ModelError(f"there is no kind of model {self.kind!r}")
        if not 0 < len(self.features) <= MODEL_FEATURES_MAX:
            raise ModelError(f"a model has 1 to {MODEL_FEATURES_MAX} features")
        if len(self.feature_references) != len(self.features):
            raise ModelError("the references are not those of the features")
        if len(set(self.features)) != len(self.features):
            raise ModelError("a feature is named twice")

    def to_json(self) -> str:
        """One text for one card."""
        return json.dumps({"format": FORMAT, **asdict(self)}, sort_keys=True, allow_nan=False)


def read_card(text: str) -> ModelCard:
    """The card of its text. Raises ``ModelError``."""
    if len(text) > MODEL_CARD_CHARS_MAX:
        raise ModelError(f"the card is longer than {MODEL_CARD_CHARS_MAX}")
    try:
        fields: dict[str, Any] = dict(json.loads(text))
        if fields.pop("format") != FORMAT:
            raise ModelError("the card's format is not known")
        calibration = Calibration(**fields.pop("calibration"))
        features = tuple(fields.pop("features"))
        seen = tuple(_reference(entry) for entry in fields.pop("feature_references"))
        card = ModelCard(
            features=features,
            calibration=calibration,
            feature_references=seen,
            score_reference=_reference(fields.pop("score_reference")),
            **fields,
        )
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ModelError(f"the card cannot be read: {error}") from error
    _check_kinds(card)
    return card


def _check_kinds(card: ModelCard) -> None:
    if type(card.metrics) is not dict or type(card.parameters) is not dict:
        raise ModelError("the card has something else where a table belongs")
    said = card.parameters.values()
    texts = (card.kind, card.feature_digest, card.data_hash, card.trained_at, *card.features)
    numbers = [*card.metrics.values(), card.rows, card.frauds]
    numbers += [value for value in said if type(value) is not str]
    if not all(type(text) is str for text in texts):
        raise ModelError("the card has something else where a text belongs")
    if not all(map(_is_number, numbers)):
        raise ModelError("the card has something else where a number belongs")


def _is_number(value: object) -> bool:
    if type(value) is int:
        return abs(value) <= CARD_INTEGER_MAX
    return type(value) is float and isfinite(value)


def _reference(entry: Mapping[str, Any]) -> Reference:
    return Reference(
        tuple(float(edge) for edge in entry["edges"]),
        tuple(float(share) for share in entry["shares"]),
    )
