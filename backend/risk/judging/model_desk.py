"""The champion that scores payments, kept up with the registry while payments go on.

Rule: a champion that cannot be loaded is not replaced by another: the rules judge alone, and each
decision says so, until the registry names one that can.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from backend.risk.features.catalogue import PAYMENT as FEATURES
from backend.risk.judging.limits import MODEL_POLL_S
from backend.risk.judging.scoring import Scorer, Scoring
from backend.risk.models.card import ModelError
from backend.risk.models.lifecycle import Role
from backend.risk.models.repository import ModelRepository
from backend.risk.models.service import PAYMENT
from protocol.errors import OperatingError

_log = structlog.get_logger()
RunRead = Callable[[Callable[[], Any]], Awaitable[Any]]


class ModelDesk:
    """Gives the scoring its model. One per process."""

    def __init__(self, *, run_read: RunRead, repository: ModelRepository, scoring: Scoring) -> None:
        self._run_read = run_read
        self._repository = repository
        self._scoring = scoring
        self._model_id = ""

    async def run(self) -> None:
        """Keep up until cancelled."""
        while True:
            await asyncio.sleep(MODEL_POLL_S)
            try:
                await self.load()
            except OperatingError as error:
                _log.warning("models_not_read", code=error.code)

    async def load(self) -> None:
        """Take the registry's champion of payments, if it is another than before."""
        model_id = await self._run_read(self._champion)
        if model_id == self._model_id:
            return
        try:
            self._scoring.use(await self._run_read(lambda: self._scorer(model_id)))
            _log.info("model_loaded", model=model_id)
        except ModelError as error:
            self._scoring.lack()
            _log.error("model_not_loaded", model=model_id, reason=str(error))
        self._model_id = model_id

    def _champion(self) -> str:
        return self._repository.id_in_role(PAYMENT, Role.CHAMPION)

    def _scorer(self, model_id: str) -> Scorer | None:
        return self._repository.scorer(model_id, FEATURES.digest) if model_id else None
