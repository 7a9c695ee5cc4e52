"""The page of a tester's switches. It is there only where the configuration lets payers make their
own payments fail; while one is on, every page says so.
"""

from fastapi import APIRouter, Request, Response

from backend.wallet.switches import Switch
from backend.wallet_page.parts import PageParts
from backend.wallet_page.session import ROOT
from backend.wallet_page.words import SWITCHES

_PLACE = f"{ROOT}/switches"


def add_pages(pages: APIRouter, parts: PageParts) -> None:
    """Add it to the router."""
    face, switches = parts.face, parts.desk.switches

    @pages.get(_PLACE)
    async def shown(request: Request) -> Response:
        session = await parts.session(request)
        rows = [(switch, SWITCHES[switch], switch in session.switches) for switch in Switch]
        return face.page(request, "switches", session, back=f"{ROOT}/me", rows=rows)

    @pages.post(_PLACE + "/{switch}")
    async def turn(request: Request, switch: Switch) -> Response:
        session, form = await parts.posted(request)
        await switches.turn(session.payer_id, switch, is_on=form.get("is_on") == "yes")
        return face.sent(request, "/switches")
