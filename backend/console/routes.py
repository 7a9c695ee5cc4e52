"""HTTP of the console's pages. Each form's answer is another page's address, so that loading again
repeats nothing; what is refused stays on a page, with the catalogue's sentence.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from backend.console import (
    break_pages,
    case_pages,
    merchant_callback_pages,
    merchant_key_pages,
    merchant_list_pages,
    merchant_money_pages,
    merchant_pages,
    operator_flows,
    operator_pages,
    operator_switch_pages,
    risk_pages,
    staff_pages,
)
from backend.console.beside import lacking
from backend.console.cases_desk import CasesDesk
from backend.console.desk import PeopleDesk
from backend.console.face import Face
from backend.console.limits import PASSWORD_CHARS_MAX
from backend.console.merchant_desks import MerchantDesks
from backend.console.merchant_keys_desk import KeysDesk
from backend.console.merchant_money_desk import MoneyDesk
from backend.console.model import Person
from backend.console.operations_desk import OperationsDesk
from backend.console.parts import ConsoleParts
from backend.console.payments_desk import PaymentsDesk
from backend.console.risk_desk import RiskStandingDesk
from backend.console.session import COOKIE, ROOT, read_form
from backend.console.staff_desk import StaffDesk
from backend.http_errors import LostPage, LostPages
from backend.listing.limits import FILTER_CHARS_MAX
from backend.listing.naming import Naming
from backend.openings.model import ConsoleOpening, Openings
from backend.openings.routes import add_page as add_opening_page
from backend.operator.auth import origin_of
from backend.payments.services import Services
from backend.rate_limit import RateLimit
from protocol.errors import CallerError, TillwayError


def router(
    services: Services,
    people: PeopleDesk,
    operations: OperationsDesk,
    tries: RateLimit,
    merchants: MerchantDesks,
    openings: Openings | None = None,
    lost: LostPages | None = None,
) -> APIRouter:
    """``/console`` and below. ``tries`` bounds how often an address asks to come in; ``openings``:
    the links of a development stack; ``lost`` learns what is shown where there is no page."""
    face = Face(services.clock)
    pages = APIRouter(route_class=_route_of(face, people), include_in_schema=False)
    face.assets.mount(pages)

    cases = CasesDesk(services, merchants.explainer)
    parts = ConsoleParts(
        people=people,
        payments=PaymentsDesk(services, merchants.explainer, merchants.papers, cases),
        naming=Naming(services),
        face=face,
    )
    _door(pages, parts, tries)
    money = MoneyDesk(services, merchants)
    merchant_pages.add_pages(pages, parts, money)
    merchant_money_pages.add_pages(pages, parts, money)
    merchant_callback_pages.add_pages(pages, parts, merchants.callbacks)
    merchant_list_pages.add_pages(pages, parts)
    keys = KeysDesk(services, people, merchants.accounts, merchants.ring)
    merchant_key_pages.add_pages(pages, parts, keys)
    operator_pages.add_pages(pages, parts, operations)
    break_pages.add_pages(pages, parts, operations)
    operator_switch_pages.add_pages(pages, parts, services)
    operator_flows.add_pages(pages, parts, services, operations)
    case_pages.add_pages(pages, parts, cases)
    risk_pages.add_pages(pages, parts, RiskStandingDesk(services))
    staff = StaffDesk(services, people)
    staff_pages.add_pages(pages, parts, staff, tries)
    if openings is not None:
        _opening(pages, parts, staff, openings)
    if lost is not None:
        lost.add(ROOT, _lost(face, people))
    return pages


def _door(pages: APIRouter, parts: ConsoleParts, tries: RateLimit) -> None:
    face, people = parts.face, parts.people

    @pages.get(ROOT)
    async def door(request: Request) -> Response:
        try:
            await parts.person(request)
        except CallerError:
            return face.page(request, "sign_in", None, typed="")
        return face.sent(request, "/today")

    @pages.post(ROOT + "/sign-in")
    async def sign_in(request: Request) -> Response:
        form = await read_form(request)
        tries.take(origin_of(request))
        if wrong := lacking(form, "name", "password", "code"):
            name = form.get("name", "")[:FILTER_CHARS_MAX]
            return face.page(request, "sign_in", None, wrong=wrong, typed=name, here=ROOT)
        token = await people.sign_in(
            name=form.get("name", "").strip()[:FILTER_CHARS_MAX],
            password=form.get("password", "")[:PASSWORD_CHARS_MAX],
            code=form.get("code", "").replace(" ", "")[:FILTER_CHARS_MAX],
            origin=origin_of(request),
            browser=request.headers.get("user-agent", ""),
        )
        answer = face.sent(request, "/today")
        face.admit(answer, token)
        return answer

    @pages.post(ROOT + "/sign-out")
    async def sign_out(request: Request) -> Response:
        person, _ = await parts.own_posted(request)
        await people.sign_out(person)
        answer = face.sent(request, "")
        face.dismiss(answer)
        return answer


def _opening(pages: APIRouter, parts: ConsoleParts, staff: StaffDesk, openings: Openings) -> None:
    """The first press sets the team's first owner up; after that a link leads to the sign-in."""
    face = parts.face

    async def opened(request: Request, code: str) -> Response:
        merchant_id = openings.take(code, ConsoleOpening).merchant_id
        first = await staff.invite_first(merchant_id, origin=origin_of(request))
        if first is None:
            return face.sent(request, "")
        return await staff_pages.factor_page(face, staff, request, first)

    add_opening_page(pages, ROOT, face, read_form, opened)


def _lost(face: Face, people: PeopleDesk) -> LostPage:
    async def page(request: Request, error: TillwayError) -> Response:
        return face.refused(request, error, await _maybe(people, request))

    return page


def _route_of(face: Face, people: PeopleDesk) -> type[APIRoute]:
    """Routes whose refusals are pages."""

    class PageRoute(APIRoute):
        """Answers a refusal as a page."""

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            """The route, guarded."""
            serve = super().get_route_handler()

            async def answered(request: Request) -> Response:
                try:
                    return await serve(request)
                except RequestValidationError as invalid:
                    is_lost = any(one["loc"][0] == "path" for one in invalid.errors())
                    error: TillwayError = CallerError(
                        "route_unknown" if is_lost else "field_invalid"
                    )
                except TillwayError as caught:
                    error = caught
                return face.refused(request, error, await _maybe(people, request))

            return answered

    return PageRoute


async def _maybe(people: PeopleDesk, request: Request) -> Person | None:
    try:
        return await people.person(request.cookies.get(COOKIE, ""))
    except TillwayError:
        return None
