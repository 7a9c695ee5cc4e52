"""Reports' commands.

Rule 1: a report names payments of its subject and no others.
Rule 2: repeating a command that has been taken changes nothing and gives the report as it stands.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from backend.audit.model import chain
from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.payments.tables import PAYMENT
from backend.risk.aml.reports.limits import (
    EVENTS_PER_REPORT_MAX,
    PAYMENTS_PER_REPORT_MAX,
    PERSON_CHARS_MAX,
    REASON_CHARS_MAX,
    RECEIPT_CHARS_MAX,
    SUBJECT_CHARS_MAX,
    WORDS_CHARS_MAX,
)
from backend.risk.aml.reports.model import (
    ReportCommand,
    ReportEvent,
    ReportState,
    check_second_person,
    next_edge,
)
from backend.risk.aml.reports.tables import REPORT, REPORT_EVENT
from backend.risk.cases.model import CaseClock, Subject
from backend.risk.cases.tables import CASE
from backend.risk.two_persons import same_person
from protocol.errors import CallerError
from protocol.ids import is_id

COLUMNS = {Subject.PAYER: "payer_id", Subject.MERCHANT: "merchant_id"}
"""Whom a report is about: the customer, by which a payment is his."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseReport:
    """An alert that some of a customer's payments are suspicious. Who raises it mints the id."""

    report_id: str
    subject: Subject
    subject_id: str
    reason: str
    payments: tuple[str, ...]
    clock: CaseClock
    actor: str
    case_id: str = ""

    def reads(self) -> Iterable[Read]:
        case: list[Read] = [(CASE, self.case_id)] if self.case_id else []
        return [(REPORT, self.report_id), *case, *((PAYMENT, one) for one in self._named)]

    @property
    def _named(self) -> tuple[str, ...]:
        return self.payments[:PAYMENTS_PER_REPORT_MAX]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        payments = json.dumps(sorted(set(self.payments)))
        known = ws.get(REPORT, self.report_id)
        if known is not None:
            if (known["subject_id"], known["payments"]) != (self.subject_id, payments):
                raise CallerError("idempotency_conflict", "report_id")
            return known
        self._check(ws)
        limits = self.clock.deadlines(now_ms)
        ws.insert(
            REPORT,
            {
                "report_id": self.report_id,
                "subject_kind": self.subject.value,
                "subject_id": self.subject_id,
                "reason": self.reason,
                "case_id": self.case_id,
                "payments": payments,
                "state": ReportState.ALERT.value,
                "raised_at_ms": now_ms,
                "warn_at_ms": limits.warn_at_ms,
                "due_at_ms": limits.due_at_ms,
                "updated_at_ms": now_ms,
            },
        )
        report = _report(ws, self.report_id)
        return _record(ws, report, ReportEvent.RAISED, self.actor, self.reason, now_ms)

    def _check(self, ws: WorkingSet) -> None:
        _text(self.actor, "by", PERSON_CHARS_MAX)
        _text(self.reason, "reason", REASON_CHARS_MAX)
        _text(self.subject_id, "subject_id", SUBJECT_CHARS_MAX)
        if not self.payments or self._named != self.payments:
            raise CallerError("field_invalid", "payments")
        if self.subject not in COLUMNS or not is_id(self.report_id, prefix="rpt"):
            raise CallerError("field_invalid", "subject or report_id")
        if self.case_id and ws.get(CASE, self.case_id) is None:
            raise CallerError("case_not_found", self.case_id)
        for payment_id in self.payments:
            payment = ws.get(PAYMENT, payment_id)
            if payment is None:
                raise CallerError("payment_not_found", payment_id)
            if payment[COLUMNS[self.subject]] != self.subject_id:
                raise CallerError("field_invalid", f"{payment_id} is not of the report's subject")


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvanceReport:
    """Take a report one step on, with words that are kept. ``filed`` is the file that the AML
    centre has and ``receipt`` its answer: for ``FILE`` alone."""

    report_id: str
    command: ReportCommand
    by: str
    words: str
    receipt: str = ""
    filed: str = ""

    def reads(self) -> Iterable[Read]:
        return [(REPORT, self.report_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        report = _report(ws, self.report_id)
        by = _text(self.by, "by", PERSON_CHARS_MAX)
        words = _text(self.words, "words", WORDS_CHARS_MAX)
        if self._is_repeated(report, by):
            return report
        edge = next_edge(report["state"], self.command)
        is_full = report["event_count"] >= EVENTS_PER_REPORT_MAX
        if is_full and edge.state in {ReportState.ALERT, ReportState.ANALYSIS}:
            raise CallerError("report_state", "events enough")
        check_second_person(report["analyst"], self.command, by=by)
        changes = self._changes(by, words)
        return _record(ws, report, edge.event, by, words, now_ms, state=edge.state.value, **changes)

    def _is_repeated(self, report: Row, by: str) -> bool:
        if self.command is ReportCommand.FILE:
            return bool(report["receipt"]) and report["receipt"] == self.receipt.strip()
        reached = {
            ReportCommand.CONFIRM: ReportState.CONFIRMED,
            ReportCommand.DISMISS: ReportState.DISMISSED,
        }
        return report["state"] == reached.get(self.command) and same_person(
            report["decided_by"], by
        )

    def _changes(self, by: str, words: str) -> dict[str, str]:
        match self.command:
            case ReportCommand.ANALYSE:
                return {"analyst": by, "analysis": words}
            case ReportCommand.RETURN:
                return {"analyst": "", "analysis": ""}
            case ReportCommand.FILE:
                receipt = _text(self.receipt, "receipt", RECEIPT_CHARS_MAX)
                return {"receipt": receipt, "filed": self.filed}
            case _:
                return {"decided_by": by}


def _record(
    ws: WorkingSet,
    report: Row,
    event: ReportEvent,
    actor: str,
    words: str,
    now_ms: int,
    **changes: str,
) -> Row:
    """Write what happened to a report, and the columns that it changes; the new row."""
    number = report["event_count"] + 1
    written = {
        "report_id": report["report_id"],
        "number": number,
        "event": event.value,
        "state_after": changes.get("state", report["state"]),
        "actor": actor,
        "words": words,
        "at_ms": now_ms,
    }
    link = chain(report["link"], written)
    ws.insert(REPORT_EVENT, {**written, "link": link})
    return ws.update(
        REPORT, report["report_id"], event_count=number, updated_at_ms=now_ms, link=link, **changes
    )


def _report(ws: WorkingSet, report_id: str) -> Row:
    report = ws.get(REPORT, report_id)
    if report is None:
        raise CallerError("report_not_found", report_id)
    return report


def _text(text: str, field: str, chars_max: int) -> str:
    if not 0 < len(text.strip()) <= chars_max:
        raise CallerError("field_invalid", field)
    return text.strip()
