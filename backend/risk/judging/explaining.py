"""Why a payment was let through or not, as people read it: one desk for JSON and the console."""

from contextlib import suppress
from typing import Any

from backend.db.tables import Row
from backend.payments.services import Services
from backend.risk.features.catalogue import PAYMENT
from backend.risk.judging.desk import RiskDesk
from backend.risk.judging.records import explanation, versions_of
from backend.risk.judging.repository import DecisionRepository
from backend.risk.judging.scoring import Scorer
from backend.risk.models.card import ModelError
from backend.risk.models.repository import ModelRepository
from backend.risk.rules.compiled import CompiledRules, Rule, RuleSetError
from backend.risk.rules.repository import RuleRepository


class Explainer:
    """One per process."""

    def __init__(self, services: Services, desk: RiskDesk) -> None:
        self._run_read = services.run_read
        self._desk = desk
        self._decisions = DecisionRepository(services.reader)
        self._rules = RuleRepository(services.reader)
        self._models = ModelRepository(services.reader)

    def rule(self, rule_id: str) -> Rule | None:
        """A rule, with what it says to people; None for one that no set at hand has."""
        return self._desk.rule(rule_id)

    async def explained(self, payment_id: str) -> list[dict[str, Any]]:
        """What each attempt of a payment was judged by, and whether it is judged the same again;
        nothing where the engine was not asked."""
        rows: list[Row] = await self._run_read(lambda: self._decisions.of_payment(payment_id))
        wanted = {version for row in rows for version in versions_of(row)}
        older = await self._run_read(lambda: self._older(wanted))
        models = {row[name] for row in rows for name in ("model_id", "challenger_id")} - {""}
        scorers = await self._run_read(lambda: self._scorers(models))
        return [explanation(row, self._desk, older, scorers) for row in rows]

    def _scorers(self, models: set[str]) -> dict[str, Scorer]:
        """The models that scored; one that cannot be loaded is left out."""
        found: dict[str, Scorer] = {}
        for model_id in models:
            with suppress(ModelError):
                found[model_id] = self._models.scorer(model_id, PAYMENT.digest)
        return found

    def _older(self, versions: set[str]) -> dict[str, CompiledRules]:
        """The stored sets that the desk no longer uses; one that cannot be built is left out."""
        found = {}
        for version in versions:
            if self._desk.set_of(version) is None:
                with suppress(RuleSetError):
                    found[version] = self._rules.compiled(version)
        return found
