"""Which rules and models judge payments, and who brought them to it, without HTTP. It only looks:
they are moved by the risk room's own commands, each by two persons.
"""

import json
from dataclasses import dataclass

from backend.console.limits import RISK_STEPS_SHOWN, RISK_VERSIONS_SHOWN
from backend.db.tables import Row
from backend.payments.services import Services
from backend.risk.models.lifecycle import Role as ModelRole
from backend.risk.models.repository import ModelRepository
from backend.risk.models.service import PAYMENT
from backend.risk.rules.repository import RuleRepository

_ON_THE_CARD = ("kind", "rows", "frauds", "trained_at", "metrics")


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesStanding:
    """The sets of rules. Each row has its latest ``steps``, the newest first."""

    live: Row | None
    """None: the rules that ship."""
    candidate: Row | None
    share_bps: int
    """Of the payments, which the candidate decides; 0: it is only noted what it would say."""
    others: list[Row]
    suppressed: list[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsStanding:
    """The models that score payments, and all others. Each row has its latest ``steps``, the newest
    first, and ``card``, what its file says of its training."""

    champion: Row | None
    challenger: Row | None
    others: list[Row]


class RiskStandingDesk:
    """One per process."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._rules = RuleRepository(services.reader)
        self._models = ModelRepository(services.reader)

    async def rules(self) -> RulesStanding:
        """How the rules stand now."""
        standing: RulesStanding = await self._services.run_read(self._rules_now)
        return standing

    async def models(self) -> ModelsStanding:
        """How the models stand now."""
        standing: ModelsStanding = await self._services.run_read(self._models_now)
        return standing

    def _rules_now(self) -> RulesStanding:
        now_ms = self._services.clock.now_ms()
        roles = self._rules.roles(now_ms=now_ms)
        in_use = (roles.live, roles.candidate)
        live, candidate = (self._rules.rule_set(set_id) for set_id in in_use)
        others = [row for row in self._rules.sets() if row["set_id"] not in in_use]
        return RulesStanding(
            live=live and self._set(live),
            candidate=candidate and self._set(candidate),
            share_bps=roles.share_bps,
            others=[self._set(row) for row in others[:RISK_VERSIONS_SHOWN]],
            suppressed=self._rules.suppressed(now_ms=now_ms),
        )

    def _set(self, row: Row) -> Row:
        return row | {"steps": self._rules.events(row["set_id"])[::-1][:RISK_STEPS_SHOWN]}

    def _models_now(self) -> ModelsStanding:
        in_use = [
            self._models.id_in_role(PAYMENT, role)
            for role in (ModelRole.CHAMPION, ModelRole.CHALLENGER)
        ]
        champion, challenger = (self._models.model(model_id) for model_id in in_use)
        others = [row for row in self._models.models() if row["model_id"] not in in_use]
        return ModelsStanding(
            champion=champion and self._model(champion),
            challenger=challenger and self._model(challenger),
            others=[self._model(row) for row in others[:RISK_VERSIONS_SHOWN]],
        )

    def _model(self, row: Row) -> Row:
        card = json.loads(row["card"])
        steps = self._models.events(row["model_id"])[::-1][:RISK_STEPS_SHOWN]
        return row | {"card": {name: card[name] for name in _ON_THE_CARD}, "steps": steps}
