"""Rules whose hits decide nothing for a while: a word of one person, which ends by itself."""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.risk.rules.limits import RULE_ID_CHARS_MAX, SUPPRESSION_DAYS_MAX
from backend.risk.rules.service import person
from backend.risk.rules.tables import RULE_HELD, RULE_SUPPRESSION
from protocol.errors import CallerError

_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressRule:
    """Suppress a rule until ``until_ms``; 0: let it decide again. Repeating it changes nothing."""

    rule_id: str
    until_ms: int
    by: str
    words: str

    def reads(self) -> Iterable[Read]:
        return [(RULE_HELD, self.rule_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        held = ws.get(RULE_HELD, self.rule_id)
        if held is not None and held["until_ms"] == self.until_ms:
            return held
        self._check(now_ms)
        number = held["word_count"] + 1 if held else 1
        word = {
            "rule_id": self.rule_id,
            "number": number,
            "until_ms": self.until_ms,
            "actor": person(self.by, self.words),
            "words": self.words,
            "at_ms": now_ms,
        }
        ws.insert(RULE_SUPPRESSION, word)
        if held is not None:
            return ws.update(RULE_HELD, self.rule_id, until_ms=self.until_ms, word_count=number)
        row = {"rule_id": self.rule_id, "until_ms": self.until_ms, "word_count": number}
        ws.insert(RULE_HELD, row)
        return row

    def _check(self, now_ms: int) -> None:
        if not 0 < len(self.rule_id) <= RULE_ID_CHARS_MAX:
            raise CallerError("field_invalid", "rule_id")
        latest_ms = now_ms + SUPPRESSION_DAYS_MAX * _DAY_MS
        if self.until_ms and not now_ms < self.until_ms <= latest_ms:
            raise CallerError("field_invalid", f"until_ms: at most {SUPPRESSION_DAYS_MAX} days")
