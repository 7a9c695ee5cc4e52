"""Rules whose hits decide nothing for a while.

Rule 1: two persons: one proposes it, another confirms it, however the name is written. Until then
        the rule decides.
Rule 2: it ends by itself; and at once by the word of one person, which also drops what is proposed.
Rule 3: repeating a command changes nothing and gives the rule as it stands.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.risk.rules.lifecycle import check_second_person
from backend.risk.rules.limits import RULE_ID_CHARS_MAX, SUPPRESSION_DAYS_MAX
from backend.risk.rules.service import person
from backend.risk.rules.tables import RULE_HELD, RULE_SUPPRESSION
from backend.risk.two_persons import same_person
from protocol.clock import DAY_MS
from protocol.errors import CallerError


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressRule:
    """Propose to suppress a rule until ``until_ms``; 0: let it decide again, from now on."""

    rule_id: str
    until_ms: int
    by: str
    words: str

    def reads(self) -> Iterable[Read]:
        return [(RULE_HELD, self.rule_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        held = ws.get(RULE_HELD, self.rule_id)
        if held is not None and self._is_done(held):
            return held
        self._check(now_ms)
        if not self.until_ms:
            return _record(
                ws, self.rule_id, 0, self.by, self.words, now_ms,
                until_ms=0, is_holding=True, proposed_until_ms=0, proposed_by="",
            )  # fmt: skip
        return _record(
            ws, self.rule_id, self.until_ms, self.by, self.words, now_ms,
            is_holding=False, proposed_until_ms=self.until_ms,
            proposed_by=person(self.by, self.words),
        )  # fmt: skip

    def _is_done(self, held: Row) -> bool:
        if not self.until_ms:
            return not held["until_ms"] and not held["proposed_until_ms"]
        is_asked = held["proposed_until_ms"] == self.until_ms
        return is_asked and same_person(held["proposed_by"], self.by)

    def _check(self, now_ms: int) -> None:
        if not 0 < len(self.rule_id) <= RULE_ID_CHARS_MAX:
            raise CallerError("field_invalid", "rule_id")
        latest_ms = now_ms + SUPPRESSION_DAYS_MAX * DAY_MS
        if self.until_ms and not now_ms < self.until_ms <= latest_ms:
            raise CallerError("field_invalid", f"until_ms: at most {SUPPRESSION_DAYS_MAX} days")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmSuppression:
    """The second person's word: from now on the rule's hits decide nothing, until the time that
    was proposed. ``rules_state`` where nothing is proposed, or its time is over."""

    rule_id: str
    until_ms: int
    by: str
    words: str

    def reads(self) -> Iterable[Read]:
        return [(RULE_HELD, self.rule_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        held = ws.get(RULE_HELD, self.rule_id)
        is_waiting = held is not None and held["proposed_until_ms"] == self.until_ms
        if held is None or not self.until_ms or not is_waiting:
            if held is not None and self.until_ms and held["until_ms"] == self.until_ms:
                return held
            raise CallerError("rules_state", "nothing like that is proposed")
        if self.until_ms <= now_ms:
            raise CallerError("rules_state", "its time is over")
        check_second_person(held["proposed_by"], by=self.by)
        return _record(
            ws, self.rule_id, self.until_ms, self.by, self.words, now_ms,
            until_ms=self.until_ms, is_holding=True, proposed_until_ms=0, proposed_by="",
        )  # fmt: skip


def _record(
    ws: WorkingSet,
    rule_id: str,
    said_until_ms: int,
    by: str,
    words: str,
    now_ms: int,
    *,
    is_holding: bool,
    **changes: int | str,
) -> Row:
    """Write one person's word, and how the rule stands after it; the new row."""
    held = ws.get(RULE_HELD, rule_id)
    number = held["word_count"] + 1 if held else 1
    word = {
        "rule_id": rule_id,
        "number": number,
        "until_ms": said_until_ms,
        "actor": person(by, words),
        "words": words,
        "at_ms": now_ms,
    }
    ws.insert(RULE_SUPPRESSION, word)
    if held is None:
        ws.insert(RULE_HELD, {"rule_id": rule_id, "until_ms": 0, "word_count": 0})
    if is_holding:
        changes["holding_number"] = number
    return ws.update(RULE_HELD, rule_id, word_count=number, **changes)
