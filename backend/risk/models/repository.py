"""Reading the registry of models."""

import hashlib

from sqlalchemy import select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.risk.models.card import ModelError
from backend.risk.models.lifecycle import Role
from backend.risk.models.limits import MODELS_PER_LIST_MAX
from backend.risk.models.scorer import Scorer
from backend.risk.models.tables import RiskModel, RiskModelEvent, RiskModelFile, RiskModelRole

_model = RiskModel.__table__  # type: ignore[attr-defined]
_file = RiskModelFile.__table__  # type: ignore[attr-defined]
_role = RiskModelRole.__table__  # type: ignore[attr-defined]
_event = RiskModelEvent.__table__  # type: ignore[attr-defined]


class ModelRepository:
    """Committed models. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def models(self) -> list[Row]:
        """All, the latest first."""
        order = (_model.c.registered_at_ms.desc(), _model.c.model_id)
        return self._reader.rows(select(_model).order_by(*order).limit(MODELS_PER_LIST_MAX))

    def model(self, model_id: str) -> Row | None:
        """One, as it stands."""
        return self._reader.one(select(_model).where(_model.c.model_id == model_id))

    def events(self, model_id: str) -> list[Row]:
        """What happened to one, in order."""
        query = select(_event).where(_event.c.model_id == model_id).order_by(_event.c.number)
        return self._reader.rows(query.limit(MODELS_PER_LIST_MAX))

    def scorer(self, model_id: str, feature_digest: str) -> Scorer:
        """A model ready to score vectors of this feature set, whatever its state: old decisions are
        computed again. Raises ``ModelError``, also where the file is not the one registered."""
        row = self._reader.one(select(_file.c.content).where(_file.c.model_id == model_id))
        if row is None:
            raise ModelError(f"there is no model {model_id}")
        content = bytes(row["content"])
        if hashlib.sha256(content).hexdigest() != model_id:
            raise ModelError("the file is not the one that was registered")
        return Scorer.load(content, feature_digest)

    def in_role(self, purpose: str, role: Role, feature_digest: str) -> Scorer | None:
        """The purpose's champion or challenger, or None. Raises ``ModelError``."""
        model_id = self.id_in_role(purpose, role)
        return self.scorer(model_id, feature_digest) if model_id else None

    def id_in_role(self, purpose: str, role: Role) -> str:
        """The purpose's champion or challenger by its id; empty: none."""
        query = select(_role.c.model_id).where(
            _role.c.purpose == purpose, _role.c.role == role.value
        )
        row = self._reader.one(query)
        return str(row["model_id"]) if row else ""
