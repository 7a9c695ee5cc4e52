"""The pages of red packets: sending one with the PIN, claiming a share, who took what."""

import re

from fastapi import APIRouter, Request, Response

from backend.forms import Form
from backend.pay_page.model import typed_minor
from backend.red_packets.desk import RedPacketDesk
from backend.red_packets.limits import SHARE_MINOR_MAX, SHARES_MAX, WISH_CHARS_MAX
from backend.red_packets.routes import WantedRedPacket
from backend.wallet_page.parts import PageParts, checked, word_in
from backend.wallet_page.session import ROOT, Session
from protocol import ids
from protocol.errors import CallerError

_LIST, _SEND = f"{ROOT}/red-packets", f"{ROOT}/red-packets/new"
_EMPTY = {"kind": "lucky", "total": "", "share_count": "1", "wish": ""}
_COUNT = re.compile(r"\d{1,3}", re.ASCII).fullmatch


def add_pages(pages: APIRouter, parts: PageParts) -> None:
    """Add them to the router."""
    desk = RedPacketDesk(parts.services)
    _sending(pages, parts, desk)
    _claiming(pages, parts, desk)


def _sending(pages: APIRouter, parts: PageParts, desk: RedPacketDesk) -> None:
    face = parts.face

    async def form_page(
        request: Request, session: Session, form: Form, refusal: CallerError | None
    ) -> Response:
        return face.page(
            request,
            "red_packet_new",
            session,
            back=_LIST,
            refusal=refusal,
            form=_EMPTY | form | {"red_packet_id": parts.mint(ids.RED_PACKET)},
            wish_max=WISH_CHARS_MAX,
            shares_max=SHARES_MAX,
            share_minor_max=SHARE_MINOR_MAX,
            finger=await parts.finger(request, session),
        )

    @pages.get(_SEND)
    async def new(request: Request) -> Response:
        return await form_page(request, await parts.session(request), {}, None)

    @pages.post(_SEND)
    async def send(request: Request) -> Response:
        session, form = await parts.posted(request)
        try:
            wanted = wanted_packet(form)
            await parts.desk.check_word(session.payer_id, wanted)
            await desk.send(session.payer_id, **wanted.terms())
        except CallerError as error:
            if error.code != "passkey_challenge" or not await is_sent(session, form):
                return await form_page(request, session, form, error)
        return face.sent(request, f"/red-packets/{form['red_packet_id']}")

    async def is_sent(session: Session, form: Form) -> bool:
        """Whether the same form was carried out before: its finger's answer is good once."""
        sent = (await desk.of_payer(session.payer_id))["sent"]
        return any(one["red_packet_id"] == form["red_packet_id"] for one in sent)


def _claiming(pages: APIRouter, parts: PageParts, desk: RedPacketDesk) -> None:
    face = parts.face

    @pages.get(_LIST)
    async def of_payer(request: Request) -> Response:
        session = await parts.session(request)
        found = await desk.of_payer(session.payer_id)
        return face.page(request, "red_packets", session, back=f"{ROOT}/me", **found)

    @pages.post(_LIST)
    async def claim(request: Request) -> Response:
        session, form = await parts.posted(request)
        red_packet_id = form.get("red_packet_id", "").strip()
        try:
            await desk.claim(session.payer_id, red_packet_id)
        except CallerError as error:
            found = await desk.of_payer(session.payer_id)
            return face.page(
                request, "red_packets", session, back=f"{ROOT}/me", refusal=error, **found
            )
        return face.sent(request, f"/red-packets/{red_packet_id}")

    @pages.get(_LIST + "/{red_packet_id}")
    async def packet(request: Request, red_packet_id: str) -> Response:
        session = await parts.session(request)
        found = await desk.packet(session.payer_id, red_packet_id)
        taken = (await desk.of_payer(session.payer_id))["claimed"]
        mine = [one for one in taken if one["red_packet_id"] == red_packet_id]
        return face.page(
            request, "red_packet", session, back=_LIST, packet=found, mine=mine[0] if mine else None
        )


def wanted_packet(form: Form) -> WantedRedPacket:
    """What a form asks to send, by the rules of the JSON interface."""
    total_minor = typed_minor(form.get("total", ""))
    if total_minor is None:
        raise CallerError("amount_invalid", "total")
    count = form.get("share_count", "")
    fields = {
        "red_packet_id": form.get("red_packet_id", ""),
        "kind": form.get("kind", ""),
        "total_minor": total_minor,
        "share_count": int(count) if _COUNT(count) else 0,
        "wish": form.get("wish", ""),
    }
    return checked(WantedRedPacket, fields | word_in(form))
