"""HTTP of the opening links: minting, for who has shown the secret; and the page of one.

Rule: a link's code stands behind the ``#`` of its address, which browsers send to nobody; the
      page's script takes it out of the address and sends it in a form's body. It stands in no log,
      no history, no cache.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from backend.guard import Guard
from backend.openings.limits import CODE_CHARS_MAX
from backend.openings.model import ConsoleOpening, Link, Openings, WalletOpening
from backend.openings.place import check_is_here, check_own_form
from backend.payments.services import Services
from backend.wallet.desk import WalletDesk
from backend.wallet.routes import bearer_token
from backend.wanted import Wanted
from protocol.errors import CallerError, TillwayError
from protocol.limits import IDENTIFIER_CHARS_MAX

CREATED = 201


class WantedOpening(Wanted):
    """``POST /operator/v1/openings``: the console, of the operators or of a merchant."""

    merchant_id: Annotated[str, Field(max_length=IDENTIFIER_CHARS_MAX)] = ""


class Face(Protocol):
    """How a face shows a page."""

    def page(
        self,
        request: Request,
        name: str,
        person: None,
        /,
        *,
        refusal: TillwayError | None = None,
    ) -> Response:
        """A page, with a refusal's sentence above it where there is one."""
        ...


def operator_router(openings: Openings, operator_only: Guard) -> APIRouter:
    """``/operator/v1/openings``."""
    routes = APIRouter(
        prefix="/operator/v1/openings", tags=["operator"], dependencies=[Depends(operator_only)]
    )

    @routes.post("", status_code=CREATED)
    async def mint(request: Request, wanted: WantedOpening) -> dict[str, Any]:
        check_is_here(request)
        return _told(openings.mint(ConsoleOpening(wanted.merchant_id)))

    return routes


def wallet_router(openings: Openings, services: Services) -> APIRouter:
    """``/wallet/v1/openings``: a payer's own wallet, by the token that it has already."""
    desk = WalletDesk(services)
    routes = APIRouter(prefix="/wallet/v1/openings", tags=["wallet"])

    @routes.post("", status_code=CREATED)
    async def mint(request: Request) -> dict[str, Any]:
        check_is_here(request)
        token = bearer_token(request)
        await desk.authenticate(token)
        return _told(openings.mint(WalletOpening(token)))

    return routes


def add_page(
    pages: APIRouter,
    root: str,
    face: Face,
    read_form: Callable[[Request], Awaitable[dict[str, str]]],
    opened: Callable[[Request, str], Awaitable[Response]],
) -> None:
    """``ROOT/open``: the page that a link leads to, and the form that it sends, whose code
    ``opened`` takes."""

    @pages.get(root + "/open")
    async def shown(request: Request) -> Response:
        check_is_here(request)
        return face.page(request, "open", None)

    @pages.post(root + "/open")
    async def opens(request: Request) -> Response:
        check_own_form(request)
        code = (await read_form(request)).get("code", "").strip()[:CODE_CHARS_MAX]
        try:
            return await opened(request, code)
        except CallerError as refusal:
            return face.page(request, "open", None, refusal=refusal)


def _told(link: Link) -> dict[str, Any]:
    return {"code": link.code, "expires_at_ms": link.expires_at_ms}
