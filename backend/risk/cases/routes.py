"""HTTP about cases, for the console: the queue, one case with its evidence, what people do."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from backend.db.command import Command
from backend.db.tables import Row
from backend.guard import Guard
from backend.listing.filters import Place, place_said
from backend.listing.limits import FILTER_CHARS_MAX
from backend.payments.services import Services
from backend.risk.cases.desk import CaseDesk
from backend.risk.cases.desk import standing as standing_of
from backend.risk.cases.limits import HOPS_MAX, PERSON_CHARS_MAX, ROWS_PER_LIST_MAX
from backend.risk.cases.model import CaseClock, CaseState, Severity, Standing
from backend.risk.cases.repository import UNDECIDED, CaseFilter
from backend.risk.cases.schemas import Answer, Assignment, NewCase, Note, Proposal
from backend.risk.cases.service import (
    Alarm,
    AnswerProposal,
    AssignCase,
    NoteCase,
    OpenCase,
    ProposeOutcome,
)
from backend.risk.judging.repository import DecisionRepository
from backend.risk.signing import Sign

CREATED = 201
_HIDDEN = frozenset({"link", "event_count"})


def operator_router(
    services: Services, operator_only: Guard, clock: CaseClock, sign: Sign
) -> APIRouter:
    """``/operator/v1/risk/cases``. ``sign``: whose the words of two persons are."""
    routes = APIRouter(
        prefix="/operator/v1/risk/cases", tags=["risk"], dependencies=[Depends(operator_only)]
    )
    _add_reads(routes, services, CaseDesk(services))
    _add_commands(routes, services, clock)
    _add_words(routes, services, sign)
    return routes


def _add_reads(routes: APIRouter, services: Services, desk: CaseDesk) -> None:
    @routes.get("")
    async def queue(
        state: CaseState | None = None,
        assignee: Annotated[str | None, Query(max_length=PERSON_CHARS_MAX)] = None,
        severity: Severity | None = None,
        standing: Standing | None = None,
        limit: Annotated[int, Query(ge=1, le=ROWS_PER_LIST_MAX)] = 50,
        after: Annotated[str, Query(max_length=FILTER_CHARS_MAX)] = "",
    ) -> dict[str, Any]:
        """The cases that are not decided, or those in one state or standing, the first due
        first; ``after``: where the next page begins, None at the end."""
        wanted = CaseFilter(
            states=(state,) if state else tuple(CaseState) if standing else UNDECIDED,
            severity=severity,
            standing=standing,
            assignee=assignee,
        )
        page = await desk.queue(wanted, limit=limit, after=place_said(after))
        now_ms = services.clock.now_ms()
        return {
            "cases": [_shown(row, now_ms) for row in page.rows],
            "after": Place(*page.after).told if page.after else None,
            **await desk.figures(),
        }

    @routes.get("/of-payment/{payment_id}")
    async def of_payment(payment_id: str) -> dict[str, Any]:
        """The cases about a payment, raised over it or labelling it, and of its payer, card, device
        and merchant those that are not decided."""
        now_ms = services.clock.now_ms()
        return {"cases": [_shown(row, now_ms) for row in await desk.of_payment(payment_id)]}

    @routes.get("/{case_id}")
    async def one(case_id: str) -> dict[str, Any]:
        """A case with its steps, and the number of the first that is not what was written."""
        row = await desk.case(case_id)
        events, broken = await desk.events(case_id)
        return _shown(row, services.clock.now_ms()) | {
            "events": [_shown_event(event) for event in events],
            "first_broken_event": broken,
        }

    @routes.get("/{case_id}/evidence")
    async def look(
        case_id: str, hops: Annotated[int, Query(ge=0, le=HOPS_MAX)] = 2
    ) -> dict[str, Any]:
        """The timeline of the subject, and the payers, cards and devices linked to it."""
        return await desk.evidence(case_id, hops=hops)


def _add_commands(routes: APIRouter, services: Services, clock: CaseClock) -> None:
    async def done(command: Command) -> dict[str, Any]:
        return await _done(services, command)

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


def _add_words(routes: APIRouter, services: Services, sign: Sign) -> None:
    decisions = DecisionRepository(services.reader)

    @routes.post("/{case_id}/propose")
    async def propose(case_id: str, body: Proposal) -> dict[str, Any]:
        attempts = await services.run_read(lambda: decisions.attempts_of(body.payments))
        command = ProposeOutcome(
            case_id=case_id,
            by=await sign(body.by, body.code),
            outcome=body.outcome,
            words=body.words,
            payments=tuple(body.payments),
            attempts=attempts,
        )
        return await _done(services, command)

    def answers(word: str, *, is_agreed: bool) -> None:
        @routes.post(f"/{{case_id}}/{word}", name=f"{word}_case")
        async def answer(case_id: str, body: Answer) -> dict[str, Any]:
            by = await sign(body.by, body.code)
            command = AnswerProposal(case_id=case_id, by=by, is_agreed=is_agreed, words=body.words)
            return await _done(services, command)

    answers("confirm", is_agreed=True)
    answers("reject", is_agreed=False)


async def _done(services: Services, command: Command) -> dict[str, Any]:
    return _shown(await services.submit(command), services.clock.now_ms())


def _shown(row: Row, now_ms: int) -> dict[str, Any]:
    plain = {name: value for name, value in row.items() if name not in _HIDDEN}
    told = standing_of(row, now_ms).value
    return plain | {"payments": json.loads(row["payments"]), "standing": told}


def _shown_event(event: Row) -> dict[str, Any]:
    return event | {"detail": json.loads(event["detail"]), "link": event["link"].hex()}
