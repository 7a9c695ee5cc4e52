"""Reading reports. Only the room's repositories see SQL."""

import json
from collections.abc import Sequence

from sqlalchemy import select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.payments.tables import Payment
from backend.risk.aml.reports.limits import EVENTS_PER_REPORT_MAX, ROWS_PER_LIST_MAX
from backend.risk.aml.reports.model import ReportState
from backend.risk.aml.reports.tables import AmlReport, AmlReportEvent
from protocol.errors import CallerError

_report = AmlReport.__table__  # type: ignore[attr-defined]
_event = AmlReportEvent.__table__  # type: ignore[attr-defined]
_payment = Payment.__table__  # type: ignore[attr-defined]


class ReportRepository:
    """Committed reports. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def report(self, report_id: str) -> Row:
        """One report as it stands; ``report_not_found``."""
        row = self._reader.one(select(_report).where(_report.c.report_id == report_id))
        if row is None:
            raise CallerError("report_not_found", report_id)
        return row

    def events(self, report_id: str) -> list[Row]:
        """Every step of a report, in order."""
        query = select(_event).where(_event.c.report_id == report_id).order_by(_event.c.number)
        return self._reader.rows(query.limit(EVENTS_PER_REPORT_MAX + len(ReportState)))

    def queue(self, states: Sequence[ReportState]) -> list[Row]:
        """Reports in these states, the first due first."""
        query = select(_report).where(_report.c.state.in_([state.value for state in states]))
        query = query.order_by(_report.c.due_at_ms, _report.c.report_id)
        return self._reader.rows(query.limit(ROWS_PER_LIST_MAX))

    def payments(self, report: Row) -> list[Row]:
        """Those that a report names, in order of time."""
        query = select(_payment).where(_payment.c.payment_id.in_(json.loads(report["payments"])))
        return self._reader.rows(query.order_by(_payment.c.created_at_ms, _payment.c.payment_id))
