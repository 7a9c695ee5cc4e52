"""The operators' pages of kill switches and of the audit log, which owners of merchants have, too,
for their own."""

from dataclasses import dataclass
from typing import ClassVar

from fastapi import APIRouter, Request, Response

from backend.audit.export import acts_csv
from backend.audit.model import ActKind
from backend.audit.repository import ActFilter, AuditRepository
from backend.console.acts_shown import changes, subject_of
from backend.console.beside import START, SWITCH, Fields
from backend.console.limits import FEW_CHANGES, ROWS_PER_PAGE
from backend.console.model import Person
from backend.console.operator_pages import operator, operator_posted
from backend.console.parts import ConsoleParts
from backend.console.places import names_of
from backend.console.session import ROOT
from backend.db.tables import Row
from backend.forms import Form
from backend.listing.filters import Readers, TypedFilter, from_ms, one_of, until_ms
from backend.listing.limits import FILTER_CHARS_MAX
from backend.payments.services import Services
from backend.switches.desk import SwitchDesk
from backend.switches.limits import REASON_CHARS_MAX, REASON_CHARS_MIN, SUBJECTS_SHOWN_MAX
from backend.switches.model import StopReason, SwitchKind, check_reason
from protocol.errors import CallerError

_NUMBER_DIGITS_MAX = 15
_ASKED = ("kind", "subject", "find", "reason", "category")


@dataclass(frozen=True, slots=True)
class TypedActs(TypedFilter):
    """The audit log's filter."""

    kind: str
    actor: str
    subject: str
    since: str
    until: str
    readers: ClassVar[Readers] = {
        "kind": lambda text: one_of(text, list(ActKind), "kind"),
        "since": from_ms,
        "until": until_ms,
    }

    def wanted(self, merchant_id: str | None) -> ActFilter:
        """The question to the database; ``field_invalid`` names what cannot be read."""
        return ActFilter(
            merchant_id=merchant_id,
            kind=one_of(self.kind, list(ActKind), "kind"),
            actor=self.actor,
            subject=self.subject,
            from_ms=from_ms(self.since),
            until_ms=until_ms(self.until),
        )


def add_pages(pages: APIRouter, parts: ConsoleParts, services: Services) -> None:
    """``/console/switches`` and ``audit``."""
    _switches(pages, parts, services)
    _audit(pages, parts, services)


def _switches(pages: APIRouter, parts: ConsoleParts, services: Services) -> None:
    face, desk = parts.face, SwitchDesk(services)

    async def shown(
        request: Request, person: Person, refusal: CallerError | None, typed: Form
    ) -> Response:
        rows = await desk.all()
        subjects = [(row["kind"], row["subject"]) for row in rows]
        chosen = (typed.get("kind", ""), typed.get("subject", ""))
        stopped = [row for row in rows if row["is_stopped"]]
        return face.page(
            request, "switches", person, tab="switches", here=f"{ROOT}/switches", refusal=refusal,
            fields=_fields(typed, stopped), stopped=stopped, typed=typed,
            past=[row for row in rows if not row["is_stopped"]],
            known=await _known(desk, typed["find"]),
            reason_chars=(REASON_CHARS_MIN, REASON_CHARS_MAX), subjects_max=SUBJECTS_SHOWN_MAX,
            categories=list(StopReason), places=await names_of(services, [], [*subjects, chosen]),
        )  # fmt: skip

    @pages.get(ROOT + "/switches")
    async def switches(request: Request) -> Response:
        person = await operator(parts, request)
        asked = {name: request.query_params.get(name, "") for name in _ASKED}
        typed = {name: text.strip()[:FILTER_CHARS_MAX] for name, text in asked.items()}
        return await shown(request, person, None, typed)

    @pages.post(ROOT + "/switches/check")
    async def check(request: Request) -> Response:
        person, form = await operator_posted(parts, request)
        typed = dict.fromkeys(_ASKED, "") | form
        try:
            subject = await _checked(desk, form)
        except CallerError as refusal:
            return await shown(request, person, refusal, typed | {"find": _subject(form)})
        return face.page(
            request, "switch_check", person, tab="switches", here=f"{ROOT}/switches",
            typed=typed | {"subject": subject, "do": "stop"},
            places=await names_of(services, [], [(typed["kind"], subject)]),
        )  # fmt: skip

    @pages.post(ROOT + "/switches")
    async def turn(request: Request) -> Response:
        person, form = await operator_posted(parts, request)
        try:
            await _turn(desk, person, form)
        except CallerError as refusal:
            return await shown(request, person, refusal, dict.fromkeys(_ASKED, "") | form)
        return face.done(request, "/switches", "stopped" if form["do"] == "stop" else "started")


