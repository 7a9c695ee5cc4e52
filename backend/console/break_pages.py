"""The pages of the reconciliation's breaks. Operators have the queue, each break's story, and what
is done about it; a merchant's people look at those about its own payments."""

from fastapi import APIRouter, Request, Response

from backend.console.beside import BREAK
from backend.console.model import Person
from backend.console.operations_desk import OperationsDesk
from backend.console.operator_pages import operator, operator_posted
from backend.console.parts import ConsoleParts
from backend.console.places import names_of
from backend.console.session import OF_MERCHANT, ROOT
from backend.db.tables import Row
from backend.forms import Form
from backend.listing.filters import date_of
from backend.reconciliation.breaks import OPEN_STATES, RETURNED_WHEN_AGED, BreakEvent, BreakStep
from backend.reconciliation.limits import RETURN_REFUSALS_MAX
from backend.reconciliation.routes import REASON_PATTERN
from protocol.errors import CallerError
from protocol.topics import is_name


def add_pages(pages: APIRouter, parts: ConsoleParts, desk: OperationsDesk) -> None:
    """``/console/breaks``, and for operators ``/{break_id}``, to which ``/resolve`` and ``/return``
    are sent."""
    _queue(pages, parts, desk)
    _one(pages, parts, desk)


def _queue(pages: APIRouter, parts: ConsoleParts, desk: OperationsDesk) -> None:
    face = parts.face

    @pages.get(OF_MERCHANT + "/breaks")
    async def own_breaks(request: Request) -> Response:
        person = await parts.merchant(request)
        after = _behind(request.query_params.get("after", ""))
        rows, has_more = await desk.breaks_of(person.merchant_id, after=after)
        return face.page(
            request, "own_breaks", person, tab="breaks", rows=rows, is_first=after is None,
            more="{business_date}~{break_id}".format(**rows[-1]) if has_more else "",
        )  # fmt: skip

    @pages.get(ROOT + "/breaks")
    async def breaks(request: Request) -> Response:
        person = await parts.person(request)
        if not person.is_operator:
            return await own_breaks(request)
        is_newest_first = request.query_params.get("sort") == "newest"
        after = _behind(request.query_params.get("after", ""))
        rows, has_more = await desk.breaks(after=after, is_newest_first=is_newest_first)
        last = rows[-1] if has_more else None
        return face.page(
            request, "breaks", person, tab="breaks", rows=rows, is_first=after is None,
            is_newest_first=is_newest_first, open_days=await desk.open_days(), typed={}, sent="",
            places=await names_of(parts.payments.services, rows), reason_pattern=REASON_PATTERN,
            more="{business_date}~{break_id}".format(**last) if last else "",
        )  # fmt: skip


def _one(pages: APIRouter, parts: ConsoleParts, desk: OperationsDesk) -> None:
    face = parts.face

    async def shown(
        request: Request,
        person: Person,
        break_id: str,
        refusal: CallerError | None = None,
        typed: Form | None = None,
        sent: str = "",
    ) -> Response:
        row = await desk.one_break(break_id)
        return face.page(
            request, "break", person, tab="breaks", here=f"{ROOT}/breaks/{break_id}", row=row,
            refusal=refusal, typed=typed or {}, sent=sent, fields=BREAK,
            is_open=row["state"] in OPEN_STATES, cannot=_cannot_go_back(row),
            places=await names_of(parts.payments.services, [row]), reason_pattern=REASON_PATTERN,
            by_itself=all(one["event"] != BreakEvent.ASKED_BACK for one in row["timeline"]),
        )  # fmt: skip

    @pages.get(ROOT + "/breaks/{break_id}")
    async def one_break(request: Request, break_id: str) -> Response:
        return await shown(request, await operator(parts, request), break_id)

    @pages.post(ROOT + "/breaks/{break_id}/resolve")
    async def resolve(request: Request, break_id: str) -> Response:
        person, form = await operator_posted(parts, request)
        try:
            await desk.resolve(
                person,
                break_id,
                words=form.get("words", ""),
                owner=form.get("owner", ""),
                owner_id=form.get("owner_id", "").strip(),
            )
        except CallerError as refusal:
            return await shown(request, person, break_id, refusal, form, "resolve")
        return face.done(request, "/breaks", "break")

    @pages.post(ROOT + "/breaks/{break_id}/return")
    async def ask_back(request: Request, break_id: str) -> Response:
        person, form = await operator_posted(parts, request)
        try:
            await desk.ask_back(person, break_id, words=form.get("words", ""))
        except CallerError as refusal:
            return await shown(request, person, break_id, refusal, form, "return")
        return face.done(request, "/breaks", "asked_back")


def _cannot_go_back(row: Row) -> str:
    """The word of why long money is a person's to assign, though its kind goes back by itself."""
    if row["proposed"] is not BreakStep.ASSIGN or row["kind"] not in RETURNED_WHEN_AGED:
        return ""
    if row["refusals"] >= RETURN_REFUSALS_MAX:
        return "refused_often"
    return "channel_gives_no_back" if row["channel_reference"] else "no_number"


def _behind(text: str) -> tuple[str, str] | None:
    """The date and the name of the last break that was seen."""
    day, _, break_id = text.partition("~")
    if not text:
        return None
    if not is_name(break_id):
        raise CallerError("field_invalid", "after")
    return date_of(day, "after").isoformat(), break_id
