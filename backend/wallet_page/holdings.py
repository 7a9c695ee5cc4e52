"""The pages of what a payer has: the balance and the limits without a PIN."""

from fastapi import APIRouter, Request, Response

from backend.wallet_page.parts import PageParts
from backend.wallet_page.session import ROOT

_CURRENCY = "CNY"


def add_pages(pages: APIRouter, parts: PageParts) -> None:
    """Add them to the router."""
    _me(pages, parts)


def _me(pages: APIRouter, parts: PageParts) -> None:
    desk, face = parts.desk, parts.face

    @pages.get(ROOT + "/me")
    async def me(request: Request) -> Response:
        session = await parts.session(request)
        return face.page(
            request,
            "me",
            session,
            tab="me",
            payer=await desk.payer(session.payer_id),
            balance=await desk.balance(session.payer_id, _CURRENCY),
            pin_free=await desk.pin_free(session.payer_id, _CURRENCY),
        )
