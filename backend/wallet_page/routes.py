"""HTTP of the wallet's pages. Each form's answer is another page's address, so that loading again
repeats nothing; what is refused stays on its page, with the catalogue's sentence.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from backend.http_errors import LostPage, LostPages
from backend.instruments.binding import CardBinding
from backend.merchant_api.papay.desk import ContractDesk
from backend.merchant_api.payscore.desk import ServiceDesk
from backend.openings.model import Openings, WalletOpening
from backend.openings.routes import add_page as add_opening_page
from backend.passkeys.desk import PasskeyAskedError
from backend.payments.services import Services
from backend.topups.service import TopUps
from backend.wallet.desk import WalletDesk
from backend.wallet.limits import TOKEN_CHARS_MAX
from backend.wallet_page import (
    agreeing,
    agreements,
    bills,
    holdings,
    moving,
    offline,
    packets,
    passkeys,
    paying,
    pin_changing,
    switching,
)
from backend.wallet_page.face import Face
from backend.wallet_page.parts import PageParts
from backend.wallet_page.session import ROOT, Session, paying_at, read_form
from protocol.errors import CallerError, TillwayError


def router(
    services: Services,
    topups: TopUps | None = None,
    agreed: tuple[ContractDesk, ServiceDesk] | None = None,
    openings: Openings | None = None,
    binding: CardBinding | None = None,
    lost: LostPages | None = None,
) -> APIRouter:
    """``/wallet`` and below, but for the JSON interface. ``agreed``: what payers agree with
    merchants' programs; ``openings``: the links of a development stack; ``binding``: how
    cards are added; ``lost`` learns what is shown where there is no page."""
    face = Face(services.clock)
    parts = PageParts(
        services=services, desk=WalletDesk(services), face=face, topups=topups, binding=binding
    )
    pages = APIRouter(route_class=_route_of(parts), include_in_schema=False)
    face.assets.mount(pages)
    _door(pages, parts)
    if openings is not None:
        _opening(pages, parts, openings)
    paying.add_pages(pages, parts)
    holdings.add_pages(pages, parts)
    packets.add_pages(pages, parts)
    moving.add_pages(pages, parts)
    passkeys.add_pages(pages, parts)
    pin_changing.add_pages(pages, parts)
    agreeing.add_pages(pages, parts)
    if services.signing_key is not None:
        offline.add_pages(pages, parts)
    bills.add_pages(pages, parts)
    if agreed is not None:
        agreements.add_pages(pages, parts, *agreed)
    if parts.desk.switches.is_there:
        switching.add_pages(pages, parts)
    if lost is not None:
        lost.add(ROOT, _lost(parts))
    return pages


def _door(pages: APIRouter, parts: PageParts) -> None:
    face = parts.face

    @pages.get(ROOT)
    async def door(request: Request) -> Response:
        try:
            await parts.session(request)
        except CallerError:
            on = paying_at(ROOT + request.query_params.get("on", ""))
            return face.page(request, "sign_in", None, wrong=False, on=on)
        return face.sent(request, "/code")

    @pages.post(ROOT + "/sign-in")
    async def sign_in(request: Request) -> Response:
        form = await read_form(request)
        token = form.get("token", "").strip()[:TOKEN_CHARS_MAX]
        on = paying_at(ROOT + form.get("on", ""))
        try:
            await parts.desk.authenticate(token)
        except CallerError:
            return face.page(request, "sign_in", None, wrong=True, here=ROOT, on=on)
        answer = face.sent(request, on or "/code")
        face.admit(answer, token)
        return answer

    @pages.post(ROOT + "/sign-out")
    async def sign_out(request: Request) -> Response:
        await parts.posted(request)
        answer = face.sent(request, "")
        face.dismiss(answer)
        return answer


def _opening(pages: APIRouter, parts: PageParts, openings: Openings) -> None:
    face = parts.face

    async def opened(request: Request, code: str) -> Response:
        token = openings.take(code, WalletOpening).token
        await parts.desk.authenticate(token)  # another one may have been issued since
        answer = face.sent(request, "/code")
        face.admit(answer, token)
        return answer

    add_opening_page(pages, ROOT, face, read_form, opened)


def _lost(parts: PageParts) -> LostPage:
    async def page(request: Request, error: TillwayError) -> Response:
        return parts.face.refused(request, error, await _maybe(parts, request))

    return page


def _route_of(parts: PageParts) -> type[APIRoute]:
    """Routes whose refusals are pages."""

    class PageRoute(APIRoute):
        """Answers a refusal as a page."""

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            """The route, guarded."""
            serve = super().get_route_handler()

            async def answered(request: Request) -> Response:
                try:
                    return await serve(request)
                except PasskeyAskedError as asked:
                    return parts.face.sealed(request, JSONResponse({"passkey": asked.options}))
                except RequestValidationError:
                    error: TillwayError = CallerError("field_invalid")
                except TillwayError as caught:
                    error = caught
                return parts.face.refused(request, error, await _maybe(parts, request))

            return answered

    return PageRoute


async def _maybe(parts: PageParts, request: Request) -> Session | None:
    try:
        return await parts.session(request)
    except TillwayError:
        return None
