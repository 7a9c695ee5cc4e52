"""The pages of what a payer has and has agreed to: balance, mandates, coupons, transfers.

Rule: what changes money or an agreement is a form of its own; a mandate is stopped in two acts.
"""

from fastapi import APIRouter, Request, Response

from backend.coupons.repository import CouponRepository
from backend.coupons.service import ChooseCoupon
from backend.forms import Form
from backend.mandates.desk import MandateDesk
from backend.mandates.model import MandateCommand, MandateStatus, Side
from backend.merchant_transfers.model import TransferStep
from backend.merchant_transfers.repository import TransferRepository
from backend.merchant_transfers.service import EndTransfer
from backend.pay_page.model import typed_minor
from backend.wallet.schemas import PinFreeLimit
from backend.wallet_page.parts import PageParts, checked, word_in
from backend.wallet_page.session import ROOT, Session
from protocol.errors import CallerError

_CURRENCY = "CNY"
_ME = f"{ROOT}/me"


def add_pages(pages: APIRouter, parts: PageParts) -> None:
    """Add them to the router."""
    _me(pages, parts)
    _pin_free(pages, parts)
    _mandates(pages, parts, MandateDesk(parts.services))
    _coupons(pages, parts)
    _transfers(pages, parts)


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
            has_switches=desk.switches.is_there,
            has_top_ups=parts.topups is not None,
            has_offline=parts.services.signing_key is not None,
        )


def _pin_free(pages: APIRouter, parts: PageParts) -> None:
    """The payer's own limit without a PIN: at most the house's; nothing typed is the house's."""
    desk, face = parts.desk, parts.face
    house_minor = parts.services.rules.wallet.pin_free_minor

    async def form_page(
        request: Request, session: Session, form: Form, refusal: CallerError | None = None
    ) -> Response:
        return face.page(
            request, "pin_free", session, back=_ME, refusal=refusal, form={"limit": ""} | form,
            pin_free=await desk.pin_free(session.payer_id, _CURRENCY), house_minor=house_minor,
            finger=await parts.finger(request, session),
        )  # fmt: skip

    @pages.get(ROOT + "/pin-free")
    async def shown(request: Request) -> Response:
        return await form_page(request, await parts.session(request), {})

    @pages.post(ROOT + "/pin-free")
    async def choose(request: Request) -> Response:
        session, form = await parts.posted(request)
        try:
            wanted = checked(PinFreeLimit, {"limit_minor": _limit_in(form)} | word_in(form))
            await desk.choose_pin_free(session.payer_id, wanted)
        except CallerError as error:
            return await form_page(request, session, form, error)
        return face.sent(request, "/pin-free")


def _limit_in(form: Form) -> int | None:
    text = form.get("limit", "").strip()
    if not text:
        return None
    if not text.strip("0."):
        return 0
    limit_minor = typed_minor(text)
    if limit_minor is None:
        raise CallerError("amount_invalid", "limit")
    return limit_minor


def _mandates(pages: APIRouter, parts: PageParts, mandates: MandateDesk) -> None:
    face, services = parts.face, parts.services

    @pages.get(ROOT + "/mandates")
    async def of_payer(request: Request) -> Response:
        session = await parts.session(request)
        found = await mandates.mandates(Side.PAYER, session.payer_id)
        rows = await parts.desk.named(found["mandates"])
        return face.page(request, "mandates", session, back=_ME, mandates=rows)

    @pages.get(ROOT + "/mandates/{mandate_id}")
    async def one(request: Request, mandate_id: str) -> Response:
        session = await parts.session(request)
        found = await mandates.mandate(Side.PAYER, session.payer_id, mandate_id)
        [mandate] = await parts.desk.named([found])
        today = services.rules.business_date(services.clock.now_ms())
        return face.page(
            request,
            "mandate",
            session,
            back=f"{ROOT}/mandates",
            mandate=mandate,
            spent_minor=mandate["spent_minor"] if mandate["spent_day"] == today else 0,
            commands=_commands(MandateStatus(mandate["status"])),
        )

    @pages.post(ROOT + "/mandates/{mandate_id}/{command}")
    async def change(request: Request, mandate_id: str, command: MandateCommand) -> Response:
        session, _ = await parts.posted(request)
        await mandates.change(Side.PAYER, session.payer_id, mandate_id, command)
        return face.sent(request, f"/mandates/{mandate_id}")

    @pages.post(ROOT + "/notices/{notice_id}/refuse")
    async def refuse(request: Request, notice_id: str) -> Response:
        session, _ = await parts.posted(request)
        notice = await mandates.end_notice(Side.PAYER, session.payer_id, notice_id)
        return face.sent(request, f"/mandates/{notice['mandate_id']}")


def _commands(status: MandateStatus) -> tuple[str, ...]:
    """What the payer may do about a mandate that stands so."""
    if status is MandateStatus.TERMINATED:
        return ()
    is_ours = status in {MandateStatus.SUSPENDED_BY_PAYER, MandateStatus.SUSPENDED_BY_BOTH}
    return ("resume" if is_ours else "suspend", "terminate")


def _coupons(pages: APIRouter, parts: PageParts) -> None:
    face, services = parts.face, parts.services
    coupons = CouponRepository(services.reader)

    @pages.get(ROOT + "/coupons")
    async def of_payer(request: Request) -> Response:
        session = await parts.session(request)
        rows = await services.run_read(lambda: coupons.of_payer(session.payer_id, state=None))
        payer = await parts.desk.payer(session.payer_id)
        return face.page(
            request,
            "coupons",
            session,
            back=_ME,
            coupons=rows,
            chosen=payer["chosen_coupon_id"],
        )

    @pages.post(ROOT + "/coupons")
    async def choose(request: Request) -> Response:
        session, form = await parts.posted(request)
        coupon_id = form.get("coupon_id") or None
        await services.submit(ChooseCoupon(payer_id=session.payer_id, coupon_id=coupon_id))
        return face.sent(request, "/coupons")


def _transfers(pages: APIRouter, parts: PageParts) -> None:
    face, services = parts.face, parts.services
    transfers = TransferRepository(services.reader)

    @pages.get(ROOT + "/transfers")
    async def of_payer(request: Request) -> Response:
        session = await parts.session(request)
        rows = await services.run_read(lambda: transfers.of_receiver(session.payer_id))
        named = await parts.desk.named([dict(row) for row in rows])
        return face.page(request, "transfers", session, back=_ME, transfers=named)

    @pages.post(ROOT + "/transfers/{transfer_id}/take")
    async def take(request: Request, transfer_id: str) -> Response:
        session, _ = await parts.posted(request)
        command = EndTransfer(
            transfer_id=transfer_id,
            step=TransferStep.TAKE,
            by=session.payer_id,
            rules=services.rules,
        )
        await services.submit(command)
        return face.sent(request, "/transfers")
