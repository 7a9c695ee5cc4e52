"""The desk's memory, kept in step with what is stored."""

from backend.db.working_set import WorkingSet
from backend.risk.judging.desk import RiskDesk
from backend.risk.judging.limits import REBUILT_DAYS_MAX
from backend.risk.judging.records import attempt_of, is_measured
from backend.risk.judging.remembered import Memory, Tried, Word
from backend.risk.judging.repository import DecisionRepository
from backend.risk.judging.tables import DECISION
from backend.risk.labels.repository import LabelPlace, LabelRepository
from backend.risk.labels.tables import LABEL

_DAY_MS = 86_400_000


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
    """Tell a new memory again what is stored; returns how many decisions."""
    count = 0
    for count, row in enumerate(decisions.since(now_ms - REBUILT_DAYS_MAX * _DAY_MS), 1):  # noqa: B007
        if is_measured(row):
            attempt = attempt_of(row)
            tried = Tried(attempt.attempt_id, attempt.payment_id, attempt.at_ms, attempt.row)
            memory.remember(tried)
    place: LabelPlace = (-1, "", "")
    while page := labels.labels(after=place):
        for row in page:
            memory.learn(Word(row["payment_id"], bool(row["is_fraud"]), row["available_at_ms"]))
        last = page[-1]
        place = (last["available_at_ms"], last["payment_id"], last["origin"])
    return count
