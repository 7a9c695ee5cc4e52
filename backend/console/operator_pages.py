"""The pages that operators have: how everything stands, devices, dead letters, breaks.

Rule: each begins by asking whether an operator is signed in; to a merchant they do not exist.
"""

from fastapi import APIRouter, Request, Response

from backend.console.limits import FILTER_CHARS_MAX
from backend.console.model import Person
from backend.console.operations_desk import OperationsDesk
from backend.console.parts import ConsoleParts
from backend.console.session import ROOT, Form
from protocol.errors import CallerError


def add_pages(pages: APIRouter, parts: ConsoleParts, desk: OperationsDesk) -> None:
    """``/console/overview``, ``devices``, ``letters`` and ``breaks``."""
    _looking(pages, parts, desk)
    _letters(pages, parts, desk)
    _breaks(pages, parts, desk)


def _looking(pages: APIRouter, parts: ConsoleParts, desk: OperationsDesk) -> None:
    face = parts.face

    @pages.get(ROOT + "/overview")
    async def overview(request: Request) -> Response:
        person = await operator(parts, request)
        found = await desk.overview()
        return face.page(request, "overview", person, tab="overview", found=found)

    @pages.get(ROOT + "/devices")
    async def devices(request: Request) -> Response:
        person = await operator(parts, request)
        rows = await desk.devices()
        return face.page(request, "devices", person, tab="devices", rows=rows)


def _letters(pages: APIRouter, parts: ConsoleParts, desk: OperationsDesk) -> None:
    face = parts.face

    @pages.get(ROOT + "/letters")
    async def letters(request: Request) -> Response:
        person = await operator(parts, request)
        found = await desk.letters(request.query_params.get("after", "")[:FILTER_CHARS_MAX])
        return face.page(request, "letters", person, tab="letters", found=found)

    @pages.post(ROOT + "/letters/{callback_id}/replay")
    async def replay(request: Request, callback_id: str) -> Response:
        person, _ = await operator_posted(parts, request)
        await desk.replay(person, callback_id)
        return face.sent(request, "/letters")


def _breaks(pages: APIRouter, parts: ConsoleParts, desk: OperationsDesk) -> None:
    face = parts.face

    @pages.get(ROOT + "/breaks")
    async def breaks(request: Request) -> Response:
        person = await operator(parts, request)
        return face.page(request, "breaks", person, tab="breaks", rows=await desk.breaks())

    @pages.post(ROOT + "/breaks/{break_id}/resolve")
    async def resolve(request: Request, break_id: str) -> Response:
        person, form = await operator_posted(parts, request)
        await desk.resolve(person, break_id, form.get("words", ""))
        return face.sent(request, "/breaks")


async def operator(parts: ConsoleParts, request: Request) -> Person:
    """An operator who is signed in; to a merchant the page does not exist."""
    return _checked(await parts.person(request))


async def operator_posted(parts: ConsoleParts, request: Request) -> tuple[Person, Form]:
    """The same, with the form that a page of this session has sent."""
    person, form = await parts.posted(request)
    return _checked(person), form


def _checked(person: Person) -> Person:
    if not person.is_operator:
        raise CallerError("route_unknown")
    return person
