"""Callbacks' commands: taking due ones, and noting how a try ended.

Rule 1: a try is claimed with a lease before it is made: a deliverer that dies blocks nothing.
Rule 2: a callback may arrive twice (its answer was lost), never not at all until it is a dead
        letter, which an operator sees and can send again.
Rule 3: nothing is deleted: every failed try and every replay stays in the callback's history.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.notify.limits import (
    CALLBACK_ASIDE_MS,
    CALLBACK_GAPS_MS,
    CALLBACK_LEASE_MS,
    CALLBACK_QUEUED_MS_MAX,
    ERROR_CHARS_MAX,
)
from backend.notify.model import Tried, next_try_ms
from backend.notify.states import OPEN_STATES, CallbackState, Step, next_state
from backend.notify.tables import CALLBACK, TRY
from protocol.errors import CallerError


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimCallbacks:
    """Take those of these callbacks that are still due; answers their rows."""

    callback_ids: tuple[str, ...]

    def reads(self) -> Iterable[Read]:
        return [(CALLBACK, callback_id) for callback_id in self.callback_ids]

    def decide(self, ws: WorkingSet, now_ms: int) -> list[Row]:
        rows = [ws.get(CALLBACK, callback_id) for callback_id in self.callback_ids]
        return [_claimed(ws, row, now_ms) for row in rows if row and _is_due(row, now_ms)]


class Ticket(NamedTuple):
    """What a broker holds of a callback: which one, whose, and after how many failed tries."""

    callback_id: str
    merchant_id: str
    failed_tries: int


Verdict = Literal["try", "drop", "bury"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimQueued:
    """Take those of these tickets whose callbacks are to be tried now. Answers a verdict and a row
    for each: *drop* is a copy of a ticket that was used, *bury* one whose callback is dead or does
    not exist."""

    tickets: tuple[Ticket, ...]

    def reads(self) -> Iterable[Read]:
        return [(CALLBACK, ticket.callback_id) for ticket in self.tickets]

    def decide(self, ws: WorkingSet, now_ms: int) -> list[tuple[Verdict, Row | None]]:
        return [self._judged(ws, ticket, now_ms) for ticket in self.tickets]

    def _judged(self, ws: WorkingSet, ticket: Ticket, now_ms: int) -> tuple[Verdict, Row | None]:
        row = ws.get(CALLBACK, ticket.callback_id)
        if row is None or row["state"] == CallbackState.DEAD:
            return "bury", row
        if _is_due(row, now_ms) or _is_current(row, ticket):
            return "try", _claimed(ws, row, now_ms)
        return "drop", row


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteQueued:
    """A broker has confirmed these callbacks, each with the time at which it was due: one that was
    claimed meanwhile has another. A promise that is not kept runs out, and it is due again."""

    confirmed: tuple[tuple[str, int], ...]

    def reads(self) -> Iterable[Read]:
        return [(CALLBACK, callback_id) for callback_id, _ in self.confirmed]

    def decide(self, ws: WorkingSet, now_ms: int) -> int:
        count = 0
        for callback_id, due_ms in self.confirmed:
            row = _existing(ws, callback_id)
            state = next_state(row["state"], Step.QUEUE)
            if state is not None and row["next_try_ms"] == due_ms:
                until_ms = max(now_ms, due_ms) + CALLBACK_QUEUED_MS_MAX
                ws.update(CALLBACK, callback_id, state=state, next_try_ms=until_ms)
                count += 1
        return count


@dataclass(frozen=True, slots=True, kw_only=True)
class HandBack:
    """Tickets whose merchants have too many waiting: the outbox keeps them a little longer."""

    tickets: tuple[Ticket, ...]

    def reads(self) -> Iterable[Read]:
        return [(CALLBACK, ticket.callback_id) for ticket in self.tickets]

    def decide(self, ws: WorkingSet, now_ms: int) -> int:
        count = 0
        for ticket in self.tickets:
            row = ws.get(CALLBACK, ticket.callback_id)
            # One that is due was put in by a relay that has not noted it yet.
            if row is not None and (_is_current(row, ticket) or _is_due(row, now_ms)):
                state = next_state(row["state"], Step.HAND_BACK)
                again_ms = now_ms + CALLBACK_ASIDE_MS
                ws.update(CALLBACK, ticket.callback_id, state=state, next_try_ms=again_ms)
                count += 1
        return count


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteDelivered:
    """The merchant's server has taken a callback."""

    callback_id: str
    tried: Tried

    def reads(self) -> Iterable[Read]:
        return [(CALLBACK, self.callback_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> str:
        row = _existing(ws, self.callback_id)
        state = next_state(row["state"], Step.DELIVER)
        if state is not None:
            ws.update(
                CALLBACK,
                self.callback_id,
                state=state,
                delivered_at_ms=now_ms,
                last_error="",
                answer_status=self.tried.status,
                answer_ms=self.tried.duration_ms,
            )
        return "delivered"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteFailed:
    """A try failed: plan the next, or make it a dead letter. Answers the row."""

    callback_id: str
    tried: Tried
    gaps_ms: Sequence[int] = CALLBACK_GAPS_MS

    def reads(self) -> Iterable[Read]:
        return [(CALLBACK, self.callback_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        row = _existing(ws, self.callback_id)
        failed = row["failed_tries"] + 1
        next_ms = next_try_ms(failed, now_ms, self.gaps_ms)
        state = next_state(row["state"], Step.GIVE_UP if next_ms is None else Step.FAIL)
        if state is None:
            return row
        error = self.tried.error[:ERROR_CHARS_MAX]
        after = ws.update(
            CALLBACK,
            self.callback_id,
            failed_tries=failed,
            state=state,
            next_try_ms=now_ms if next_ms is None else next_ms,
            last_error=error,
            try_count=row["try_count"] + 1,
        )
        _remember(
            ws,
            after,
            outcome="failed",
            at_ms=now_ms,
            error=error,
            next_try_ms=next_ms,
            status=self.tried.status,
            duration_ms=self.tried.duration_ms,
        )
        return after


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayCallback:
    """Send a dead letter again, from the first gap on. Answers the state; one that is no
    dead letter stays as it is."""

    callback_id: str
    actor: str

    def reads(self) -> Iterable[Read]:
        return [(CALLBACK, self.callback_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> str:
        row = _existing(ws, self.callback_id)
        state = next_state(row["state"], Step.REPLAY)
        if state is None:
            return str(row["state"])
        after = ws.update(
            CALLBACK,
            self.callback_id,
            state=state,
            failed_tries=0,
            next_try_ms=now_ms,
            try_count=row["try_count"] + 1,
        )
        _remember(ws, after, outcome="replayed", at_ms=now_ms, next_try_ms=now_ms, actor=self.actor)
        return state


def _is_due(row: Row, now_ms: int) -> bool:
    return row["state"] in OPEN_STATES and int(row["next_try_ms"]) <= now_ms


def _is_current(row: Row, ticket: Ticket) -> bool:
    """Whether the broker's promise stands and this ticket is it, not a copy of an earlier one."""
    found: tuple[str, int] = (row["state"], row["failed_tries"])
    return found == (CallbackState.QUEUED, ticket.failed_tries)


def _claimed(ws: WorkingSet, row: Row, now_ms: int) -> Row:
    state = next_state(row["state"], Step.CLAIM)
    until_ms = now_ms + CALLBACK_LEASE_MS
    return ws.update(CALLBACK, row["callback_id"], state=state, next_try_ms=until_ms)


def _remember(ws: WorkingSet, row: Row, *, outcome: str, at_ms: int, **more: Any) -> None:  # noqa: ANN401
    """Add to a callback's history."""
    step = {"number": row["try_count"], "outcome": outcome, "at_ms": at_ms, **more}
    ws.insert(TRY, {"callback_id": row["callback_id"], **step})


def _existing(ws: WorkingSet, callback_id: str) -> Row:
    row = ws.get(CALLBACK, callback_id)
    if row is None:
        raise CallerError("callback_unknown", callback_id)
    return row
