"""The operators' pages of risk cases: the queue, one case with what is linked to it, and what two
persons do about it. To a merchant they do not exist."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar

from fastapi import APIRouter, Request, Response

from backend.console.beside import CASE
from backend.console.cases_desk import CasesDesk
from backend.console.face import Face
from backend.console.limits import FEW_HAPPENINGS, FEW_NODES, FEW_POSTINGS
from backend.console.model import Person
from backend.console.operator_pages import operator, operator_posted
from backend.console.parts import ConsoleParts
from backend.console.places import names_of
from backend.console.session import ROOT
from backend.forms import Form
from backend.listing.filters import Place, Readers, TypedFilter, one_of, place_of
from backend.risk.cases.model import CaseState, Outcome, Severity, Standing
from backend.risk.cases.repository import UNDECIDED, CaseFilter
from protocol.errors import CallerError
from protocol.ids import is_id

_STANDINGS = tuple(one for one in Standing if one is not Standing.DONE)

Do = Callable[[Request, Person, str, Form], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class TypedCases(TypedFilter):
    """The queue's filter."""

    state: str
    severity: str
    standing: str
    assignee: str
    readers: ClassVar[Readers] = {
        "state": lambda text: one_of(text, tuple(CaseState), "state"),
        "severity": lambda text: one_of(text, tuple(Severity), "severity"),
        "standing": lambda text: one_of(text, _STANDINGS, "standing"),
    }

    def wanted(self) -> CaseFilter:
        """The question to the database."""
        return CaseFilter(
            states=(CaseState(self.state),) if self.state else UNDECIDED,
            severity=Severity(self.severity) if self.severity else None,
            standing=Standing(self.standing) if self.standing else None,
            assignee=self.assignee or None,
        )


def add_pages(pages: APIRouter, parts: ConsoleParts, desk: CasesDesk) -> None:
    """``/console/cases`` and ``/{case_id}``, to which ``/take``, ``/put-back``, ``/note``,
    ``/propose``, ``/confirm`` and ``/reject`` are sent."""
    _queue(pages, parts, desk)
    _one(pages, parts, desk)


def _queue(pages: APIRouter, parts: ConsoleParts, desk: CasesDesk) -> None:
    @pages.get(ROOT + "/cases")
    async def cases(request: Request) -> Response:
        person = await operator(parts, request)
        typed, place = TypedCases.of(request), place_of(request)
        wrong = typed.wrong()
        page = None if wrong else await desk.queue(typed.wanted(), place)
        rows = page.rows if page else []
        subjects = [(row["subject_kind"], row["subject_id"]) for row in rows]
        return parts.face.page(
            request, "cases", person, tab="cases", rows=rows, typed=typed, wrong=wrong,
            more=typed.query(after=Place(*page.after).told) if page and page.after else "",
            is_first=place is None, figures=await desk.figures(), states_of=list(CaseState),
            severities=list(Severity), standings=list(_STANDINGS),
            places=await names_of(parts.payments.services, [], subjects),
        )  # fmt: skip


def _one(pages: APIRouter, parts: ConsoleParts, desk: CasesDesk) -> None:
    face = parts.face

    async def shown(
        request: Request,
        person: Person,
        case_id: str,
        refusal: CallerError | None = None,
        typed: Form | None = None,
        sent: str = "",
    ) -> Response:
        story = await desk.story(case_id)
        subjects = [(one.kind, one.id) for one in story.picture.dots]
        subjects.append((story.row["subject_kind"], story.row["subject_id"]))
        return face.page(
            request, "case", person, tab="cases", here=f"{ROOT}/cases/{case_id}", story=story,
            refusal=refusal, typed=typed or {}, sent=sent, fields=CASE, outcomes=list(Outcome),
            few_nodes=FEW_NODES, few_happenings=FEW_HAPPENINGS,
            few_payments=FEW_POSTINGS,
            places=await names_of(parts.payments.services, [], subjects),
        )  # fmt: skip

    def act(word: str, do: Do) -> None:
        @pages.post(ROOT + "/cases/{case_id}/" + word, name=f"{word}_case")
        async def acted(request: Request, case_id: str) -> Response:
            person, form = await operator_posted(parts, request)
            try:
                return await do(request, person, case_id, form)
            except CallerError as refusal:
                if refusal.code == "case_not_found":
                    raise
                return await shown(request, person, case_id, refusal, form, word)

    @pages.get(ROOT + "/cases/{case_id}")
    async def one_case(request: Request, case_id: str) -> Response:
        return await shown(request, await operator(parts, request), case_id)

    for word, do in _acts(face, desk).items():
        act(word, do)


def _acts(face: Face, desk: CasesDesk) -> dict[str, Do]:
    """By their word in the address."""

    async def take(request: Request, person: Person, case_id: str, _: Form) -> Response:
        await desk.take(person, case_id)
        return face.done(request, f"/cases/{case_id}", "case_taken")

    async def put_back(request: Request, person: Person, case_id: str, _: Form) -> Response:
        await desk.put_back(person, case_id)
        return face.done(request, f"/cases/{case_id}", "case_put_back")

    async def note(request: Request, person: Person, case_id: str, form: Form) -> Response:
        await desk.note(person, case_id, form.get("words", ""))
        return face.done(request, f"/cases/{case_id}", "case_noted")

    async def propose(request: Request, person: Person, case_id: str, form: Form) -> Response:
        outcome, words = form.get("outcome", ""), form.get("words", "")
        await desk.propose(person, case_id, outcome=outcome, words=words, payments=_chosen(form))
        return face.done(request, f"/cases/{case_id}", "case_proposed")

    async def confirm(request: Request, person: Person, case_id: str, form: Form) -> Response:
        await desk.answer(person, case_id, is_agreed=True, words=form.get("words", ""))
        return face.done(request, f"/cases/{case_id}", "case_decided")

    async def reject(request: Request, person: Person, case_id: str, form: Form) -> Response:
        await desk.answer(person, case_id, is_agreed=False, words=form.get("words", ""))
        return face.done(request, f"/cases/{case_id}", "case_sent_back")

    return {
        "take": take, "put-back": put_back, "note": note, "propose": propose,
        "confirm": confirm, "reject": reject,
    }  # fmt: skip


def _chosen(form: Form) -> tuple[str, ...]:
    """The payments that a form names: those that are ticked, and the numbers that are typed."""
    ticked = [name for name in form if is_id(name, prefix="pay")]
    return tuple(dict.fromkeys([*ticked, *form.get("others", "").split()]))
