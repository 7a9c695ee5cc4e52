"""The pages of offline vouchers: setting money aside, what was used, and when the rest comes back.

Rule: a payment without a line is signed by the key on the payer's phone, which has fetched the
voucher before. A page has no such key: it sets aside and shows. Nobody ends a voucher early: a till
may hold a payment of it that has not come in yet.
"""

from fastapi import APIRouter, Request, Response

from backend.forms import Form
from backend.offline.desk import OfflineDesk
from backend.offline.routes import WantedVoucher
from backend.wallet_page.moving import amount_in
from backend.wallet_page.parts import PageParts, checked, word_in
from backend.wallet_page.session import ROOT, Session
from protocol import ids
from protocol.errors import CallerError

_PLACE, _ME = f"{ROOT}/offline", f"{ROOT}/me"


def add_pages(pages: APIRouter, parts: PageParts) -> None:
    """Add them to the router."""
    face, vouchers = parts.face, OfflineDesk(parts.services)

    async def listed(
        request: Request, session: Session, form: Form, refusal: CallerError | None = None
    ) -> Response:
        return face.page(
            request, "offline", session, back=_ME, refusal=refusal,
            form={"amount": ""} | form | {"voucher_id": parts.mint(ids.OFFLINE_VOUCHER)},
            vouchers=await vouchers.vouchers(session.payer_id),
            most_minor=await vouchers.most_minor(session.payer_id),
            finger=await parts.finger(request, session),
        )  # fmt: skip

    @pages.get(_PLACE)
    async def of_payer(request: Request) -> Response:
        return await listed(request, await parts.session(request), {})

    @pages.post(_PLACE)
    async def give(request: Request) -> Response:
        session, form = await parts.posted(request)
        try:
            fields = {"voucher_id": form.get("voucher_id", ""), "amount_minor": amount_in(form)}
            wanted = checked(WantedVoucher, fields | word_in(form))
            await parts.desk.check_word(session.payer_id, wanted)
            await vouchers.give(session.payer_id, **wanted.terms())
        except CallerError as error:
            if error.code != "passkey_challenge" or not await is_given(session, form):
                return await listed(request, session, form, error)
        return face.sent(request, f"/offline/{form['voucher_id']}")

    async def is_given(session: Session, form: Form) -> bool:
        """Whether the same form was carried out before: its finger's answer is good once."""
        known = await vouchers.vouchers(session.payer_id)
        return any(one["voucher_id"] == form["voucher_id"] for one in known)

    @pages.get(_PLACE + "/{voucher_id}")
    async def one(request: Request, voucher_id: str) -> Response:
        session = await parts.session(request)
        found = await vouchers.voucher(session.payer_id, voucher_id)
        return face.page(request, "voucher", session, back=_PLACE, voucher=found)
