"""The pages of card payments at the PIN pad: what it is asked, what it said, what went through."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from faces.words import Language, said
from protocol.money import Money
from terminal.counter.station import Station
from terminal.domain.card_sale import CardKind, CardSale, CardState, card_number
from terminal.domain.spoken import Event, spoken
from terminal.domain.words import Words, of_error
from terminal.web.entries import clock, mark_rows, of_card
from terminal.web.page_desk import Desk
from terminal.web.words import CARD_TITLES, CARD_WAYS, MARKS, WORDS

_MOODS = {
    CardState.APPROVED: "paid",
    CardState.DECLINED: "error",
    CardState.FAILED: "error",
    CardState.UNKNOWN: "warn",
}
_SAID: dict[CardKind, Event] = {CardKind.SALE: "received", CardKind.REFUND: "refunded"}


def add_pages(pages: APIRouter, desk: Desk) -> None:
    """Pages about card sales."""

    @pages.get("/card/{card_id}")
    async def card(request: Request, card_id: int) -> Response:
        station = desk.gate.counter.station()
        sale = station.cards.store.one(card_id)
        if sale is None:
            return RedirectResponse("/", 303)
        return desk.answer(
            request,
            "till/card.html",
            "sale",
            sale=sale,
            kind=f"card_{sale.state.value}",
            mood=_MOODS.get(sale.state, "plain"),
            title=CARD_TITLES[sale.kind, sale.state],
            why=_why(sale),
            say_aloud=_said_aloud(sale, desk.language(request)),
        )

    @pages.get("/payments/card-{card_id}")
    async def card_payment(request: Request, card_id: int) -> Response:
        station = desk.gate.counter.station()
        sale = station.cards.store.one(card_id)
        if sale is None:
            return RedirectResponse(f"/recent?q={card_id}", 303)
        return desk.answer(
            request,
            "till/payment.html",
            "recent",
            entry=of_card(sale, station.cards.mark_of(sale)),
            rows=_rows(station, sale, desk.language(request)),
            left_minor=sale.left_minor,
        )


def _why(sale: CardSale) -> Words | None:
    return None if sale.error_code is None else of_error(sale.error_code)


def _said_aloud(sale: CardSale, language: Language) -> tuple[str, ...]:
    if sale.state is not CardState.APPROVED:
        return ()
    return spoken(_SAID[sale.kind], sale.amount_minor, sale.currency, language)


def _rows(station: Station, sale: CardSale, language: Language) -> list[tuple[str, str]]:
    refunded = Money(sale.refunded_minor, sale.currency).decimal() if sale.refunded_minor else ""
    mark, why = station.cards.mark_of(sale), _why(sale)
    rows = [
        ("payment", sale.number),
        ("way", said(CARD_WAYS[sale.kind], language)),
        ("time", clock(sale.at_ms)),
        ("card_number", sale.card),
        ("reference", sale.reference),
        ("cause", said(why, language) if why else ""),
        ("by", sale.by_name),
        ("signed_by", sale.approved_by or ""),
        ("note", sale.note),
        ("refund_of", card_number(sale.refund_of) if sale.refund_of else ""),
        ("refunded", refunded),
    ]
    told = [(said(WORDS[name], language), value) for name, value in rows]
    return told + mark_rows(mark, sale.state, language, MARKS)
