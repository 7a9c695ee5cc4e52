"""HTTP about decisions, for the console: why a payment was let through or not."""

from contextlib import suppress
from typing import Any

from fastapi import APIRouter, Depends

from backend.payments.services import Services
from backend.risk.cases.routes import Guard
from backend.risk.features.catalogue import PAYMENT
from backend.risk.judging.desk import RiskDesk
from backend.risk.judging.records import explanation, versions_of
from backend.risk.judging.repository import DecisionRepository
from backend.risk.judging.scoring import Scorer
from backend.risk.models.card import ModelError
from backend.risk.models.repository import ModelRepository
from backend.risk.rules.compiled import CompiledRules, RuleSetError
from backend.risk.rules.repository import RuleRepository
from protocol.errors import CallerError


def operator_router(services: Services, operator_only: Guard, desk: RiskDesk) -> APIRouter:
    """``/operator/v1/risk/decisions``."""
    routes = APIRouter(
        prefix="/operator/v1/risk/decisions", tags=["risk"], dependencies=[Depends(operator_only)]
    )
    repository, rules = DecisionRepository(services.reader), RuleRepository(services.reader)

    kept = ModelRepository(services.reader)

    @routes.get("/{payment_id}")
    async def explain(payment_id: str) -> dict[str, Any]:
        """What each attempt of a payment was judged by, and whether it is judged the same again."""
        rows = await services.run_read(lambda: repository.of_payment(payment_id))
        if not rows:
            raise CallerError("payment_not_found", payment_id)
        wanted = {version for row in rows for version in versions_of(row)}
        older = await services.run_read(lambda: _older(wanted))
        models = {row[name] for row in rows for name in ("model_id", "challenger_id")} - {""}
        scorers = await services.run_read(lambda: _scorers(models))
        return {"decisions": [explanation(row, desk, older, scorers) for row in rows]}

    def _scorers(models: set[str]) -> dict[str, Scorer]:
        """The models that scored; one that cannot be loaded is left out."""
        found: dict[str, Scorer] = {}
        for model_id in models:
            with suppress(ModelError):
                found[model_id] = kept.scorer(model_id, PAYMENT.digest)
        return found

    def _older(versions: set[str]) -> dict[str, CompiledRules]:
        """The stored sets that the desk no longer uses; one that cannot be built is left out."""
        found = {}
        for version in versions:
            if desk.set_of(version) is None:
                with suppress(RuleSetError):
                    found[version] = rules.compiled(version)
        return found

    return routes