def _fields(typed: Form, stopped: list[Row]) -> Fields:
    """Which of the page's fields a refusal may be about: those of the form that was sent."""
    if typed.get("do") != "start":
        return SWITCH
    sent = (typed["kind"], typed["subject"])
    return START if sent in [(row["kind"], row["subject"]) for row in stopped] else {}


async def _known(desk: SwitchDesk, find: str) -> dict[str, list[Row]]:
    """What may be chosen, by kind; of the few channels all, whatever was looked for."""
    return {
        kind.value: await desk.subjects(kind, "" if kind is SwitchKind.CHANNEL else find)
        for kind in SwitchKind
    }


async def _checked(desk: SwitchDesk, form: Form) -> str:
    """The subject's id of a stop that would be carried out; refused as the stop itself is."""
    kind = _kind(form)
    _category(form)
    check_reason(_reason(form))
    return await desk.subject(kind, _subject(form))


async def _turn(desk: SwitchDesk, person: Person, form: Form) -> None:
    command = form.get("do", "")
    if command not in {"stop", "start"}:
        raise CallerError("field_invalid", "do")
    await desk.turn(
        _kind(form),
        _subject(form),
        is_stopped=command == "stop",
        reason=_reason(form),
        category=_category(form),
        actor=person.actor,
        origin=person.origin,
    )


def _kind(form: Form) -> SwitchKind:
    try:
        return SwitchKind(form.get("kind", ""))
    except ValueError:
        raise CallerError("field_invalid", "kind") from None


def _category(form: Form) -> StopReason:
    try:
        return StopReason(form.get("category", StopReason.OTHER.value))
    except ValueError:
        raise CallerError("field_invalid", "category") from None


def _subject(form: Form) -> str:
    return form.get("subject", "").strip()[:FILTER_CHARS_MAX]


def _reason(form: Form) -> str:
    return form.get("reason", "")[: REASON_CHARS_MAX + 1]


def _audit(pages: APIRouter, parts: ConsoleParts, services: Services) -> None:
    face, repository = parts.face, AuditRepository(services.reader)

    async def read(wanted: ActFilter, before: int | None, limit: int) -> list[Row]:
        rows: list[Row] = await services.run_read(
            lambda: repository.acts(wanted, before=before, limit=limit)
        )
        return rows

    @pages.get(ROOT + "/audit")
    async def audit(request: Request) -> Response:
        person = await _owner(parts, request)
        typed, before = TypedActs.of(request), _number(request.query_params.get("before", ""))
        wrong = typed.wrong()
        rows = [] if wrong else await read(typed.wanted(person.scope), before, ROWS_PER_PAGE + 1)
        more = ""
        if len(rows) > ROWS_PER_PAGE:
            rows = rows[:ROWS_PER_PAGE]
            more = typed.query(before=rows[-1]["number"])
        broken = await services.run_read(repository.first_broken) if person.is_operator else None
        return face.page(
            request, "audit", person, tab="audit", typed=typed, more=more, is_first=before is None,
            kinds=list(ActKind), broken=broken, wrong=wrong,
            rows=rows, subject_of=subject_of, changes=changes, few_changes=FEW_CHANGES,
            places=await names_of(services, [], (_pair(row["subject"]) for row in rows)),
        )  # fmt: skip

    @pages.get(ROOT + "/audit.csv")
    async def export(request: Request) -> Response:
        person = await _owner(parts, request)
        wanted = TypedActs.of(request).wanted(person.scope)
        chunks = acts_csv(lambda before, limit: read(wanted, before, limit))
        return face.csv(request, "audit", chunks)


def _pair(subject: str) -> tuple[str, str]:
    kind, _, key = subject.partition(" ")
    return kind, key


async def _owner(parts: ConsoleParts, request: Request) -> Person:
    """An operator, or the owner of a merchant, who sees what its people have done."""
    person = await parts.person(request)
    if not (person.is_operator or person.is_owner):
        raise CallerError("rank_insufficient")
    return person


def _number(text: str) -> int | None:
    if not text:
        return None
    if not (text.isdecimal() and text.isascii() and len(text) <= _NUMBER_DIGITS_MAX):
        raise CallerError("field_invalid", "before")
    return int(text)
