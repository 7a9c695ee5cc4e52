"""The pages that pay: the pay code, a scanned code, what waits for the PIN, the result.

Rule 1: the merchant's name and the amount are shown before anything is asked.
Rule 2: the page mints the attempt; sending the same page twice pays once.
"""

import re
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from backend.coupons.model import CouponState
from backend.coupons.repository import CouponRepository
from backend.db.tables import Row
from backend.forms import Form
from backend.instruments.model import BALANCE
from backend.instruments.repository import InstrumentRepository
from backend.wallet.limits import QR_TEXT_CHARS_MAX
from backend.wallet.model import code_url, scanned_payment_id
from backend.wallet.schemas import Confirmation
from backend.wallet_page.barcode import bar_picture
from backend.wallet_page.explaining import explained
from backend.wallet_page.face import shown_money
from backend.wallet_page.limits import CODE_SHOWN_MS, CODE_SPARE_MS
from backend.wallet_page.parts import PageParts, checked, word_in
from backend.wallet_page.session import ROOT, Session
from faces.codes import code_picture
from protocol import ids
from protocol.errors import CallerError
from protocol.messages.offline import WISH_HEAD
from protocol.payment import PAID_STATES, WAITING_STATES, PaymentState

_PROPOSED = {"pre_entrustweb_id": "contracts", "order_id": "services"}
"""How addresses and packages of merchants' programs name what is to be signed."""
_PROPOSAL = re.compile(
    rf"(?:\A|[?&])({'|'.join(_PROPOSED)})=(mdt_[0-9A-Z]{{26}})(?:&|\Z)", re.ASCII
).search
_PACKET = re.compile(r"rpk_[0-9A-Z]{26}", re.ASCII).fullmatch
_CHOICES = ("instrument_id", "coupon_id")


def add_pages(pages: APIRouter, parts: PageParts) -> None:
    """Add them to the router."""
    orders = _Orders(parts)
    _code_pages(pages, parts)
    _scan_pages(pages, parts)
    _order_pages(pages, parts, orders)


def _code_pages(pages: APIRouter, parts: PageParts) -> None:
    desk, face = parts.desk, parts.face

    async def latest(session: Session) -> str:
        row = await desk.latest(session.payer_id)
        return "" if row is None else str(row["payment_id"])

    @pages.get(ROOT + "/code")
    async def code(request: Request, new: bool = False) -> Response:
        session = await parts.session(request)
        shown: dict[str, Any] = {
            "asked": await desk.asked(session.payer_id),
            "latest": await latest(session),
        }
        try:
            made = await desk.pay_code(session.payer_id, keeps=not new)
        except CallerError as error:
            return face.page(request, "code", session, tab="code", code="", refusal=error, **shown)
        now_ms = parts.services.clock.now_ms()
        until_ms = min(now_ms + CODE_SHOWN_MS, made["expires_at_ms"] - CODE_SPARE_MS)
        shown |= {"code": made["pay_code"], "from_ms": now_ms, "until_ms": until_ms}
        shown |= {"picture": code_picture(made["pay_code"]), "bars": bar_picture(made["pay_code"])}
        return face.page(request, "code", session, tab="code", **shown)

    @pages.get(ROOT + "/now")
    async def now(request: Request) -> Response:
        """For a page that is open: what waits for the payer, and what has ended latest."""
        session = await parts.session(request)
        asked = await desk.asked(session.payer_id)
        told = {
            "asked": face.piece(request, "asked", session, asked=asked),
            "latest": await latest(session),
        }
        return face.sealed(request, JSONResponse(told))


def _scan_pages(pages: APIRouter, parts: PageParts) -> None:
    _desk, face = parts.desk, parts.face

    @pages.get(ROOT + "/scan")
    async def scan(request: Request) -> Response:
        session = await parts.session(request)
        return face.page(request, "scan", session, tab="scan", content="")

    @pages.post(ROOT + "/scan")
    async def scanned(request: Request) -> Response:
        session, form = await parts.posted(request)
        content = form.get("content", "").strip()
        try:
            place = place_of(content)
        except CallerError as error:
            kept = content[:QR_TEXT_CHARS_MAX]
            return face.page(request, "scan", session, tab="scan", content=kept, refusal=error)
        return face.sent(request, place)


