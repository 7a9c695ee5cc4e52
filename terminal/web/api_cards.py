"""The control API of card payments at the PIN pad, and of marks beside unknown outcomes.

The pad is asked once a command is answered; its word is followed by ``GET …/outcome``.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from protocol.errors import CallerError
from terminal.counter.cards import CardDesk
from terminal.counter.station import Station
from terminal.domain.card_sale import CardSale
from terminal.domain.sale import Sale, SaleState
from terminal.inputs import Cancel, MarkOutcome, MarkRefund
from terminal.limits import CARD_FOLLOW_S
from terminal.web.api import do
from terminal.web.gate import Actor, Gate
from terminal.web.schemas import (
    CardIn,
    CardMarkIn,
    CounterRefundIn,
    MarkIn,
    RefundMarkIn,
    card_out,
)

Told = dict[str, Any]


def router(gate: Gate) -> APIRouter:
    """The API of one terminal's cards and marks."""
    api = APIRouter(prefix="/api")
    _ask(api, gate)
    _view(api, gate)
    _mark(api, gate)
    return api


def _told(cards: CardDesk, sale: CardSale) -> Told:
    return card_out(sale, cards.mark_of(sale))


def _ask(api: APIRouter, gate: Gate) -> None:
    acting = Depends(gate.act)

    @api.post("/cards")
    async def sell(wanted: CardIn, by: Annotated[Actor, acting]) -> Told:
        """Ask the pad for a draft's amount, once for each draft."""
        cards = by.station.cards
        return _told(cards, cards.sell(**wanted.model_dump(), by_name=by.name))

    @api.post("/sales/current/card")
    async def choose(by: Annotated[Actor, acting]) -> Told:
        """The amount on the screen is paid by card: its draft goes to the pad."""
        shown = by.station.agent.current()
        if not isinstance(shown, Sale) or shown.state is not SaleState.CHOOSING:
            raise CallerError("payment_state", "no amount is on the screen")
        draft = by.station.drafts.behind(shown.payment_id)
        if draft is None or draft.digits != str(shown.amount_minor):
            raise CallerError("idempotency_conflict", "another draft is on the keypad")
        await do(by.station, Cancel())
        sale = by.station.cards.sell(
            draft_id=draft.draft_id,
            amount_minor=shown.amount_minor,
            note=shown.description,
            by_name=by.name,
        )
        return _told(by.station.cards, sale)

    @api.post("/cards/{card_id}/refund")
    async def give_back(
        card_id: int, wanted: CounterRefundIn, by: Annotated[Actor, acting]
    ) -> Told:
        approved_by = await gate.approval(by, wanted.approval)
        back = by.station.cards.give_back(
            card_id,
            refund_id=wanted.refund_id,
            amount_minor=wanted.amount_minor,
            reason=wanted.reason,
            by_name=by.name,
            approved_by=approved_by,
        )
        return _told(by.station.cards, back)

    @api.post("/cards/{card_id}/again")
    async def again(card_id: int, by: Annotated[Actor, acting]) -> Told:
        """A new try of a sale that was declined or never asked: the same on the keypad."""
        sale = by.station.cards.one(card_id)
        if not sale.is_over_unpaid:
            raise CallerError("payment_state", sale.state)
        by.station.drafts.again(sale.subject, amount_minor=sale.amount_minor, note=sale.note)
        by.station.shell.leave_counter()
        return {}


def _view(api: APIRouter, gate: Gate) -> None:
    @api.get("/cards/{card_id}")
    async def one(card_id: int, at: Annotated[Station, Depends(gate.look_back)]) -> Told:
        return _told(at.cards, at.cards.one(card_id))

    @api.get("/cards/{card_id}/outcome")
    async def outcome(card_id: int, at: Annotated[Station, Depends(gate.look_back)]) -> Told:
        """As it stands when the pad has answered, or after a while."""
        return _told(at.cards, await at.cards.ended(card_id, CARD_FOLLOW_S))


def _mark(api: APIRouter, gate: Gate) -> None:
    acting = Depends(gate.act)

    @api.post("/payments/mark")
    async def mark(wanted: MarkIn, by: Annotated[Actor, acting]) -> Told:
        """A supervisor takes an unknown outcome for something; it stays unknown."""
        signed_by = await gate.approval(by, wanted.approval)
        wish = MarkOutcome(
            payment_id=wanted.payment_id,
            marked_as=wanted.marked_as,
            reason=wanted.reason,
            by_name=signed_by,
        )
        return await do(by.station, wish)

    @api.post("/refunds/mark")
    async def mark_refund(wanted: RefundMarkIn, by: Annotated[Actor, acting]) -> Told:
        """The same of a refund."""
        signed_by = await gate.approval(by, wanted.approval)
        wish = MarkRefund(
            refund_id=wanted.refund_id,
            marked_as=wanted.marked_as,
            reason=wanted.reason,
            by_name=signed_by,
        )
        return await do(by.station, wish)

    @api.post("/cards/{card_id}/mark")
    async def mark_card(card_id: int, wanted: CardMarkIn, by: Annotated[Actor, acting]) -> Told:
        signed_by = await gate.approval(by, wanted.approval)
        cards = by.station.cards
        sale = cards.mark(card_id, wanted.marked_as, reason=wanted.reason, by_name=signed_by)
        return _told(cards, sale)
