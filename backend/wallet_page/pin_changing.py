"""The page of a new payment PIN: the present one, and the new one twice."""

from fastapi import APIRouter, Request, Response

from backend.wallet.schemas import PinChange
from backend.wallet_page.parts import PageParts, checked
from backend.wallet_page.session import ROOT, Session
from protocol.errors import CallerError

_PLACE, _ME = "/pin-change", f"{ROOT}/me"


def add_pages(pages: APIRouter, parts: PageParts) -> None:
    """Add it to the router."""
    face = parts.face

    async def form_page(
        request: Request, session: Session, refusal: CallerError | None = None
    ) -> Response:
        return face.page(
            request, "pin_change", session, back=_ME, refusal=refusal,
            is_done=request.query_params.get("done") == "yes",
            finger=await parts.finger(request, session),
        )  # fmt: skip

    @pages.get(ROOT + _PLACE)
    async def shown(request: Request) -> Response:
        return await form_page(request, await parts.session(request))

    @pages.post(ROOT + _PLACE)
    async def change(request: Request) -> Response:
        session, form = await parts.posted(request)
        try:
            if form.get("new_pin") != form.get("again"):
                raise CallerError("pin_unlike")
            fields = {name: form.get(name, "") for name in ("pin", "new_pin")}
            await parts.desk.change_pin(session.payer_id, checked(PinChange, fields))
        except CallerError as error:
            return await form_page(request, session, error)
        return face.sent(request, f"{_PLACE}?done=yes")