def _order_pages(pages: APIRouter, parts: PageParts, orders: "_Orders") -> None:
    desk, face = parts.desk, parts.face

    @pages.get(ROOT + "/pay/{payment_id}")
    async def order(request: Request, payment_id: str) -> Response:
        session = await parts.session(request)
        return await orders.shown(request, session, payment_id, dict(request.query_params))

    @pages.post(ROOT + "/pay/{payment_id}")
    async def pay(request: Request, payment_id: str) -> Response:
        session, form = await parts.posted(request)
        try:
            wanted = checked(
                Confirmation,
                {
                    "payment_id": payment_id,
                    "attempt_id": form.get("attempt_id", ""),
                    **{name: form[name] for name in _CHOICES if form.get(name)},
                    **word_in(form),
                },
            )
            body = await desk.confirm(session.payer_id, wanted)
            if "error" in body:
                raise CallerError(body["error"]["code"])
        except CallerError as error:
            if error.code == "passkey_challenge" and await orders.is_settled(session, payment_id):
                return face.sent(request, f"/paid/{payment_id}")  # the same form, sent again
            if error.code in {"pin_required", "pin_wrong"}:
                form = {**form, "step": "pin"}
            return await orders.shown(request, session, payment_id, form, refusal=error)
        return face.sent(request, f"/paid/{payment_id}")

    @pages.post(ROOT + "/pay/{payment_id}/refuse")
    async def refuse(request: Request, payment_id: str) -> Response:
        session, _ = await parts.posted(request)
        await desk.refuse(payer_id=session.payer_id, payment_id=payment_id)
        return face.sent(request, f"/paid/{payment_id}")

    @pages.get(ROOT + "/paid/{payment_id}")
    async def paid(request: Request, payment_id: str) -> Response:
        session = await parts.session(request)
        bill = await desk.bill(session.payer_id, payment_id)
        state = PaymentState(bill["state"])
        mood = "paid" if state in PAID_STATES else "warn" if state in WAITING_STATES else "error"
        has_top_ups = parts.topups is not None
        return face.page(request, "paid", session, mood=mood, bill=bill, has_top_ups=has_top_ups)


class _Orders:
    """What there is to pay, shown before it is paid."""

    def __init__(self, parts: PageParts) -> None:
        self._parts = parts
        self._coupons = CouponRepository(parts.services.reader)
        self._instruments = InstrumentRepository(parts.services.reader)

    async def shown(
        self,
        request: Request,
        session: Session,
        payment_id: str,
        chosen: Form,
        refusal: CallerError | None = None,
    ) -> Response:
        """The order with its choices; with ``step=pin`` the PIN is asked. What can no longer be
        paid is a page of its refusal."""
        desk, face = self._parts.desk, self._parts.face
        asked = [
            one for one in await desk.asked(session.payer_id) if one["payment_id"] == payment_id
        ]
        try:
            order = asked[0] if asked else await desk.scan(session.payer_id, code_url(payment_id))
        except CallerError as error:
            if refusal is None and await self.is_settled(session, payment_id):
                return face.sent(request, f"/paid/{payment_id}")
            return face.refused(request, refusal or error, session)
        is_pin_step = bool(asked) or (chosen.get("step") == "pin" and order["pin_required"])
        return face.page(
            request,
            "pin" if is_pin_step else "order",
            session,
            refusal=refusal,
            order=order,
            is_asked=bool(asked),
            why=explained(order.get("explanation"), shown_money, order["currency"]),
            back=f"{ROOT}/code" if asked else f"{ROOT}/scan",
            chosen={name: chosen.get(name, "") for name in ("instrument_id", "coupon_id")},
            attempt_id=self._parts.mint(ids.ATTEMPT),
            finger=await self._parts.finger(request, session) if is_pin_step else None,
            **await self._choices(session, order),
        )

    async def is_settled(self, session: Session, payment_id: str) -> bool:
        """Whether there is an end to show: this payer has paid it, or refused to."""
        try:
            await self._parts.desk.bill(session.payer_id, payment_id)
        except CallerError:
            return False
        return True

    async def _choices(self, session: Session, order: dict[str, Any]) -> dict[str, Any]:
        run = self._parts.services.run_read
        state = CouponState.ISSUED.value
        coupons = await run(lambda: self._coupons.of_payer(session.payer_id, state=state))
        instruments = await run(lambda: self._instruments.of_payer(session.payer_id))
        payer = await self._parts.desk.payer(session.payer_id)
        is_alone = "parts" not in order  # several at once: the balance only, no coupon
        now_ms = self._parts.services.clock.now_ms()
        return {
            "coupons": [one for one in coupons if is_alone and fits(one, order, now_ms)],
            "instruments": [one for one in instruments if is_alone and one["status"] == "active"],
            "default": payer["default_instrument_id"] or BALANCE,
        }


def place_of(content: str) -> str:
    """Which page shows what a scanned text asks for: a payment, a red packet, or a contract or a
    service that a merchant's program wants signed. ``code_not_payable`` for any other text."""
    if _PACKET(content):
        return f"/red-packets/{content}"
    if content.startswith(WISH_HEAD):
        raise CallerError("offline_wish_scanned")
    proposal = _PROPOSAL(content[:QR_TEXT_CHARS_MAX])
    if proposal is not None:
        return f"/{_PROPOSED[proposal[1]]}/{proposal[2]}"
    try:
        return f"/pay/{scanned_payment_id(content)}"
    except CallerError as error:
        raise CallerError("code_not_payable", error.detail) from error


def fits(coupon: Row, order: dict[str, Any], now_ms: int) -> bool:
    """Whether a coupon may pay its part of an order."""
    return (
        coupon["merchant_id"] in {None, order["merchant_id"]}
        and coupon["currency"] == order["currency"]
        and coupon["minimum_minor"] <= order["amount_minor"]
        and coupon["valid_from_ms"] <= now_ms < coupon["valid_until_ms"]
    )
