"""The commands of the sets of rules.

Rule 1: a file is checked before it is kept, and named by the hash of its rules.
Rule 2: repeating a command changes nothing and gives the set as it stands.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.risk.rules.compiled import RuleSetError
from backend.risk.rules.facts import FIELDS
from backend.risk.rules.lifecycle import (
    ROLE_OF,
    SECOND_PERSON,
    Role,
    SetCommand,
    SetEvent,
    SetState,
    check_second_person,
    next_edge,
)
from backend.risk.rules.limits import (
    PERSON_CHARS_MAX,
    SHARE_BPS_ALL,
    WORDS_CHARS_MAX,
)
from backend.risk.rules.rule_file import read_bounded
from backend.risk.rules.tables import RULE_EVENT, RULE_ROLE, RULE_SET, RULE_TEXT
from protocol.errors import CallerError


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftRules:
    """Keep a set. ``checked`` makes it from a text that nobody has looked at."""

    set_id: str
    text: str
    rule_count: int
    by: str
    words: str

    @classmethod
    def checked(cls, text: str, *, by: str, words: str) -> "DraftRules":
        """Raises ``rule_invalid`` with the rule, the place and the reason, or ``rules_too_large``.
        Slow: not for the writer's turn."""
        try:
            rules = read_bounded(text, FIELDS).rules
        except RuleSetError as error:
            raise CallerError(error.code, str(error)) from error
        return cls(set_id=rules.version, text=text, rule_count=len(rules.rules), by=by, words=words)

    def reads(self) -> Iterable[Read]:
        return [(RULE_SET, self.set_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        known = ws.get(RULE_SET, self.set_id)
        if known is not None:
            return known
        ws.insert(RULE_TEXT, {"set_id": self.set_id, "content": self.text})
        row = {
            "set_id": self.set_id,
            "state": SetState.DRAFT.value,
            "rule_count": self.rule_count,
            "drafted_at_ms": now_ms,
            "updated_at_ms": now_ms,
        }
        ws.insert(RULE_SET, row)
        drafted = _set(ws, self.set_id)
        return _record(ws, drafted, SetEvent.DRAFTED, self.by, self.words, now_ms=now_ms)


_REACHED = {
    SetCommand.SHADOW: SetState.SHADOW,
    SetCommand.PROPOSE_CANARY: SetState.CANARY_PROPOSED,
    SetCommand.CONFIRM_CANARY: SetState.CANARY,
    SetCommand.PROPOSE_LIVE: SetState.LIVE_PROPOSED,
    SetCommand.CONFIRM_LIVE: SetState.LIVE,
    SetCommand.RETIRE: SetState.RETIRED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveRules:
    """One person's word about a set, and why; any command but ``MAKE_PLACE``. ``share_bps`` is what
    a canary is proposed for, and is said again by whoever confirms it."""

    set_id: str
    command: SetCommand
    by: str
    words: str
    share_bps: int = 0

    def reads(self) -> Iterable[Read]:
        return [(RULE_SET, self.set_id), *((RULE_ROLE, role.value) for role in Role)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        held = [ws.get(RULE_ROLE, role.value) for role in Role]
        return [(RULE_SET, row["set_id"]) for row in held if row and row["set_id"]]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        if self.command is SetCommand.MAKE_PLACE:
            raise CallerError("field_invalid", "command")
        found = _set(ws, self.set_id)
        if self._is_done(found):
            return found
        edge = next_edge(found["state"], self.command)
        if self.command in SECOND_PERSON:
            check_second_person(found["proposed_by"], by=self.by)
        changes = self._changes(found)
        before, after = ROLE_OF.get(SetState(found["state"])), ROLE_OF.get(edge.state)
        if after is not None and after is not before:
            self._clear(ws, after, now_ms)
            _hold(ws, after, self.set_id)
        if before is not None and after is not before:
            _hold(ws, before, "")
        return _record(ws, found, edge.event, self.by, self.words, now_ms=now_ms,
                       state=edge.state.value, **changes)  # fmt: skip

    def _is_done(self, found: Row) -> bool:
        """Whether the word was given before: rule 2."""
        if found["state"] != _REACHED.get(self.command):
            return False
        if self.command in {SetCommand.PROPOSE_CANARY, SetCommand.PROPOSE_LIVE}:
            return bool(found["proposed_by"] == self.by and self._is_for_its_share(found))
        return self._is_for_its_share(found)

    def _is_for_its_share(self, found: Row) -> bool:
        is_about_a_share = self.command in {SetCommand.PROPOSE_CANARY, SetCommand.CONFIRM_CANARY}
        return bool(not is_about_a_share or self.share_bps == found["share_bps"])

    def _changes(self, found: Row) -> dict[str, Any]:
        if self.command is SetCommand.PROPOSE_LIVE:
            return {"proposed_by": self.by}
        if self.command is SetCommand.CONFIRM_CANARY and not self._is_for_its_share(found):
            raise CallerError("field_invalid", f"share_bps: {found['share_bps']} is proposed")
        if self.command is not SetCommand.PROPOSE_CANARY:
            return {}
        if not 0 < self.share_bps <= SHARE_BPS_ALL:
            raise CallerError("field_invalid", f"share_bps: 1 to {SHARE_BPS_ALL}")
        return {"proposed_by": self.by, "share_bps": self.share_bps}

    def _clear(self, ws: WorkingSet, role: Role, now_ms: int) -> None:
        """Rule 3 of ``lifecycle``: the one that has the role makes place."""
        held = ws.get(RULE_ROLE, role.value)
        if held is None or not held["set_id"]:
            return
        other = _set(ws, held["set_id"])
        edge = next_edge(other["state"], SetCommand.MAKE_PLACE)
        words = f"makes place for {self.set_id}"
        _record(ws, other, edge.event, self.by, words, now_ms=now_ms, state=edge.state.value)


def _hold(ws: WorkingSet, role: Role, set_id: str) -> None:
    if ws.get(RULE_ROLE, role.value) is None:
        ws.insert(RULE_ROLE, {"role": role.value, "set_id": set_id})
    else:
        ws.update(RULE_ROLE, role.value, set_id=set_id)


def _set(ws: WorkingSet, set_id: str) -> Row:
    row = ws.get(RULE_SET, set_id)
    if row is None:
        raise CallerError("rules_not_found", set_id)
    return row


def person(by: str, words: str) -> str:
    """Who says it, plainly written; ``field_invalid`` where nobody or nothing is said."""
    actor = " ".join(by.split())
    if not 0 < len(actor) <= PERSON_CHARS_MAX or not 0 < len(words) <= WORDS_CHARS_MAX:
        raise CallerError("field_invalid", "by or words")
    return actor


def _record(
    ws: WorkingSet,
    found: Row,
    event: SetEvent,
    by: str,
    words: str,
    *,
    now_ms: int,
    **changes: Any,  # noqa: ANN401  # column values
) -> Row:
    """Write what happened to a set, and the columns that it changes; the new row."""
    number = found["event_count"] + 1
    ws.insert(
        RULE_EVENT,
        {
            "set_id": found["set_id"],
            "number": number,
            "event": event.value,
            "state_before": found["state"] if number > 1 else "",
            "state_after": changes.get("state", found["state"]),
            "share_bps": changes.get("share_bps", found["share_bps"]),
            "actor": person(by, words),
            "words": words,
            "at_ms": now_ms,
        },
    )
    return ws.update(RULE_SET, found["set_id"], event_count=number, updated_at_ms=now_ms, **changes)
