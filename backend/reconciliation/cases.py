"""Commands that follow a break: one transaction for its state, its event and its postings.

Rule 1: only this file changes a break's state, by the table of states.
Rule 2: a posting's event is named after the break and the step, so nothing is posted twice.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.ledger import rules
from backend.ledger import service as ledger
from backend.ledger.model import Transfer
from backend.reconciliation.assignee import Assignee
from backend.reconciliation.breaks import (
    FIRST,
    Break,
    BreakClass,
    BreakState,
    BreakStep,
    Edge,
    next_state,
    pool_ends,
)
from backend.reconciliation.tables import CASE, CASE_EVENT
from protocol.errors import CallerError

SYSTEM = "reconciliation"
_ONCE_FUNDED = frozenset({BreakStep.POST, BreakStep.MARK})
"""What a break in the pool may still become on its own day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeUpBreak:
    """Keep a break that a run found, and do what its class asks for; returns its row. One that is
    known already stays as it is, but for what waited until the money bears the file out, and for
    what had gone."""

    found: Break
    business_date: str
    currency: str
    step: BreakStep
    booked_on: str

    def reads(self) -> Iterable[Read]:
        transfers = self._transfers()
        return [(CASE, self.found.break_id), *ledger.reads(transfers)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        found = self.found
        known = ws.get(CASE, found.break_id)
        if known is not None:
            return self._again(ws, known, now_ms)
        edge = FIRST[self.step]
        row = {
            "break_id": found.break_id,
            "kind": found.kind.value,
            "source": found.source,
            "reference": found.reference,
            "number": found.number,
            "business_date": self.business_date,
            "ours_date": found.ours_date,
            "ours_minor": found.ours_minor,
            "theirs_minor": found.theirs_minor,
            "currency": self.currency,
            "state": edge.state.value,
            "pool_until": pool_ends(self.business_date),
            "found_at_ms": now_ms,
            "updated_at_ms": now_ms,
            "event_count": 1,
            "channel_reference": found.channel_reference,
            "account": found.account,
        }
        ws.insert(CASE, row)
        _note(ws, row, edge, before="", now_ms=now_ms, actor=SYSTEM, words="")
        _post(ws, self._transfers(), now_ms)
        return row

    def _again(self, ws: WorkingSet, known: Row, now_ms: int) -> Row:
        state = BreakState(known["state"])
        is_same_day = known["business_date"] == self.business_date
        if state is BreakState.GONE:
            return move_case(ws, known, BreakStep.HAND_OVER, now_ms=now_ms)
        if state is BreakState.POOLED and is_same_day and self.step in _ONCE_FUNDED:
            moved = move_case(ws, known, self.step, now_ms=now_ms)
            _post(ws, self._transfers(), now_ms)
            return moved
        return known

    def _transfers(self) -> list[Transfer]:
        found = self.found
        case = _Case(
            found.break_id, found.kind, found.source, self.business_date, found.ours_date,
            found.ours_minor, found.theirs_minor, self.currency,
        )  # fmt: skip
        return case.transfers(self.step, self.booked_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveBreak:
    """Take a known break a step on; returns its row. The same step again changes nothing.

    ``follows`` is the row as it was read: the postings come from what never changes in it.
    """

    follows: Row
    step: BreakStep
    booked_on: str
    actor: str = SYSTEM
    words: str = ""
    to: Assignee | None = None
    """Who gets what is assigned."""

    def reads(self) -> Iterable[Read]:
        found = [(CASE, self.follows["break_id"]), *ledger.reads(self._transfers())]
        return found if self.to is None else [*found, self.to.read]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        row = ws.get(CASE, self.follows["break_id"])
        if row is None:
            raise CallerError("break_unknown", self.follows["break_id"])
        if self.to is not None:
            self.to.check(ws)
        row = move_case(ws, row, self.step, now_ms=now_ms, actor=self.actor, words=self.words)
        _post(ws, self._transfers(), now_ms)
        return row

    def _transfers(self) -> list[Transfer]:
        row = self.follows
        case = _Case(
            row["break_id"], BreakClass(row["kind"]), row["source"], row["business_date"],
            row["ours_date"], row["ours_minor"], row["theirs_minor"], row["currency"],
        )  # fmt: skip
        to = "" if self.to is None else self.to.account(row["currency"])
        return case.transfers(self.step, self.booked_on, to)


@dataclass(frozen=True, slots=True)
class _Case:
    """What never changes about a break, and what it posts."""

    break_id: str
    kind: BreakClass
    source: str
    business_date: str
    ours_date: str
    ours_minor: int | None
    theirs_minor: int | None
    currency: str

    def transfers(self, step: BreakStep, booked_on: str, to: str = "") -> list[Transfer]:
        """A step's postings; none for most. ``to`` is whose account gets what is assigned."""
        event = rules.Event(f"{self.break_id}.{step.value}", self.currency, booked_on)
        match step:
            case BreakStep.POST:
                return self._found(event, self.business_date, self._excess)
            case BreakStep.TAKE_BACK:
                return self._undone(event, self._excess)
            case BreakStep.MARK:
                return self._moved_date(event, booked_on)
            case BreakStep.ROUND:
                return rules.fee_rounded(event, amount_minor=-self._excess)
            case BreakStep.ASSIGN:
                if self._excess <= 0:
                    raise CallerError("break_state", "only what is long is assigned")
                return rules.long_assigned(event, to_account=to, amount_minor=self._excess)
            case BreakStep.WRITE_OFF:
                if self._excess >= 0:
                    raise CallerError("break_state", "only what is short is written off")
                return rules.short_written_off(event, amount_minor=-self._excess)
        return []

    @property
    def _excess(self) -> int:
        """What the institution has more than we."""
        return (self.theirs_minor or 0) - (self.ours_minor or 0)

    def _found(self, event: rules.Event, day: str, excess: int) -> list[Transfer]:
        find = rules.long_found if excess > 0 else rules.short_found
        return find(
            event, channel_id=self._channel_id, settlement_date=day, amount_minor=abs(excess)
        )

    def _undone(self, event: rules.Event, excess: int) -> list[Transfer]:
        undo = rules.long_given_back if excess > 0 else rules.short_recovered
        return undo(
            event,
            channel_id=self._channel_id,
            settlement_date=self.business_date,
            amount_minor=abs(excess),
        )

    def _moved_date(self, event: rules.Event, booked_on: str) -> list[Transfer]:
        """From our date's account to the institution's date's, by way of LONG or SHORT."""
        if self.ours_date == self.business_date or not self.ours_minor:
            return []
        second = rules.Event(f"{self.break_id}.from", self.currency, booked_on)
        amount = self.ours_minor
        undo = rules.long_given_back if amount > 0 else rules.short_recovered
        return [
            *self._found(event, self.business_date, amount),
            *undo(
                second,
                channel_id=self._channel_id,
                settlement_date=self.ours_date,
                amount_minor=abs(amount),
            ),
        ]

    @property
    def _channel_id(self) -> str:
        return self.source.removeprefix("channel ")


def move_case(
    ws: WorkingSet,
    row: Row,
    step: BreakStep,
    *,
    now_ms: int,
    actor: str = SYSTEM,
    words: str = "",
) -> Row:
    """Take a step's edge, and note it."""
    edge, before = next_state(BreakState(row["state"]), step), row["state"]
    moved = ws.update(
        CASE,
        row["break_id"],
        state=edge.state.value,
        updated_at_ms=now_ms,
        event_count=row["event_count"] + 1,
    )
    _note(ws, moved, edge, before=before, now_ms=now_ms, actor=actor, words=words)
    return moved


def _post(ws: WorkingSet, transfers: list[Transfer], now_ms: int) -> None:
    """Post each event's transfers: those of one event are linked."""
    events: dict[str, list[Transfer]] = {}
    for transfer in transfers:
        events.setdefault(transfer.id.rpartition(":")[0], []).append(transfer)
    for linked in events.values():
        ledger.post(ws, linked, now_ms)


def _note(
    ws: WorkingSet, row: Row, edge: Edge, *, before: str, now_ms: int, actor: str, words: str
) -> None:
    ws.insert(
        CASE_EVENT,
        {
            "break_id": row["break_id"],
            "number": row["event_count"],
            "event": edge.event.value,
            "state_before": before,
            "state_after": edge.state.value,
            "at_ms": now_ms,
            "actor": actor,
            "words": words,
        },
    )
