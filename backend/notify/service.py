"""Callbacks' commands: taking due ones, and noting how a try ended.

Rule 1: a try is claimed with a lease before it is made: a deliverer that dies blocks nothing.
Rule 2: a callback may arrive twice (its answer was lost), never not at all until it is a dead
        letter, which an operator sees and can send again.
Rule 3: nothing is deleted: every failed try and every replay stays in the callback's history.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.notify.limits import CALLBACK_LEASE_MS, ERROR_CHARS_MAX
from backend.notify.model import next_try_ms
from backend.notify.tables import CALLBACK, TRY
from protocol.errors import CallerError


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimCallbacks:
    """Take those of these callbacks that are still due; answers their rows."""

    callback_ids: tuple[str, ...]

    def reads(self) -> Iterable[Read]:
        return [(CALLBACK, callback_id) for callback_id in self.callback_ids]

    def decide(self, ws: WorkingSet, now_ms: int) -> list[Row]:
        taken = []
        for callback_id in self.callback_ids:
            row = ws.get(CALLBACK, callback_id)
            if row is not None and row["state"] == "pending" and row["next_try_ms"] <= now_ms:
                until_ms = now_ms + CALLBACK_LEASE_MS
                taken.append(ws.update(CALLBACK, callback_id, next_try_ms=until_ms))
        return taken


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteDelivered:
    """The merchant's server has taken a callback."""

    callback_id: str

    def reads(self) -> Iterable[Read]:
        return [(CALLBACK, self.callback_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> str:
        row = _existing(ws, self.callback_id)
        if row["state"] != "delivered":
            ws.update(
                CALLBACK,
                self.callback_id,
                state="delivered",
                delivered_at_ms=now_ms,
                last_error="",
            )
        return "delivered"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteFailed:
    """A try failed: plan the next, or make it a dead letter. Answers the state."""

    callback_id: str
    error: str

    def reads(self) -> Iterable[Read]:
        return [(CALLBACK, self.callback_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> str:
        row = _existing(ws, self.callback_id)
        if row["state"] != "pending":
            state: str = row["state"]
            return state
        failed = row["failed_tries"] + 1
        next_ms = next_try_ms(failed, now_ms)
        error = self.error[:ERROR_CHARS_MAX]
        after = ws.update(
            CALLBACK,
            self.callback_id,
            failed_tries=failed,
            state="pending" if next_ms is not None else "dead",
            next_try_ms=now_ms if next_ms is None else next_ms,
            last_error=error,
            try_count=row["try_count"] + 1,
        )
        _remember(ws, after, outcome="failed", at_ms=now_ms, error=error, next_try_ms=next_ms)
        return str(after["state"])


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayCallback:
    """Somebody sends a dead letter again, from the first gap on. Answers the state; one that is no
    dead letter stays as it is."""

    callback_id: str
    actor: str

    def reads(self) -> Iterable[Read]:
        return [(CALLBACK, self.callback_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> str:
        row = _existing(ws, self.callback_id)
        if row["state"] != "dead":
            state: str = row["state"]
            return state
        after = ws.update(
            CALLBACK,
            self.callback_id,
            state="pending",
            failed_tries=0,
            next_try_ms=now_ms,
            try_count=row["try_count"] + 1,
        )
        _remember(ws, after, outcome="replayed", at_ms=now_ms, next_try_ms=now_ms, actor=self.actor)
        return "pending"


def _remember(ws: WorkingSet, row: Row, *, outcome: str, at_ms: int, **more: Any) -> None:  # noqa: ANN401
    """Add to a callback's history."""
    step = {"number": row["try_count"], "outcome": outcome, "at_ms": at_ms, **more}
    ws.insert(TRY, {"callback_id": row["callback_id"], **step})


def _existing(ws: WorkingSet, callback_id: str) -> Row:
    row = ws.get(CALLBACK, callback_id)
    if row is None:
        raise CallerError("callback_unknown", callback_id)
    return row
