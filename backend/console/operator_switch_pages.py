"""The operators' pages of kill switches and of the audit log, which owners of merchants have, too,
for their own."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from backend.audit.export import acts_csv
from backend.audit.model import ActKind
from backend.audit.repository import ActFilter, AuditRepository
from backend.console.filters import date_of
from backend.console.limits import FILTER_CHARS_MAX, ROWS_PER_PAGE
from backend.console.model import Person
from backend.console.operator_pages import operator, operator_posted
from backend.console.parts import ConsoleParts
from backend.console.payments_desk import day_bounds
from backend.console.session import ROOT, Form
from backend.db.tables import Row
from backend.payments.services import Services
from backend.switches.desk import SwitchDesk
from backend.switches.limits import REASON_CHARS_MAX
from backend.switches.model import SwitchKind
from protocol.errors import CallerError
from protocol.messages.base import check_characters

_NUMBER_DIGITS_MAX = 15
_INWARD = frozenset({"epoch", "setup_until_ms"})
"""What counts for machines; the file has it."""


@dataclass(frozen=True, slots=True)
class TypedActs:
    """The filter's fields as texts, as the form shows them again."""

    kind: str
    actor: str
    subject: str
    since: str
    until: str

    @classmethod
    def of(cls, request: Request) -> "TypedActs":
        """What the address carries; ``field_invalid`` for what is too long or unfit to look up."""
        texts = [request.query_params.get(name, "").strip() for name in cls.__slots__]
        try:
            for text in texts:
                check_characters(text)
        except ValueError:
            raise CallerError("field_invalid", "filter") from None
        if any(len(text) > FILTER_CHARS_MAX for text in texts):
            raise CallerError("field_invalid", "filter")
        return cls(*texts)

    def wanted(self, merchant_id: str | None) -> ActFilter:
        """The question to the database; ``field_invalid`` names what cannot be read."""
        if self.kind and self.kind not in list(ActKind):
            raise CallerError("field_invalid", "kind")
        since = date_of(self.since, "since") if self.since else None
        until = date_of(self.until, "until") if self.until else None
        return ActFilter(
            merchant_id=merchant_id,
            kind=self.kind,
            actor=self.actor,
            subject=self.subject,
            from_ms=day_bounds(since)[0] if since else None,
            until_ms=day_bounds(until)[1] if until else None,
        )

    def query(self, **more: Any) -> str:  # noqa: ANN401  # texts and numbers of an address
        """The same filter as an address's query, with what comes beside it."""
        own = {name: getattr(self, name) for name in self.__slots__}
        return urlencode({name: value for name, value in (own | more).items() if value != ""})


def add_pages(pages: APIRouter, parts: ConsoleParts, services: Services) -> None:
    """``/console/switches`` and ``audit``."""
    _switches(pages, parts, SwitchDesk(services))
    _audit(pages, parts, services)


def _switches(pages: APIRouter, parts: ConsoleParts, desk: SwitchDesk) -> None:
    face = parts.face

    async def shown(
        request: Request, person: Person, refusal: CallerError | None, typed: Form
    ) -> Response:
        rows = await desk.all()
        return face.page(
            request, "switches", person, tab="switches", here=f"{ROOT}/switches", refusal=refusal,
            stopped=[row for row in rows if row["is_stopped"]], channels=desk.channels,
            past=[row for row in rows if not row["is_stopped"]], typed=typed,
        )  # fmt: skip

    @pages.get(ROOT + "/switches")
    async def switches(request: Request) -> Response:
        person = await operator(parts, request)
        asked = {name: request.query_params.get(name, "") for name in ("kind", "subject")}
        typed = {name: text[:FILTER_CHARS_MAX] for name, text in asked.items()}
        return await shown(request, person, None, typed)

    @pages.post(ROOT + "/switches")
    async def turn(request: Request) -> Response:
        person, form = await operator_posted(parts, request)
        try:
            await _turn(desk, person, form)
        except CallerError as refusal:
            return await shown(request, person, refusal, {"kind": "", "subject": ""} | form)
        return face.sent(request, "/switches")


async def _turn(desk: SwitchDesk, person: Person, form: Form) -> None:
    command, kind = form.get("do", ""), form.get("kind", "")
    if command not in {"stop", "start"} or kind not in list(SwitchKind):
        raise CallerError("field_invalid", "kind")
    await desk.turn(
        SwitchKind(kind),
        form.get("subject", "").strip()[:FILTER_CHARS_MAX],
        is_stopped=command == "stop",
        reason=form.get("reason", "")[: REASON_CHARS_MAX + 1],
        actor=person.actor,
        origin=person.origin,
    )


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
        rows = await read(typed.wanted(person.scope), before, ROWS_PER_PAGE + 1)
        more = ""
        if len(rows) > ROWS_PER_PAGE:
            rows = rows[:ROWS_PER_PAGE]
            more = typed.query(before=rows[-1]["number"])
        broken = await services.run_read(repository.first_broken) if person.is_operator else None
        return face.page(
            request, "audit", person, tab="audit", typed=typed, more=more, is_first=before is None,
            kinds=list(ActKind), broken=broken,
            rows=[{**row, "changes": changes(row)} for row in rows],
        )  # fmt: skip

    @pages.get(ROOT + "/audit.csv")
    async def export(request: Request) -> Response:
        person = await _owner(parts, request)
        wanted = TypedActs.of(request).wanted(person.scope)
        answer = StreamingResponse(
            acts_csv(lambda before, limit: read(wanted, before, limit)),
            media_type="text/csv; charset=utf-8",
            headers={"content-disposition": 'attachment; filename="audit.csv"'},
        )
        return face.sealed(request, answer)


async def _owner(parts: ConsoleParts, request: Request) -> Person:
    """An operator, or the owner of a merchant, who sees what its people have done."""
    person = await parts.person(request)
    if not (person.is_operator or person.is_owner):
        raise CallerError("rank_insufficient")
    return person


def changes(act: Row) -> list[tuple[str, Any, Any]]:
    """What people read of a change, by name: before (None where nothing was there) and after."""
    before = _values(act["before"])
    after = _values(act["after"])
    return [
        (name, before.get(name), value)
        for name, value in after.items()
        if before.get(name) != value and value != "" and name not in _INWARD
    ]


def _values(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text) if text else {}
    except ValueError:  # cut, because it was long
        return {"…": text}
    return dict(found)


def _number(text: str) -> int | None:
    if not text:
        return None
    if not (text.isdecimal() and text.isascii() and len(text) <= _NUMBER_DIGITS_MAX):
        raise CallerError("field_invalid", "before")
    return int(text)
