"""What the operators' pages of risk cases show and do, without HTTP, by the room's own commands.

Rule: who acts is who is signed in, by that name alone: the second person is another session's.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from backend.audit.model import ActKind
from backend.audit.service import Audited, Watch
from backend.console.evidence_picture import Picture, picture
from backend.console.limits import EVIDENCE_HOPS, HAPPENINGS_SHOWN, ROWS_PER_PAGE
from backend.console.model import Person
from backend.console.payment_repository import ConsolePayments
from backend.db.command import Command
from backend.db.tables import Row
from backend.payments.services import Services
from backend.risk.cases.desk import CaseDesk, CasePage, standing
from backend.risk.cases.model import CaseState, Outcome
from backend.risk.cases.repository import CaseFilter
from backend.risk.cases.service import AnswerProposal, AssignCase, NoteCase, ProposeOutcome
from backend.risk.cases.tables import CASE
from backend.risk.judging.explaining import Explainer
from backend.risk.judging.repository import DecisionRepository
from backend.risk.rules.compiled import Rule
from backend.risk.two_persons import same_person
from protocol.errors import CallerError

_WATCHED = ("state", "assignee", "outcome")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStory:
    """A case whole. ``payments`` are the subject's, as far as a page shows them: what an outcome
    may label. ``happened`` is the subject's timeline, the latest first."""

    row: Row
    standing: str
    rule: Rule | None
    events: list[Row]
    broken: int | None
    payments: list[Row]
    picture: Picture
    labelled: list[str]
    """What the outcome labels, as proposed or decided."""
    happened: list[Row]
    has_earlier: bool
    """Whether more has happened than is here."""
    each: Mapping[str, Row] = field(default_factory=dict)
    """The payments of ``happened`` by their id."""

    def may_be_proposed_by(self, name: str) -> bool:
        """Whether this person looks into it."""
        is_theirs = same_person(self.row["assignee"], name)
        return bool(self.row["state"] == CaseState.ASSIGNED) and is_theirs

    def is_proposed_by(self, name: str) -> bool:
        """Whether this person is the first of the two."""
        return same_person(self.row["proposed_by"], name)


class CasesDesk:
    """One per process."""

    def __init__(self, services: Services, explainer: Explainer) -> None:
        self._services = services
        self._cases = CaseDesk(services)
        self._decisions = DecisionRepository(services.reader)
        self._payments = ConsolePayments(services.reader)
        self._explainer = explainer

    async def queue(self, wanted: CaseFilter, after: tuple[int, str] | None) -> CasePage:
        """A page of the queue, each case with its ``standing`` and the ``rule`` that raised it, as
        far as it is known."""
        page = await self._cases.queue(wanted, limit=ROWS_PER_PAGE, after=after)
        return CasePage([self._told(row) for row in page.rows], page.after)

    async def of_payment(self, payment_id: str) -> list[Row]:
        """The cases that a payment is in, each with the same."""
        return [self._told(row) for row in await self._cases.of_payment(payment_id)]

    async def figures(self) -> dict[str, int]:
        """How many are not decided, have warned and are overdue."""
        return await self._cases.figures()

    async def story(self, case_id: str) -> CaseStory:
        """A case with its evidence; ``case_not_found``."""
        row = await self._cases.case(case_id)
        events, broken = await self._cases.events(case_id)
        found = await self._cases.evidence(case_id, hops=EVIDENCE_HOPS)
        own = [item for item in reversed(found["timeline"]["items"]) if item["kind"] != "case"]
        happened = own[:HAPPENINGS_SHOWN]
        listed = (await self._cases.payments(row))[:ROWS_PER_PAGE]
        told = {item["subject"] for item in happened} | set(listed)
        rows: list[Row] = await self._services.run_read(lambda: self._payments.named(told))
        each = {one["payment_id"]: one for one in rows}
        return CaseStory(
            row=row,
            standing=standing(row, self._services.clock.now_ms()).value,
            rule=self._rule(row),
            events=[{**one, "detail": json.loads(one["detail"])} for one in events],
            broken=broken,
            labelled=json.loads(row["payments"]),
            payments=[each[one] for one in listed if one in each],
            picture=picture(found["graph"]),
            happened=happened,
            has_earlier=len(own) > len(happened) or found["timeline"]["is_cut"],
            each=each,
        )

    async def take(self, person: Person, case_id: str) -> None:
        """Whoever is signed in looks into it from now on, whoever did before."""
        command = AssignCase(case_id=case_id, by=person.name, to=person.name)
        await self._do(person, case_id, "take", command)

    async def put_back(self, person: Person, case_id: str) -> None:
        """Back into the queue."""
        command = AssignCase(case_id=case_id, by=person.name, to="")
        await self._do(person, case_id, "put back", command)

    async def note(self, person: Person, case_id: str, words: str) -> None:
        """Say something about it."""
        command = NoteCase(case_id=case_id, by=person.name, words=words)
        act = person.act(ActKind.CASE, "note", f"case {case_id}", reason=words)
        await self._services.submit(Audited(command=command, act=act))

    async def propose(
        self, person: Person, case_id: str, *, outcome: str, words: str, payments: tuple[str, ...]
    ) -> None:
        """The first person's word; ``field_invalid`` names an outcome that is none."""
        if outcome not in tuple(Outcome):
            raise CallerError("field_invalid", "outcome")
        attempts = await self._services.run_read(lambda: self._decisions.attempts_of(payments))
        command = ProposeOutcome(
            case_id=case_id,
            by=person.name,
            outcome=Outcome(outcome),
            words=words,
            payments=payments,
            attempts=attempts,
        )
        await self._do(person, case_id, "propose", command, words)

    async def answer(self, person: Person, case_id: str, *, is_agreed: bool, words: str) -> None:
        """The second person's word; ``case_same_person`` for the first one's."""
        command = AnswerProposal(case_id=case_id, by=person.name, is_agreed=is_agreed, words=words)
        await self._do(person, case_id, "confirm" if is_agreed else "reject", command, words)

    async def _do(
        self, person: Person, case_id: str, what: str, command: Command, words: str = ""
    ) -> None:
        act = person.act(ActKind.CASE, what, f"case {case_id}", reason=words)
        watch = Watch(CASE, case_id, _WATCHED)
        await self._services.submit(Audited(command=command, act=act, watch=watch))

    def _told(self, row: Row) -> Row:
        now_ms = self._services.clock.now_ms()
        return {**row, "standing": standing(row, now_ms).value, "rule": self._rule(row)}

    def _rule(self, row: Row) -> Rule | None:
        return self._explainer.rule(row["reason"]) if row["source"] == "decision" else None
