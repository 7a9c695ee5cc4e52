"""The pages by which a payer lets a thing debit by itself: which thing and how much, then the
merchant's name and the terms, which a finger signs.

Rule: what is signed is what the second page shows; the thing's merchant is named there.
"""

import re
from collections.abc import Mapping

from fastapi import APIRouter, Request, Response

from backend.forms import Form
from backend.mandates.desk import MandateDesk
from backend.mandates.schemas import Signature
from backend.pay_page.model import typed_minor
from backend.wallet_page.limits import AGREED_DAYS_MAX
from backend.wallet_page.parts import PageParts, checked, word_in
from backend.wallet_page.session import ROOT, Session
from protocol import ids
from protocol.clock import DAY_MS
from protocol.errors import CallerError
from protocol.messages.mandate import MandateText, check_terms

_PLACE, _MANDATES = f"{ROOT}/agree", f"{ROOT}/mandates"
_CURRENCY = "CNY"
_NUMBER = re.compile(r"\d{1,15}", re.ASCII).fullmatch
_EMPTY = {"merchant_id": "", "device": "", "payment": "", "day": "", "ask": "", "days": "90"}


def add_pages(pages: APIRouter, parts: PageParts) -> None:
    """Add them to the router."""
    face, mandates = parts.face, MandateDesk(parts.services)

    def form_page(
        request: Request, session: Session, form: Form, refusal: CallerError | None = None
    ) -> Response:
        return face.page(
            request, "agree", session, back=_MANDATES, refusal=refusal, form=form,
            days_max=AGREED_DAYS_MAX,
        )  # fmt: skip

    @pages.get(_PLACE)
    async def thing(request: Request) -> Response:
        return form_page(request, await parts.session(request), _asked(request.query_params))

    @pages.get(_PLACE + "/terms")
    async def terms(request: Request) -> Response:
        session, form = await parts.session(request), _asked(request.query_params)
        begun = {
            "mandate_id": parts.mint(ids.MANDATE),
            "from_ms": str(parts.services.clock.now_ms()),
        }
        try:
            return await shown(request, session, form | begun)
        except CallerError as error:
            return form_page(request, session, form, error)

    @pages.post(_PLACE)
    async def sign(request: Request) -> Response:
        session, form = await parts.posted(request)
        try:
            text = text_in(form, session.payer_id)
            wanted = checked(Signature, word_in(form))
            await mandates.create(session.payer_id, await mandates.signed(wanted, text))
        except CallerError as error:
            begun = {name: form.get(name, "") for name in ("mandate_id", "from_ms")}
            return await shown(request, session, _asked(form) | begun, error)
        return face.sent(request, f"/mandates/{text.mandate_id}")

    async def shown(
        request: Request, session: Session, form: Form, refusal: CallerError | None = None
    ) -> Response:
        text = text_in(form, session.payer_id)
        merchant_name = await parts.desk.merchant_name(text.merchant_id)
        await mandates.check_device(text)
        return face.page(
            request, "agree_terms", session, back=_PLACE, refusal=refusal, text=text, form=form,
            merchant_name=merchant_name,
            finger=await parts.finger(request, session),
        )  # fmt: skip


def _asked(given: Mapping[str, str]) -> Form:
    """What the first page asks; nothing else of an address goes into a form."""
    return {name: given.get(name, usual) for name, usual in _EMPTY.items()}


def text_in(form: Form, payer_id: str) -> MandateText:
    """The text that a form's terms make; the same form, the same text."""
    days, from_ms = (form.get(name, "") for name in ("days", "from_ms"))
    if not _NUMBER(days) or not 0 < int(days) <= AGREED_DAYS_MAX:
        raise CallerError("mandate_days", f"{AGREED_DAYS_MAX} at most")
    if not _NUMBER(from_ms):
        raise CallerError("field_invalid", "from_ms")
    found = {
        "mandate_id": form.get("mandate_id", ""),
        "payer_id": payer_id,
        "merchant_id": form.get("merchant_id", "").strip(),
        "device": form.get("device", "").strip(),
        "currency": _CURRENCY,
        "limit_payment_minor": _amount(form, "payment"),
        "limit_day_minor": _amount(form, "day"),
        "valid_from_ms": int(from_ms),
        "valid_until_ms": int(from_ms) + int(days) * DAY_MS,
    }
    if form.get("ask", "").strip():
        found["ask_above_minor"] = _amount(form, "ask")
    return check_terms(MandateText.from_map(found))


def _amount(form: Form, name: str) -> int:
    amount_minor = typed_minor(form.get(name, "").strip())
    if amount_minor is None:
        raise CallerError("amount_invalid", name)
    return amount_minor
