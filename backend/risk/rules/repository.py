"""Reading the sets of rules. Only this file of the room sees SQL."""

from dataclasses import dataclass

from sqlalchemy import select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.risk.rules.compiled import CompiledRules, RuleSetError
from backend.risk.rules.facts import FIELDS
from backend.risk.rules.lifecycle import DECIDES_A_SHARE, Role
from backend.risk.rules.limits import SETS_PER_LIST_MAX
from backend.risk.rules.rule_file import read_set
from backend.risk.rules.tables import (
    RiskRuleEvent,
    RiskRuleHeld,
    RiskRuleRole,
    RiskRuleSet,
    RiskRuleSuppression,
    RiskRuleText,
)

_set = RiskRuleSet.__table__  # type: ignore[attr-defined]
_text = RiskRuleText.__table__  # type: ignore[attr-defined]
_role = RiskRuleRole.__table__  # type: ignore[attr-defined]
_event = RiskRuleEvent.__table__  # type: ignore[attr-defined]
_held = RiskRuleHeld.__table__  # type: ignore[attr-defined]
_suppression = RiskRuleSuppression.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """The sets in use by their ids (empty: none), and what is suppressed."""

    live: str
    candidate: str
    share_bps: int
    """0 while the candidate is in shadow."""
    suppressed_until_ms: tuple[tuple[str, int], ...]


class RuleRepository:
    """Committed sets. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def roles(self, *, now_ms: int) -> Roles:
        """Which sets are in use now."""
        query = select(_role.c.role, _set.c.set_id, _set.c.state, _set.c.share_bps)
        query = query.join_from(_role, _set, _role.c.set_id == _set.c.set_id)
        found = {row["role"]: row for row in self._reader.rows(query)}
        live, candidate = found.get(Role.LIVE.value), found.get(Role.CANDIDATE.value)
        decides = candidate is not None and candidate["state"] in DECIDES_A_SHARE
        return Roles(
            live=live["set_id"] if live else "",
            candidate=candidate["set_id"] if candidate else "",
            share_bps=candidate["share_bps"] if candidate and decides else 0,
            suppressed_until_ms=tuple(
                (row["rule_id"], row["until_ms"]) for row in self.suppressed(now_ms=now_ms)
            ),
        )

    def suppressed(self, *, now_ms: int) -> list[Row]:
        """The rules that are suppressed now, with the word that holds."""
        query = select(_suppression).join_from(
            _held,
            _suppression,
            (_held.c.rule_id == _suppression.c.rule_id)
            & (_held.c.holding_number == _suppression.c.number),
        )
        query = query.where(_held.c.until_ms > now_ms).order_by(_held.c.rule_id)
        return self._reader.rows(query.limit(SETS_PER_LIST_MAX))

    def proposed_suppressions(self, *, now_ms: int) -> list[Row]:
        """The rules whose suppression waits for a second person."""
        query = select(_held).where(_held.c.proposed_until_ms > now_ms).order_by(_held.c.rule_id)
        return self._reader.rows(query.limit(SETS_PER_LIST_MAX))

    def sets(self) -> list[Row]:
        """All, the latest first."""
        order = (_set.c.drafted_at_ms.desc(), _set.c.set_id)
        return self._reader.rows(select(_set).order_by(*order).limit(SETS_PER_LIST_MAX))

    def rule_set(self, set_id: str) -> Row | None:
        """One, as it stands."""
        return self._reader.one(select(_set).where(_set.c.set_id == set_id))

    def events(self, set_id: str) -> list[Row]:
        """What happened to one, in order."""
        query = select(_event).where(_event.c.set_id == set_id).order_by(_event.c.number)
        return self._reader.rows(query.limit(SETS_PER_LIST_MAX))

    def text(self, set_id: str) -> str | None:
        """The file of one, as it was drafted."""
        row = self._reader.one(select(_text.c.content).where(_text.c.set_id == set_id))
        return row["content"] if row else None

    def compiled(self, set_id: str) -> CompiledRules:
        """A set ready to judge, whatever its state: old decisions are computed again. Slow. Raises
        ``RuleSetError``, also where the text is not the one that was drafted."""
        text = self.text(set_id)
        if text is None:
            raise RuleSetError(f"there is no set {set_id}")
        rules = read_set(text, FIELDS).rules
        if rules.version != set_id:
            raise RuleSetError(f"the text of {set_id} is not the one that was drafted")
        return rules
