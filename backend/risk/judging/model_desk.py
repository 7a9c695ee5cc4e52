"""The models that score payments, kept up with the registry while payments go on.

Rule: a champion that cannot be loaded is not replaced by another: the rules judge alone, and each
decision says so, until the registry names one that can. So it is with the challenger, of which no
decision needs anything.
"""

import asyncio
from collections.abc import Mapping
from functools import partial

import structlog

from backend.db.ports import RunRead
from backend.risk.features.catalogue import PAYMENT as FEATURES
from backend.risk.judging.limits import MODEL_POLL_S
from backend.risk.judging.scoring import Scorer, Scoring
from backend.risk.models.card import ModelError
from backend.risk.models.lifecycle import Role
from backend.risk.models.repository import ModelRepository
from backend.risk.models.service import PAYMENT
from protocol.errors import OperatingError

_log = structlog.get_logger()


class ModelDesk:
    """Gives each role's scoring its model. One per process."""

    def __init__(
        self, *, run_read: RunRead, repository: ModelRepository, in_use: Mapping[Role, Scoring]
    ) -> None:
        self._run_read = run_read
        self._repository = repository
        self._in_use = in_use
        self._model_ids = dict.fromkeys(in_use, "")

    async def run(self) -> None:
        """Keep up until cancelled."""
        while True:
            await asyncio.sleep(MODEL_POLL_S)
            try:
                await self.load()
            except OperatingError as error:
                _log.warning("models_not_read", code=error.code)

    async def load(self) -> None:
        """Take the registry's models of payments, where they are others than before."""
        for role, scoring in self._in_use.items():
            model_id = await self._run_read(partial(self._in_role, role))
            if model_id == self._model_ids[role]:
                continue
            try:
                scoring.use(await self._run_read(partial(self._scorer, model_id)))
                _log.info("model_loaded", role=role, model=model_id)
            except ModelError as error:
                scoring.lack()
                _log.error("model_not_loaded", role=role, model=model_id, reason=str(error))
            self._model_ids[role] = model_id

    def _in_role(self, role: Role) -> str:
        return self._repository.id_in_role(PAYMENT, role)

    def _scorer(self, model_id: str) -> Scorer | None:
        return self._repository.scorer(model_id, FEATURES.digest) if model_id else None
