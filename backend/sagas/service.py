"""Taking conversations that are due, so that each is carried on by one runner at a time."""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.sagas.limits import ALARM_TRIES, LEASE_MS
from backend.sagas.model import (
    OPEN_STATES,
    Ask,
    SagaKind,
    SagaState,
    SagaStep,
    ask_now,
    retry_delay_ms,
)
from backend.sagas.tables import SAGA
from backend.sagas.timeline import move


@dataclass(frozen=True, slots=True)
class Claimed:
    """A conversation, its row after the claim, and what to say to the channel now."""

    row: Row
    ask: Ask

    @property
    def is_alarming(self) -> bool:
        """Whether it has been tried so often that somebody should look."""
        tries: int = self.row["tries"]
        return tries % ALARM_TRIES == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimSagas:
    """Take conversations that are due. A runner that dies loses them when the lease runs out.

    *Sent* is committed here, before anything is sent: whoever finds it later asks first.
    """

    saga_ids: tuple[str, ...]
    silent_channels: frozenset[str] = frozenset()
    """Those that do not tell what became of an order."""

    def reads(self) -> Iterable[Read]:
        return [(SAGA, saga_id) for saga_id in self.saga_ids]

    def decide(self, ws: WorkingSet, now_ms: int) -> list[Claimed]:
        found = []
        for saga_id in self.saga_ids:
            row = ws.get(SAGA, saga_id)
            if row is None or row["next_try_ms"] is None or row["next_try_ms"] > now_ms:
                continue
            if SagaState(row["state"]) in OPEN_STATES:
                can_query = row["channel_id"] not in self.silent_channels
                found.append(_claim(ws, row, can_query, now_ms))
        return found


def _claim(ws: WorkingSet, row: Row, can_query: bool, now_ms: int) -> Claimed:
    tries, state = row["tries"] + 1, SagaState(row["state"])
    ask = ask_now(
        SagaKind(row["kind"]),
        state,
        tries=tries,
        is_overdue=now_ms >= row["deadline_ms"],
        can_query=can_query,
        has_fallback=bool(row["fallbacks"]),
    )
    # A conversation that is never noted (a bug, say) is not taken up again and again.
    lease_ms = max(LEASE_MS, retry_delay_ms(tries))
    lease = {"tries": tries, "next_try_ms": now_ms + lease_ms}
    if ask is Ask.SEND:
        return Claimed(move(ws, row, SagaStep.SEND, now_ms=now_ms, **lease), ask)
    if ask is Ask.REVERSE and state is not SagaState.REVERSING:
        detail = {"why": "no answer in time"}
        row = move(ws, row, SagaStep.GIVE_UP, now_ms=now_ms, detail=detail, **lease)
        return Claimed(row, ask)
    return Claimed(ws.update(SAGA, row["saga_id"], updated_at_ms=now_ms, **lease), ask)
