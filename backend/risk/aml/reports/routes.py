"""HTTP about reports of suspicious transactions, for the console."""

import json
from typing import Any

from fastapi import APIRouter, Depends, Response

from backend.audit.model import first_broken
from backend.db.command import Command
from backend.db.tables import Row
from backend.guard import Guard
from backend.payments.services import Services
from backend.risk.aml.reports.model import ENDED, ReportCommand, ReportState, standing
from backend.risk.aml.reports.narrative import report_file
from backend.risk.aml.reports.repository import ReportRepository
from backend.risk.aml.reports.schemas import Filing, NewReport, Step
from backend.risk.aml.reports.service import AdvanceReport, RaiseReport
from backend.risk.cases.model import CaseClock
from backend.risk.signing import Sign

CREATED = 201
_HIDDEN = frozenset({"link", "event_count", "filed"})


def operator_router(
    services: Services, operator_only: Guard, clock: CaseClock, sign: Sign
) -> APIRouter:
    """``/operator/v1/risk/reports``. ``sign``: whose the words of two persons are."""
    routes = APIRouter(
        prefix="/operator/v1/risk/reports", tags=["risk"], dependencies=[Depends(operator_only)]
    )
    _add_reads(routes, services, clock)
    _add_commands(routes, services, clock, sign)
    return routes


def _add_reads(routes: APIRouter, services: Services, clock: CaseClock) -> None:
    repository = ReportRepository(services.reader)

    @routes.get("")
    async def queue(state: ReportState | None = None) -> dict[str, Any]:
        """The reports that have not ended, or those in one state, the first due first."""
        states = (state,) if state else tuple(one for one in ReportState if one not in ENDED)
        rows = await services.run_read(lambda: repository.queue(states))
        now_ms = services.clock.now_ms()
        return {"reports": [_shown(row, now_ms) for row in rows]}

    @routes.get("/{report_id}")
    async def one(report_id: str) -> dict[str, Any]:
        """A report with its steps, and the number of the first that is not what was written."""
        row = await services.run_read(lambda: repository.report(report_id))
        events = await services.run_read(lambda: repository.events(report_id))
        return _shown(row, services.clock.now_ms()) | {
            "events": [event | {"link": event["link"].hex()} for event in events],
            "first_broken_event": first_broken(events),
        }

    @routes.get("/{report_id}/file")
    async def file(report_id: str) -> Response:
        """The report as a file: as it was filed, or as it would be now."""
        content = await services.run_read(lambda: _file(repository, report_id, clock))
        return Response(content, media_type="application/json")


def _file(repository: ReportRepository, report_id: str, clock: CaseClock) -> str:
    report = repository.report(report_id)
    filed: str = report["filed"]
    return filed or report_file(
        report, repository.payments(report), day_offset_ms=clock.day_offset_ms
    )


def _add_commands(routes: APIRouter, services: Services, clock: CaseClock, sign: Sign) -> None:
    repository = ReportRepository(services.reader)

    async def done(command: Command) -> dict[str, Any]:
        return _shown(await services.submit(command), services.clock.now_ms())

    @routes.post("", status_code=CREATED)
    async def raise_report(body: NewReport) -> dict[str, Any]:
        command = RaiseReport(
            report_id=body.report_id,
            subject=body.subject,
            subject_id=body.subject_id,
            reason=body.reason,
            payments=tuple(body.payments),
            case_id=body.case_id or "",
            clock=clock,
            actor=body.by,
        )
        return await done(command)

    def steps(command: ReportCommand) -> None:
        @routes.post(f"/{{report_id}}/{command}", name=f"{command}_report")
        async def step(report_id: str, body: Step) -> dict[str, Any]:
            by = await sign(body.by, body.code)
            return await done(
                AdvanceReport(report_id=report_id, command=command, by=by, words=body.words)
            )

    for command in ReportCommand:
        if command is not ReportCommand.FILE:
            steps(command)

    @routes.post("/{report_id}/file", name="file_report")
    async def file_report(report_id: str, body: Filing) -> dict[str, Any]:
        content = await services.run_read(lambda: _file(repository, report_id, clock))
        return await done(
            AdvanceReport(
                report_id=report_id,
                command=ReportCommand.FILE,
                by=body.by,
                words=body.words,
                receipt=body.receipt,
                filed=content,
            )
        )


def _shown(row: Row, now_ms: int) -> dict[str, Any]:
    plain = {name: value for name, value in row.items() if name not in _HIDDEN}
    stands = standing(
        state=row["state"],
        warn_at_ms=row["warn_at_ms"],
        due_at_ms=row["due_at_ms"],
        now_ms=now_ms,
    )
    return plain | {"payments": json.loads(row["payments"]), "standing": stands.value}
