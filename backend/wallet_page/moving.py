"""The pages by which money comes in and goes out: adding and removing a card, topping up,
withdrawing.

Rule: money comes from and goes to the payer's own cards only; taking it out needs the PIN.
"""

from typing import Any

from fastapi import APIRouter, Request, Response

from backend.forms import Form
from backend.instruments.binding import Begun, CardBinding, WantedCard
from backend.instruments.binding_routes import CardCode, NewCard
from backend.instruments.model import BALANCE, InstrumentKind
from backend.instruments.repository import InstrumentRepository
from backend.instruments.service import ChooseDefault, RemoveInstrument
from backend.pay_page.model import typed_minor
from backend.wallet_page.parts import PageParts, checked, word_in
from backend.wallet_page.session import ROOT, Session
from backend.withdrawals.repository import WithdrawalRepository
from backend.withdrawals.routes import WantedWithdrawal
from backend.withdrawals.service import OrderWithdrawal
from protocol import ids
from protocol.errors import CallerError
from protocol.money import Money

_CURRENCY = "CNY"
_CARDS, _NEW_CARD, _ME = f"{ROOT}/cards", f"{ROOT}/cards/new", f"{ROOT}/me"


def add_pages(pages: APIRouter, parts: PageParts) -> None:
    """Add them to the router."""
    instruments = InstrumentRepository(parts.services.reader)
    _cards(pages, parts, instruments)
    if parts.binding is not None:
        _new_card(pages, parts, parts.binding)
    _withdrawals(pages, parts, instruments)
    if parts.topups is not None:
        _top_ups(pages, parts, instruments)


def _cards(pages: APIRouter, parts: PageParts, instruments: InstrumentRepository) -> None:
    face, services = parts.face, parts.services

    @pages.get(_CARDS)
    async def of_payer(request: Request) -> Response:
        session = await parts.session(request)
        rows = await services.run_read(lambda: instruments.of_payer(session.payer_id))
        payer = await parts.desk.payer(session.payer_id)
        default = payer["default_instrument_id"] or BALANCE
        return face.page(
            request, "cards", session, back=_ME, instruments=rows, default=default,
            has_binding=parts.binding is not None,
        )  # fmt: skip

    @pages.post(_CARDS)
    async def choose(request: Request) -> Response:
        session, form = await parts.posted(request)
        instrument_id = form.get("instrument_id", BALANCE)
        command = ChooseDefault(instrument_id=instrument_id, payer_id=session.payer_id)
        await services.submit(command)
        return face.sent(request, "/cards")

    @pages.post(_CARDS + "/{instrument_id}/remove")
    async def remove(request: Request, instrument_id: str) -> Response:
        session, _ = await parts.posted(request)
        command = RemoveInstrument(instrument_id=instrument_id, payer_id=session.payer_id)
        await services.submit(command)
        return face.sent(request, "/cards")


def _new_card(pages: APIRouter, parts: PageParts, binding: CardBinding) -> None:
    """A card by its number, in two steps; a page never shows the number again."""
    face = parts.face

    async def form_page(
        request: Request, session: Session, form: Form, refusal: CallerError | None = None
    ) -> Response:
        payer = await parts.desk.payer(session.payer_id)
        return face.page(
            request, "card_new", session, back=_CARDS, refusal=refusal, holder=payer["name"],
            form={"phone": form.get("phone", ""), "instrument_id": parts.mint(ids.INSTRUMENT)},
        )  # fmt: skip

    def code_page(
        request: Request, session: Session, begun: Begun, refusal: CallerError | None = None
    ) -> Response:
        return face.page(request, "card_code", session, back=_NEW_CARD, refusal=refusal, card=begun)

    @pages.get(_NEW_CARD)
    async def new(request: Request) -> Response:
        return await form_page(request, await parts.session(request), {})

    @pages.post(_NEW_CARD)
    async def begin(request: Request) -> Response:
        session, form = await parts.posted(request)
        try:
            fields = {name: form.get(name, "").strip() for name in NewCard.model_fields}
            wanted = WantedCard(**checked(NewCard, fields).model_dump())
            begun = await binding.begin(session.payer_id, wanted)
        except CallerError as error:
            return await form_page(request, session, form, error)
        return code_page(request, session, begun)

    @pages.post(_NEW_CARD + "/code")
    async def finish(request: Request) -> Response:
        session, form = await parts.posted(request)
        number, seal = form.get("instrument_id", ""), form.get("seal", "")
        try:
            begun = binding.begun(session.payer_id, number, seal)
        except CallerError as error:
            return await form_page(request, session, form, error)
        try:
            wanted = checked(CardCode, {"code": form.get("code", "").strip(), "seal": seal})
            await binding.finish(session.payer_id, begun, wanted.code)
        except CallerError as error:
            return code_page(request, session, begun, error)
        return face.sent(request, "/cards")


