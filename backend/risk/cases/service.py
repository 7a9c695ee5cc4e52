"""Cases' commands.

Rule 1: an alarm about a subject whose case of the same source is not decided joins that case: a
        burst of alarms makes one case, not a queue of them. A worse severity raises it; its clock
        stays that of the first alarm.
Rule 2: a decision labels payments of the case's subject and no others, at the moment of the second
        person's word. Whose a payment is that was declined, is written with how it was judged.
Rule 3: repeating a command changes nothing and gives the case as it stands, but for notes and
        for alarms that joined a case, which are counted.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.payments.tables import PAYMENT
from backend.risk.cases.limits import (
    EVENTS_PER_CASE_MAX,
    PAYMENTS_PER_DECISION_MAX,
    PERSON_CHARS_MAX,
    REASON_CHARS_MAX,
    REASONS_PER_CASE_MAX,
    SUBJECT_CHARS_MAX,
    WORDS_CHARS_MAX,
)
from backend.risk.cases.model import (
    LABELLING,
    CaseClock,
    CaseCommand,
    CaseEvent,
    CaseState,
    Outcome,
    Severity,
    Subject,
    check_assignee,
    check_second_person,
)
from backend.risk.cases.steps import record, step
from backend.risk.cases.tables import CASE, CASE_OPEN
from backend.risk.judging.tables import DECISION
from backend.risk.labels.model import LabelSource
from backend.risk.labels.service import give_label
from backend.risk.labels.tables import LABEL
from backend.risk.two_persons import same_person
from protocol.errors import CallerError
from protocol.ids import is_id

_COLUMNS = {
    Subject.PAYMENT: "payment_id",
    Subject.PAYER: "payer_id",
    Subject.DEVICE: "device",
    Subject.CARD: "instrument_id",
    Subject.MERCHANT: "merchant_id",
}
_JUDGED_COLUMNS = {**_COLUMNS, Subject.CARD: "card"}
"""The same in a decision."""
_WORST_FIRST = tuple(Severity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Why somebody must look: what one part of the engine found about one subject."""

    case_id: str
    """Minted by whoever raises it: the case's, if there is none for it to join."""
    source: str
    subject: Subject
    subject_id: str
    severity: Severity
    reason: str
    reference: str = ""
    actor: str = "risk"

    @property
    def open_key(self) -> tuple[str, str, str]:
        """Where the subject's undecided case of this source is found."""
        return (self.subject.value, self.subject_id, self.source)

    def check(self) -> None:
        """``field_invalid`` for an alarm that nobody could read or keep."""
        texts = (
            (self.source, PERSON_CHARS_MAX),
            (self.subject_id, SUBJECT_CHARS_MAX),
            (self.reason, REASON_CHARS_MAX),
        )
        is_good = (
            is_id(self.case_id, prefix="cas")
            and all(0 < len(text) <= chars_max for text, chars_max in texts)
            and len(self.reference) <= SUBJECT_CHARS_MAX
        )
        if not is_good:
            raise CallerError("field_invalid", "case")


def alarm_reads(alarm: Alarm) -> list[Read]:
    """What ``raise_alarm`` reads at first."""
    return [(CASE, alarm.case_id), (CASE_OPEN, alarm.open_key)]


def alarm_follow(ws: WorkingSet, alarm: Alarm) -> list[Read]:
    """What ``raise_alarm`` reads besides, by what ``alarm_reads`` has brought."""
    entry = ws.get(CASE_OPEN, alarm.open_key)
    return [(CASE, entry["case_id"])] if entry and entry["case_id"] else []


