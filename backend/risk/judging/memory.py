"""The desk's memory, kept in step with what is stored."""

from collections.abc import Iterator
from heapq import merge

from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.risk.judging.desk import RiskDesk
from backend.risk.judging.limits import CLOCKS_APART_MS_MAX, REBUILT_DAYS_MAX
from backend.risk.judging.records import attempt_of, is_measured
from backend.risk.judging.remembered import Memory, Tried, Word
from backend.risk.judging.repository import DecisionRepository
from backend.risk.judging.tables import DECISION
from backend.risk.labels.repository import LabelPlace, LabelRepository
from backend.risk.labels.tables import LABEL
from protocol.clock import DAY_MS


def remember_committed(desk: RiskDesk, ws: WorkingSet) -> None:
    """What a group has made durable."""
    for row in ws.inserted(DECISION):
        if is_measured(row):
            desk.remember(attempt_of(row))
    for row in ws.inserted(LABEL):
        is_fraud, at_ms = bool(row["is_fraud"]), row["available_at_ms"]
        desk.learn(row["payment_id"], is_fraud=is_fraud, available_at_ms=at_ms)


def rebuild(
    memory: Memory, decisions: DecisionRepository, labels: LabelRepository, *, now_ms: int
) -> int:
    """Tell a new memory again what is stored, in the order in which it became so; returns how many
    decisions. A label is of the attempt that was the latest when it was given."""
    count = 0
    stored = decisions.since(now_ms - REBUILT_DAYS_MAX * DAY_MS)
    for row in merge(stored, _all(labels), key=_time):
        if "available_at_ms" in row:
            memory.learn(Word(row["payment_id"], bool(row["is_fraud"]), row["available_at_ms"]))
            continue
        count += 1
        if is_measured(row):
            attempt = attempt_of(row)
            tried = Tried(attempt.attempt_id, attempt.payment_id, attempt.at_ms, attempt.row)
            memory.remember(tried)
    return count


def _all(labels: LabelRepository) -> Iterator[Row]:
    place: LabelPlace = (-1, "", "")
    while page := labels.labels(after=place):
        yield from page
        last = page[-1]
        place = (last["available_at_ms"], last["payment_id"], last["origin"])


def _time(row: Row) -> int:
    known_ms: int | None = row.get("available_at_ms")
    at_ms: int = row["at_ms"] if known_ms is None else known_ms + CLOCKS_APART_MS_MAX
    return at_ms
