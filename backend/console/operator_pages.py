"""The pages that operators have: how everything stands, devices, dead letters.

Rule: each begins by asking whether an operator is signed in; to a merchant they do not exist.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from backend.console.limits import ROWS_PER_PAGE
from backend.console.merchant_words import CALLBACK_EVENTS
from backend.console.model import Person
from backend.console.operations_desk import OperationsDesk
from backend.console.parts import ConsoleParts
from backend.console.places import names_of
from backend.console.session import ROOT
from backend.db.tables import Row
from backend.forms import Form
from backend.listing.filters import TypedDeadLetters
from backend.listing.limits import FILTER_CHARS_MAX
from backend.notify.dead_letters import Page
from protocol.errors import CallerError

_PAGE_DIGITS_MAX = 6
_DEVICE_ORDER: dict[str, Callable[[Row], Any]] = {
    "store": lambda row: (row["store"], row["tid"]),
    "spool": lambda row: (-(row["spool_depth"] or 0), row["store"], row["tid"]),
    "seen": lambda row: (-(row["reported_at_ms"] or 0), row["store"], row["tid"]),
    "offline": lambda row: (row["is_online"] is None, row["is_online"] or 0, row["tid"]),
}
"""What devices are sorted by: their place, what they hold back, when last heard of, who is away."""


def add_pages(pages: APIRouter, parts: ConsoleParts, desk: OperationsDesk) -> None:
    """``/console/overview``, ``devices``, ``merchants`` and ``letters``."""
    _looking(pages, parts, desk)
    _merchants(pages, parts, desk)
    _letters(pages, parts, desk)


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
        sort, at = request.query_params.get("sort", "store"), request.query_params.get("page", "1")
        is_number = at.isdecimal() and at.isascii() and len(at) <= _PAGE_DIGITS_MAX
        if sort not in _DEVICE_ORDER or not is_number:
            raise CallerError("field_invalid", "sort or page")
        find = request.query_params.get("find", "").strip()[:FILTER_CHARS_MAX]
        every = await desk.devices()
        places = await names_of(parts.payments.services, every)
        rows = sorted(
            (row for row in every if _is_called(row, find, places)), key=_DEVICE_ORDER[sort]
        )
        number, pages_of = max(int(at), 1), max(-(-len(rows) // ROWS_PER_PAGE), 1)
        start = (min(number, pages_of) - 1) * ROWS_PER_PAGE
        shown = rows[start : start + ROWS_PER_PAGE]
        return face.page(
            request, "devices", person, tab="devices", rows=shown, sort=sort,
            sorts=list(_DEVICE_ORDER), number=min(number, pages_of), pages=pages_of,
            count=len(rows), places=places, find=find, is_any=bool(every),
            kept=urlencode({"find": find} if find else {}),
        )  # fmt: skip


def _is_called(row: Row, text: str, places: dict[str, str]) -> bool:
    """Whether a device, its store or its merchant has a text in its id or name."""
    ids = [row[name] or "" for name in ("tid", "store", "merchant_id")]
    names = [*ids, *(places.get(one, "") for one in ids)]
    return any(text.casefold() in one.casefold() for one in names)


def _merchants(pages: APIRouter, parts: ConsoleParts, desk: OperationsDesk) -> None:
    @pages.get(ROOT + "/merchants")
    async def merchants(request: Request) -> Response:
        person = await operator(parts, request)
        find = request.query_params.get("find", "").strip()[:FILTER_CHARS_MAX]
        rows, has_more = await desk.merchants(find)
        return parts.face.page(
            request, "merchants", person, tab="merchants", rows=rows, has_more=has_more, find=find
        )


def _letters(pages: APIRouter, parts: ConsoleParts, desk: OperationsDesk) -> None:
    face = parts.face

    @pages.get(ROOT + "/letters")
    async def letters(request: Request) -> Response:
        person = await operator(parts, request)
        after = request.query_params.get("after", "")[:FILTER_CHARS_MAX]
        asked = await parts.naming.asked(TypedDeadLetters.of(request), person.scope)
        typed, wrong = asked.typed, asked.typed.wrong()
        found = Page([], "")
        if not (asked.choices or wrong):
            found = await desk.letters(typed.wanted(), after)
        return face.page(
            request, "letters", person, tab="letters", found=found, typed=typed, asked=asked,
            wrong=wrong, more=typed.query(after=found.after) if found.after else "",
            is_first=not after, events=CALLBACK_EVENTS,
            known=await parts.naming.known(typed, person.scope),
            places=await names_of(parts.payments.services, found.rows),
        )  # fmt: skip

    @pages.post(ROOT + "/letters/{callback_id}/replay")
    async def replay(request: Request, callback_id: str) -> Response:
        person, _ = await operator_posted(parts, request)
        await desk.replay(person, callback_id)
        return face.done(request, "/letters", "replayed")


async def operator(parts: ConsoleParts, request: Request) -> Person:
    """An operator who is signed in; to a merchant the page does not exist."""
    return _checked(await parts.person(request))


async def operator_posted(parts: ConsoleParts, request: Request) -> tuple[Person, Form]:
    """The operator's person and the form that a page of this session has sent."""
    person, form = await parts.posted(request)
    return _checked(person), form


def _checked(person: Person) -> Person:
    if not person.is_operator:
        raise CallerError("route_unknown")
    return person
