"""The desk's memory, kept in step with what is stored."""

from collections.abc import Iterator
from heapq import merge
from itertools import islice

from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.risk.features.catalogue import PAYMENT
from backend.risk.features.past import Past, Sightings
from backend.risk.features.stream import key_of
from backend.risk.judging.desk import RiskDesk
from backend.risk.judging.limits import (
    CLOCKS_APART_MS_MAX,
    PAYMENTS_PER_LOOKUP_MAX,
    REBUILT_DAYS_MAX,
)
from backend.risk.judging.records import attempt_of, is_measured
from backend.risk.judging.remembered import Remembered, Tried, Word
from backend.risk.judging.repository import SEEN_COLUMNS, DecisionRepository
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
    decisions: DecisionRepository, labels: LabelRepository, *, now_ms: int
) -> tuple[Remembered, int]:
    """A new memory that was told again what is stored, in the order in which it became so; and how
    many decisions. A label is of the attempt that was the latest when it was given.

    What is older than any window is not told: of it the memory knows when each entity was first and
    last seen, and the labels."""
    from_ms = now_ms - REBUILT_DAYS_MAX * DAY_MS
    memory = Remembered(PAYMENT, pasts=_pasts(decisions, from_ms))
    for tried in _labelled_before(from_ms, decisions, labels):
        memory.know(tried)
    count = 0
    for row in merge(decisions.since(from_ms), _all(labels), key=_time):
        if "available_at_ms" in row:
            memory.learn(Word(row["payment_id"], bool(row["is_fraud"]), row["available_at_ms"]))
            continue
        count += 1
        if is_measured(row):
            memory.remember(_tried(row))
    return memory, count


def _labelled_before(
    before_ms: int, decisions: DecisionRepository, labels: LabelRepository
) -> Iterator[Tried]:
    """The attempts before a time that a label was given to: each the latest by then."""
    given = iter(_all(labels))
    while batch := list(islice(given, PAYMENTS_PER_LOOKUP_MAX)):
        until = {row["payment_id"]: _time(row) for row in reversed(batch)}  # the first label's
        latest: dict[str, Row] = {}
        for row in decisions.of_payments(until, before_ms=before_ms):
            if row["at_ms"] <= until[row["payment_id"]] and is_measured(row):
                latest.setdefault(row["payment_id"], row)
        yield from map(_tried, latest.values())


def _tried(row: Row) -> Tried:
    attempt = attempt_of(row)
    return Tried(attempt.attempt_id, attempt.payment_id, attempt.at_ms, attempt.row)


def _pasts(decisions: DecisionRepository, before_ms: int) -> dict[str, Past]:
    seen = {entity: Sightings() for entity in SEEN_COLUMNS}
    for entity, name, first_ms, last_ms in decisions.seen_before(before_ms):
        seen[entity].add(key_of(name), first_ms, last_ms)
    return {entity: Past(sightings) for entity, sightings in seen.items()}


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