class _Cards:
    """What both directions show: the payer's cards, and how much there is."""

    def __init__(self, parts: PageParts, instruments: InstrumentRepository) -> None:
        self._parts = parts
        self._instruments = instruments

    async def page(
        self, request: Request, session: Session, name: str, form: Form,
        refusal: CallerError | None = None, **more: Any,  # noqa: ANN401  # what the template shows
    ) -> Response:  # fmt: skip
        """The form, with its cards."""
        parts = self._parts
        rows = await parts.services.run_read(lambda: self._instruments.of_payer(session.payer_id))
        return parts.face.page(
            request, name, session, back=_ME, refusal=refusal,
            form={"amount": "", "instrument_id": ""} | form,
            cards=[row for row in rows if row["kind"] == InstrumentKind.CARD],
            balance=await parts.desk.balance(session.payer_id, _CURRENCY),
            has_binding=parts.binding is not None, **more,
        )  # fmt: skip


def _withdrawals(pages: APIRouter, parts: PageParts, instruments: InstrumentRepository) -> None:
    services, cards = parts.services, _Cards(parts, instruments)
    withdrawals = WithdrawalRepository(services.reader)

    async def form_page(
        request: Request, session: Session, form: Form, refusal: CallerError | None = None
    ) -> Response:
        form = form | {"withdrawal_id": parts.mint(ids.WITHDRAWAL)}
        rows = await services.run_read(lambda: withdrawals.of_payer(session.payer_id))
        rules = services.rules.withdrawals
        return await cards.page(
            request, session, "withdraw", form, refusal, withdrawals=rows, rules=rules,
            finger=await parts.finger(request, session),
        )  # fmt: skip

    @pages.get(ROOT + "/withdraw")
    async def new(request: Request) -> Response:
        return await form_page(request, await parts.session(request), {})

    @pages.post(ROOT + "/withdraw")
    async def withdraw(request: Request) -> Response:
        session, form = await parts.posted(request)
        try:
            fields = {name: form.get(name, "") for name in ("withdrawal_id", "instrument_id")}
            fields |= {"amount_minor": amount_in(form)} | word_in(form)
            wanted = checked(WantedWithdrawal, fields)
            await parts.desk.check_word(session.payer_id, wanted)
            command = OrderWithdrawal(
                withdrawal_id=wanted.withdrawal_id,
                payer_id=session.payer_id,
                instrument_id=wanted.instrument_id,
                amount=Money(wanted.amount_minor, wanted.currency),
                rules=services.rules,
            )
            await services.submit(command)
        except CallerError as error:
            if error.code != "passkey_challenge" or not await is_ordered(session, form):
                return await form_page(request, session, form, error)
        return parts.face.sent(request, "/withdraw")

    async def is_ordered(session: Session, form: Form) -> bool:
        """Whether the same form was carried out before: its finger's answer is good once."""
        wanted = form.get("withdrawal_id", "")
        row = await services.run_read(lambda: withdrawals.withdrawal(wanted))
        return row is not None and row["payer_id"] == session.payer_id


def _top_ups(pages: APIRouter, parts: PageParts, instruments: InstrumentRepository) -> None:
    cards, topups = _Cards(parts, instruments), parts.topups
    assert topups is not None

    async def form_page(
        request: Request, session: Session, form: Form, refusal: CallerError | None = None
    ) -> Response:
        form = form | {"topup_id": parts.mint(ids.TOPUP)}
        return await cards.page(request, session, "top_up", form, refusal, bounds=topups.bounds)

    @pages.get(ROOT + "/top-up")
    async def new(request: Request) -> Response:
        return await form_page(request, await parts.session(request), {})

    @pages.post(ROOT + "/top-up")
    async def top_up(request: Request) -> Response:
        session, form = await parts.posted(request)
        try:
            row = await topups.from_card(
                topup_id=form.get("topup_id", ""),
                payer_id=session.payer_id,
                instrument_id=form.get("instrument_id", ""),
                amount=Money(amount_in(form), _CURRENCY),
            )
        except CallerError as error:
            return await form_page(request, session, form, error)
        mood = {"succeeded": "paid", "failed": "error"}.get(row["state"], "warn")
        return parts.face.page(request, "topped_up", session, mood=mood, topup=row)


def amount_in(form: Form) -> int:
    """The amount of a form in minor units; ``amount_invalid`` for none."""
    amount_minor = typed_minor(form.get("amount", ""))
    if amount_minor is None:
        raise CallerError("amount_invalid", "amount")
    return amount_minor
