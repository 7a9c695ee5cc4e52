"""Judging an attempt inside its transaction, and the block list's commands."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.risk.limits import REASON_CHARS_MAX
from backend.risk.model import Facts, RiskRules, Verdict, judge, remembered
from backend.risk.tables import BLOCK, RECENT
from protocol.errors import CallerError


def risk_reads(payer_id: str) -> list[Read]:
    """What ``judge_attempt`` reads."""
    return [(BLOCK, payer_id), (RECENT, payer_id)]


def judge_attempt(
    ws: WorkingSet, rules: RiskRules, *, payer_id: str, amount_minor: int, now_ms: int
) -> Verdict:
    """The verdict on one more attempt of this payer, which is remembered whatever the verdict."""
    recent = ws.get(RECENT, payer_id)
    recent_ms = tuple(json.loads(recent["attempts_ms"])) if recent else ()
    facts = Facts(
        amount_minor=amount_minor,
        now_ms=now_ms,
        block_reason=_block_reason(ws, payer_id, now_ms),
        recent_ms=recent_ms,
    )
    kept = remembered(recent_ms, now_ms, window_ms=rules.velocity_window_ms)
    text = json.dumps(kept, separators=(",", ":"))
    if recent is None:
        ws.insert(RECENT, {"payer_id": payer_id, "attempts_ms": text})
    else:
        ws.update(RECENT, payer_id, attempts_ms=text)
    return judge(rules, facts)


def _block_reason(ws: WorkingSet, payer_id: str, now_ms: int) -> str | None:
    row = ws.get(BLOCK, payer_id)
    if row is None or not row["is_on"] or (row["until_ms"] and now_ms >= row["until_ms"]):
        return None
    reason: str = row["reason"]
    return reason


@dataclass(frozen=True, slots=True, kw_only=True)
class SetBlock:
    """Put a payer on the block list, or take one off. ``until_ms`` 0: until taken off."""

    payer_id: str
    is_on: bool
    reason: str
    until_ms: int = 0

    def reads(self) -> Iterable[Read]:
        return [(BLOCK, self.payer_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> bool:
        if not 0 < len(self.reason) <= REASON_CHARS_MAX or self.until_ms < 0:
            raise CallerError("field_invalid", "reason or until")
        row = {
            "reason": self.reason,
            "until_ms": self.until_ms,
            "is_on": int(self.is_on),
            "updated_at_ms": now_ms,
        }
        if ws.get(BLOCK, self.payer_id) is None:
            ws.insert(BLOCK, {"payer_id": self.payer_id, **row})
        else:
            ws.update(BLOCK, self.payer_id, **row)
        return self.is_on
