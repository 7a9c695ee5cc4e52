"""HTTP about cases, for the console: the queue, one case with its evidence, what people do."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from backend.audit.model import first_broken
from backend.db.command import Command
from backend.db.tables import Row
from backend.guard import Guard
from backend.payments.services import Services
from backend.risk.cases.evidence import explore, shown
from backend.risk.cases.evidence_repository import EvidenceRepository
from backend.risk.cases.limits import HOPS_MAX, PERSON_CHARS_MAX, ROWS_PER_LIST_MAX
from backend.risk.cases.model import CaseClock, CaseState, Deadlines, Standing
from backend.risk.cases.repository import CaseRepository
from backend.risk.cases.schemas import Assignment, NewCase, Note, Proposal
from backend.risk.cases.service import (
    Alarm,
    AnswerProposal,
    AssignCase,
    NoteCase,
    OpenCase,
    ProposeOutcome,
)
from backend.risk.judging.repository import DecisionRepository
from protocol.errors import CallerError

CREATED = 201
_UNDECIDED = (CaseState.OPEN, CaseState.ASSIGNED, CaseState.PROPOSED)
_HIDDEN = frozenset({"link", "event_count"})


def operator_router(services: Services, operator_only: Guard, clock: CaseClock) -> APIRouter:
    """``/operator/v1/risk/cases``."""
    routes = APIRouter(
        prefix="/operator/v1/risk/cases", tags=["risk"], dependencies=[Depends(operator_only)]
    )
    _add_reads(routes, services)
    _add_evidence(routes, services)
    _add_commands(routes, services, clock)
    return routes


def _add_reads(routes: APIRouter, services: Services) -> None:
    repository = CaseRepository(services.reader)

    @routes.get("")
    async def queue(
        state: CaseState | None = None,
        assignee: Annotated[str | None, Query(max_length=PERSON_CHARS_MAX)] = None,
        standing: Standing | None = None,
        limit: Annotated[int, Query(ge=1, le=ROWS_PER_LIST_MAX)] = 50,
    ) -> dict[str, Any]:
        """The cases that are not decided, or those in one state or standing, the first due
        first."""
        now_ms = services.clock.now_ms()
        states = (state,) if state else tuple(CaseState) if standing else _UNDECIDED
        rows = await services.run_read(
            lambda: repository.queue(
                states=states, now_ms=now_ms, assignee=assignee, standing=standing, limit=limit
            )
        )
        figures = await services.run_read(lambda: repository.figures(now_ms))
        return {"cases": [_shown(row, now_ms) for row in rows], **figures}

    @routes.get("/{case_id}")
    async def one(case_id: str) -> dict[str, Any]:
        """A case with its steps, and the number of the first that is not what was written."""
        row = await services.run_read(lambda: _found(repository, case_id))
        events = await services.run_read(lambda: repository.events(case_id))
        return _shown(row, services.clock.now_ms()) | {
            "events": [_shown_event(event) for event in events],
            "first_broken_event": first_broken(events),
        }


def _add_evidence(routes: APIRouter, services: Services) -> None:
    cases, evidence = CaseRepository(services.reader), EvidenceRepository(services.reader)

    @routes.get("/{case_id}/evidence")
    async def look(
        case_id: str, hops: Annotated[int, Query(ge=0, le=HOPS_MAX)] = 2
    ) -> dict[str, Any]:
        """The timeline of the subject, and the payers, cards and devices linked to it."""
        now_ms = services.clock.now_ms()

        def read() -> dict[str, Any]:
            start = evidence.start(_found(cases, case_id))
            graph = explore(
                start, hops=hops, look=lambda node: evidence.look(node, until_ms=now_ms)
            )
            events = cases.events(case_id)
            return {
                "graph": shown(graph),
                "timeline": evidence.timeline(start, events, until_ms=now_ms),
            }

        found: dict[str, Any] = await services.run_read(read)
        return found


def _add_commands(routes: APIRouter, services: Services, clock: CaseClock) -> None:
    decisions = DecisionRepository(services.reader)

    async def done(command: Command) -> dict[str, Any]:
        return _shown(await services.submit(command), services.clock.now_ms())

    @routes.post("", status_code=CREATED)
    async def open_case(body: NewCase) -> dict[str, Any]:
        alarm = Alarm(
            case_id=body.case_id,
            source="operator",
            subject=body.subject,
            subject_id=body.subject_id,
            severity=body.severity,
            reason=body.reason,
            actor=body.by,
        )
        return await done(OpenCase(alarm=alarm, clock=clock))

    @routes.post("/{case_id}/assign")
    async def assign(case_id: str, body: Assignment) -> dict[str, Any]:
        return await done(AssignCase(case_id=case_id, by=body.by, to=body.to))

    @routes.post("/{case_id}/note")
    async def note(case_id: str, body: Note) -> dict[str, Any]:
        return await done(NoteCase(case_id=case_id, by=body.by, words=body.words))

    @routes.post("/{case_id}/propose")
    async def propose(case_id: str, body: Proposal) -> dict[str, Any]:
        attempts = await services.run_read(lambda: decisions.attempts_of(body.payments))
        command = ProposeOutcome(
            case_id=case_id,
            by=body.by,
            outcome=body.outcome,
            words=body.words,
            payments=tuple(body.payments),
            attempts=attempts,
        )
        return await done(command)

    def answers(word: str, *, is_agreed: bool) -> None:
        @routes.post(f"/{{case_id}}/{word}", name=f"{word}_case")
        async def answer(case_id: str, body: Note) -> dict[str, Any]:
            command = AnswerProposal(
                case_id=case_id, by=body.by, is_agreed=is_agreed, words=body.words
            )
            return await done(command)

    answers("confirm", is_agreed=True)
    answers("reject", is_agreed=False)


def _found(repository: CaseRepository, case_id: str) -> Row:
    row = repository.case(case_id)
    if row is None:
        raise CallerError("case_not_found", case_id)
    return row


def _shown(row: Row, now_ms: int) -> dict[str, Any]:
    limits = Deadlines(warn_at_ms=row["warn_at_ms"], due_at_ms=row["due_at_ms"])
    plain = {name: value for name, value in row.items() if name not in _HIDDEN}
    standing = limits.standing(state=row["state"], now_ms=now_ms)
    return plain | {"payments": json.loads(row["payments"]), "standing": standing.value}


def _shown_event(event: Row) -> dict[str, Any]:
    return event | {"detail": json.loads(event["detail"]), "link": event["link"].hex()}