def raise_alarm(ws: WorkingSet, alarm: Alarm, *, clock: CaseClock, now_ms: int) -> Row:
    """The case that an alarm opens or joins (rule 1), inside whatever command found it."""
    known = ws.get(CASE, alarm.case_id)
    if known is not None:
        return _again(known, alarm)
    alarm.check()
    entry = ws.get(CASE_OPEN, alarm.open_key)
    current = ws.get(CASE, entry["case_id"]) if entry and entry["case_id"] else None
    if current is not None:
        return _join(ws, current, alarm, now_ms)
    _list_open(ws, entry, alarm)
    limits = clock.deadlines(now_ms)
    row = {
        "case_id": alarm.case_id,
        "source": alarm.source,
        "subject_kind": alarm.subject.value,
        "subject_id": alarm.subject_id,
        "severity": alarm.severity.value,
        "reason": alarm.reason,
        "reference": alarm.reference,
        "state": CaseState.OPEN.value,
        "opened_at_ms": now_ms,
        "warn_at_ms": limits.warn_at_ms,
        "due_at_ms": limits.due_at_ms,
        "updated_at_ms": now_ms,
    }
    ws.insert(CASE, row)
    opened = ws.get(CASE, alarm.case_id)
    assert opened is not None
    detail = _detail(alarm)
    return record(ws, opened, CaseEvent.OPENED, actor=alarm.actor, now_ms=now_ms, detail=detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """Raise an alarm by itself: an operator's, or a part's that runs beside the payments."""

    alarm: Alarm
    clock: CaseClock

    def reads(self) -> Iterable[Read]:
        return alarm_reads(self.alarm)

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        return alarm_follow(ws, self.alarm)

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        return raise_alarm(ws, self.alarm, clock=self.clock, now_ms=now_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignCase:
    """Give a case to a person, who may have taken it; or, ``to`` nobody, back to the queue."""

    case_id: str
    by: str
    to: str

    def reads(self) -> Iterable[Read]:
        return [(CASE, self.case_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        case = _case(ws, self.case_id)
        actor = _person(self.by)
        if not self.to:
            if case["state"] == CaseState.OPEN:
                return case
            return step(ws, case, CaseCommand.RELEASE, actor=actor, now_ms=now_ms, assignee="")
        to = _person(self.to)
        if case["state"] == CaseState.ASSIGNED and same_person(case["assignee"], to):
            return case
        return step(
            ws, case, CaseCommand.ASSIGN, actor=actor, now_ms=now_ms,
            detail={"to": to}, assignee=to,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteCase:
    """Say something about a case that is not decided."""

    case_id: str
    by: str
    words: str

    def reads(self) -> Iterable[Read]:
        return [(CASE, self.case_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        case = _case(ws, self.case_id)
        is_over = case["state"] == CaseState.DECIDED or case["event_count"] >= EVENTS_PER_CASE_MAX
        if is_over:
            raise CallerError("case_state", "note")
        actor, words = _person(self.by), _words(self.words)
        return record(ws, case, CaseEvent.NOTED, actor=actor, now_ms=now_ms, words=words)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeOutcome:
    """The first person's word. ``payments`` are those that the outcome labels; for a case about a
    payment it is that one unless others are named. ``attempts``: how those were tried, as far as
    they were judged."""

    case_id: str
    by: str
    outcome: Outcome
    words: str
    payments: tuple[str, ...] = ()
    attempts: tuple[str, ...] = ()

    def reads(self) -> Iterable[Read]:
        if len(self.payments) > PAYMENTS_PER_DECISION_MAX:
            raise CallerError("field_invalid", "payments")
        tried = ((DECISION, attempt_id) for attempt_id in self.attempts)
        named = ((PAYMENT, payment_id) for payment_id in self.payments)
        return [(CASE, self.case_id), *named, *tried]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        case = ws.get(CASE, self.case_id)
        is_of_payment = case is not None and case["subject_kind"] == Subject.PAYMENT
        return [(PAYMENT, case["subject_id"])] if case is not None and is_of_payment else []

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        case = _case(ws, self.case_id)
        actor, words = _person(self.by), _words(self.words)
        payments = json.dumps(self._labelled(ws, case))
        is_same = (case["outcome"], case["payments"]) == (self.outcome.value, payments)
        if case["state"] == CaseState.PROPOSED and is_same and case["proposed_by"] == actor:
            return case
        check_assignee(case["assignee"], by=actor)
        return step(
            ws, case, CaseCommand.PROPOSE, actor=actor, now_ms=now_ms, words=words,
            detail={"outcome": self.outcome.value, "payments": json.loads(payments)},
            outcome=self.outcome.value, payments=payments, proposed_by=actor,
        )  # fmt: skip

    def _labelled(self, ws: WorkingSet, case: Row) -> list[str]:
        """The payments that the outcome is about, each of the case's subject (rule 2)."""
        if self.outcome not in LABELLING:
            if self.payments:
                raise CallerError("field_invalid", f"{self.outcome} labels no payment")
            return []
        is_of_payment = case["subject_kind"] == Subject.PAYMENT
        named = self.payments or ((case["subject_id"],) if is_of_payment else ())
        if not named:
            raise CallerError("field_invalid", f"{self.outcome} names payments")
        for payment_id in named:
            payment = ws.get(PAYMENT, payment_id)
            if payment is None:
                raise CallerError("payment_not_found", payment_id)
            if not self._is_of_subject(ws, case, payment):
                raise CallerError("field_invalid", f"{payment_id} is not of the case's subject")
        return sorted(set(named))

    def _is_of_subject(self, ws: WorkingSet, case: Row, payment: Row) -> bool:
        subject, subject_id = Subject(case["subject_kind"]), case["subject_id"]
        if payment[_COLUMNS[subject]] == subject_id:
            return True
        tried = (ws.get(DECISION, attempt_id) for attempt_id in self.attempts)
        return any(
            row["payment_id"] == payment["payment_id"]
            and row[_JUDGED_COLUMNS[subject]] == subject_id
            for row in tried
            if row is not None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerProposal:
    """The second person's word: agreed, or back to whoever proposed it."""

    case_id: str
    by: str
    is_agreed: bool
    words: str

    def reads(self) -> Iterable[Read]:
        return [(CASE, self.case_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        case = ws.get(CASE, self.case_id)
        if case is None:
            return []
        labels = [(LABEL, (name, self.case_id)) for name in json.loads(case["payments"])]
        return [(CASE_OPEN, _open_key(case)), *labels]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        case = _case(ws, self.case_id)
        actor, words = _person(self.by), _words(self.words)
        is_decided = case["state"] == CaseState.DECIDED
        if is_decided and self.is_agreed and same_person(case["decided_by"], actor):
            return case
        command = CaseCommand.CONFIRM if self.is_agreed else CaseCommand.REJECT
        if case["state"] == CaseState.PROPOSED:
            check_second_person(case["proposed_by"], by=actor)
        if not self.is_agreed:
            return step(
                ws, case, command, actor=actor, now_ms=now_ms, words=words,
                outcome="", payments="[]", proposed_by="",
            )  # fmt: skip
        row = step(
            ws, case, command, actor=actor, now_ms=now_ms, words=words,
            detail={"outcome": case["outcome"]}, decided_by=actor,
        )  # fmt: skip
        ws.update(CASE_OPEN, _open_key(case), case_id="")
        _give_labels(ws, row, now_ms)
        return row


def _give_labels(ws: WorkingSet, case: Row, now_ms: int) -> None:
    is_fraud = LABELLING.get(Outcome(case["outcome"]))
    if is_fraud is None:
        return
    for payment_id in json.loads(case["payments"]):
        give_label(
            ws, payment_id=payment_id, origin=case["case_id"], source=LabelSource.CASE,
            is_fraud=is_fraud, actor=case["decided_by"], reason=case["reason"], now_ms=now_ms,
        )  # fmt: skip


def _again(known: Row, alarm: Alarm) -> Row:
    if (known["subject_kind"], known["subject_id"], known["source"]) != alarm.open_key:
        raise CallerError("idempotency_conflict", "case_id")
    return known


def _list_open(ws: WorkingSet, entry: Row | None, alarm: Alarm) -> None:
    if entry is not None:
        ws.update(CASE_OPEN, alarm.open_key, case_id=alarm.case_id)
        return
    kind, subject_id, source = alarm.open_key
    ws.insert(
        CASE_OPEN,
        {
            "subject_kind": kind,
            "subject_id": subject_id,
            "source": source,
            "case_id": alarm.case_id,
        },
    )


def _join(ws: WorkingSet, case: Row, alarm: Alarm, now_ms: int) -> Row:
    worse = min(Severity(case["severity"]), alarm.severity, key=_WORST_FIRST.index)
    count = case["raised_count"] + 1
    if count > REASONS_PER_CASE_MAX:
        return ws.update(CASE, case["case_id"], raised_count=count, severity=worse.value)
    return record(
        ws, case, CaseEvent.RAISED_AGAIN, actor=alarm.actor, now_ms=now_ms,
        detail=_detail(alarm), raised_count=count, severity=worse.value,
    )  # fmt: skip


def _detail(alarm: Alarm) -> dict[str, str]:
    return {
        "severity": alarm.severity.value,
        "reason": alarm.reason,
        "reference": alarm.reference,
    }


def _open_key(case: Row) -> tuple[str, str, str]:
    return (case["subject_kind"], case["subject_id"], case["source"])


def _case(ws: WorkingSet, case_id: str) -> Row:
    case = ws.get(CASE, case_id)
    if case is None:
        raise CallerError("case_not_found", case_id)
    return case


def _person(name: str) -> str:
    if not 0 < len(name.strip()) <= PERSON_CHARS_MAX:
        raise CallerError("field_invalid", "by")
    return name.strip()


def _words(text: str) -> str:
    if not 0 < len(text.strip()) <= WORDS_CHARS_MAX:
        raise CallerError("field_invalid", "words")
    return text.strip()
