"""The pages of the till: rendered here from the agent's screen and the journal, moved by a small
script.

Rule 1: a page shows what the database says, so loading it again changes nothing.
Rule 2: without somebody signed in, every page of a till is the question who is there.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from markupsafe import Markup

from faces.assets import Assets
from faces.stream import Places, event, last_event_id
from faces.words import Language, Words, said
from protocol.money import Money
from terminal.counter.station import Station
from terminal.domain.at_counter import CASH_DUE
from terminal.domain.sale import Sale
from terminal.limits import RECENT_DEFAULT, SEARCH_CHARS_MAX
from terminal.upkeep import SOFTWARE
from terminal.web import card_pages, pictures
from terminal.web.entries import (
    backend_clock,
    clock,
    entries,
    exact,
    mark_rows,
    of_cash,
    of_refund,
    of_sale,
)
from terminal.web.figures import drawer_rows, sold_rows
from terminal.web.gate import Gate
from terminal.web.log_lines import log_lines
from terminal.web.page_desk import Desk
from terminal.web.view import View
from terminal.web.words import LINE_TROUBLES, MARKS, WORDS

_Lang = Annotated[Language, Query(alias="lang")]
_NOTES_MINOR = (1_000, 2_000, 5_000, 10_000)


def router(gate: Gate, *, places: Places, assets: Assets) -> APIRouter:
    """The pages of one terminal."""
    pages = APIRouter(dependencies=[Depends(gate.access.check_host)])
    desk = Desk(gate, assets)
    _sale_pages(pages, desk)
    card_pages.add_pages(pages, desk)
    _past_pages(pages, desk)
    _shift_pages(pages, desk)
    _settings(pages, desk)
    _streams(pages, desk, places)
    return pages


def _sale_pages(pages: APIRouter, desk: Desk) -> None:
    @pages.get("/")
    async def till(request: Request) -> Response:
        station = desk.gate.counter.station()
        asked = station.cards.store.asking()
        if asked is not None:
            return RedirectResponse(f"/card/{asked.card_id}", 303)
        at, draft = station.shell.screen.at_counter, station.drafts.current()
        if at is not None and at.kind == CASH_DUE and draft.digits == str(at.amount_minor):
            return RedirectResponse("/cash", 303)
        needs_shift = station.shell.screen.kind == "keypad" and not desk.gate.has_no_staff
        if needs_shift and station.shifts.store.open_shift() is None:
            return desk.answer(request, "till/no_shift.html", "shift")
        return desk.answer(request, "", "sale")

    @pages.get("/cart")
    async def cart(request: Request) -> Response:
        draft = desk.gate.counter.station().drafts.current()
        return desk.answer(request, "till/cart.html", "sale", draft=draft, mood="plain")

    @pages.get("/cart/lines", dependencies=[Depends(desk.gate.look_back)])
    async def lines(request: Request) -> Response:
        station = desk.gate.counter.station()
        language = desk.language(request)
        return HTMLResponse(desk.renderer.piece("till/cart_lines.html", station, language))

    @pages.get("/customer")
    async def customer(request: Request) -> Response:
        return desk.answer(request, "", "customer")

    @pages.get("/cash")
    async def cash(request: Request) -> Response:
        draft = desk.gate.counter.station().drafts.current()
        if not draft.digits:
            return RedirectResponse("/", 303)
        amount = int(draft.digits)
        notes = [amount, *(note for note in _NOTES_MINOR if note > amount)]
        return desk.answer(
            request, "till/cash.html", "sale", draft=draft, notes=notes, mood="plain"
        )

    @pages.get("/cash/{movement_id}")
    async def cash_done(request: Request, movement_id: int) -> Response:
        movement = desk.gate.counter.station().shifts.store.movement(movement_id)
        if movement is None:
            return RedirectResponse("/", 303)
        return desk.answer(request, "till/cash_done.html", "sale", movement=movement, mood="paid")


def _past_pages(pages: APIRouter, desk: Desk) -> None:
    @pages.get("/recent")
    async def recent(
        request: Request, q: Annotated[str, Query(max_length=SEARCH_CHARS_MAX)] = ""
    ) -> Response:
        found = entries(desk.gate.counter.station(), query=q, count=RECENT_DEFAULT)
        return desk.answer(request, "till/recent.html", "recent", entries=found, q=q)

    @pages.get("/payments/cash-{movement_id}")
    async def cash_payment(request: Request, movement_id: int) -> Response:
        movement = desk.gate.counter.station().shifts.store.movement(movement_id)
        if movement is None:
            return RedirectResponse(f"/recent?q={movement_id}", 303)
        language = desk.language(request)
        rows = [
            (said(WORDS["payment"], language), movement.number),
            (said(WORDS["way"], language), said(WORDS["cash"], language)),
            (said(WORDS["time"], language), clock(movement.at_ms)),
            (said(WORDS["by"], language), movement.by_name),
            (said(WORDS["note"], language), movement.reason),
            (said(WORDS["refunded"], language), of_cash(movement).refunded),
        ]
        left = movement.amount_minor - movement.refunded_minor
        return desk.answer(
            request, "till/payment.html", "recent", entry=of_cash(movement), rows=rows,
            left_minor=left,
        )  # fmt: skip

    @pages.get("/payments/{payment_id}")
    async def payment(request: Request, payment_id: str) -> Response:
        agent = desk.gate.counter.station().agent
        sale = agent.sale(payment_id)
        if sale is None:  # such as a receipt of another till
            return RedirectResponse(f"/recent?q={quote(payment_id)}", 303)
        mark, language = agent.mark_of(payment_id), desk.language(request)
        refunds = [
            of_refund(each, agent.mark_of(each.refund_id), language)
            for each in agent.refunds_of(payment_id)
        ]
        return desk.answer(
            request, "till/payment.html", "recent", entry=of_sale(sale, mark),
            rows=_sale_rows(sale, agent.goods_of(payment_id), language)
            + mark_rows(mark, sale.state, language, MARKS),
            left_minor=agent.refund_left_minor(sale), refunds=refunds,
        )  # fmt: skip


def _shift_pages(pages: APIRouter, desk: Desk) -> None:
    @pages.get("/shift")
    async def shift(request: Request) -> Response:
        shifts = desk.gate.counter.station().shifts
        report = shifts.report() if shifts.store.open_shift() is not None else None
        sold = sold_rows(report, desk.language(request)) if report is not None else []
        return desk.answer(
            request, "till/shift.html", "shift", report=report, sold=sold, last=shifts.last_closed()
        )

    @pages.get("/shift/z")
    async def z(request: Request) -> Response:
        report = desk.gate.counter.station().shifts.last_closed()
        if report is None:
            return RedirectResponse("/shift", 303)
        language = desk.language(request)
        return desk.answer(
            request,
            "till/z.html",
            "shift",
            report=report,
            sold=sold_rows(report, language),
            drawer=drawer_rows(report, language),
        )

    @pages.get("/shift/move")
    async def move(request: Request, kind: Literal["pay_in", "pay_out"]) -> Response:
        return _form(request, kind)

    @pages.get("/shift/close")
    async def close(request: Request) -> Response:
        return _form(request, "count_close")

    def _form(request: Request, form: str) -> Response:
        station = desk.gate.counter.station()
        if station.shifts.store.open_shift() is None:
            return RedirectResponse("/shift", 303)
        unknown = station.shifts.report().unknown.count
        return desk.answer(
            request, "till/shift_form.html", "shift", form=form, unknown_count=unknown
        )


def _settings(pages: APIRouter, desk: Desk) -> None:
    @pages.get("/settings")
    async def settings(request: Request) -> Response:
        station = desk.gate.counter.station()
        rows = _device_rows(station, desk.language(request))
        code = Markup(pictures.svg(station.agent.profile.tid))  # noqa: S704  # our own picture
        return desk.answer(request, "till/settings.html", "settings", rows=rows, device_code=code)

    @pages.get("/log")
    async def log(request: Request) -> Response:
        return desk.answer(request, "till/log.html", "settings", lines=log_lines())

    @pages.get("/staff")
    async def staff(request: Request) -> Response:
        return desk.answer(
            request, "till/staff.html", "settings", acts=desk.gate.counter.staffing.acts()
        )


def _streams(pages: APIRouter, desk: Desk, places: Places) -> None:
    gate = desk.gate

    @pages.get(
        "/fragments", dependencies=[Depends(places.enter)], response_class=EventSourceResponse
    )
    async def fragments(
        request: Request,
        at: Annotated[Station, Depends(gate.look)],
        view: View = "sale",
        lang: _Lang = "zh",
    ) -> AsyncIterator[ServerSentEvent]:
        async for revision, shown in _followed(gate, request, at, view):
            is_seen = view == "customer" or gate.has_no_staff or gate.counter.sign_in.signed_in()
            if is_seen:
                yield event("screen", revision, desk.renderer.told(view, shown, lang))


async def _followed(
    gate: Gate, request: Request, at: Station, view: View
) -> AsyncIterator[tuple[int, Station]]:
    """Each new revision of the till that a page is of. The payer's side is a page of both: it goes
    along with whoever begins or ends training."""
    after = last_event_id(request)
    while True:
        async for revision, _ in at.shell.screens(after):
            now = gate.station(request) if view == "customer" else at
            if now is not at:
                break
            yield revision, at
        else:
            return
        at, after = now, 0


def _sale_rows(
    sale: Sale, goods: Sequence[Mapping[str, Any]], language: Language
) -> list[tuple[str, str]]:
    entry = of_sale(sale, None)
    coupon = Money(sale.coupon_minor, sale.currency).decimal() if sale.coupon_minor else ""
    rows = [
        ("payment", sale.payment_id),
        ("way", said(entry.way, language)),
        ("time", entry.time),
        ("paid_at", clock(sale.paid_at_ms) if sale.paid_at_ms else ""),
        ("payer", sale.payer_masked or ""),
        ("by", sale.cashier or ""),
        ("note", sale.description),
        ("goods_sold", ", ".join(f"{line[language]} ×{line['quantity']}" for line in goods)),
        ("coupon", coupon),
        ("refunded", entry.refunded),
    ]
    return [(said(WORDS[name], language), value) for name, value in rows]


def _device_rows(station: Station, language: Language) -> list[tuple[str, str]]:
    agent = station.agent
    screen = station.shell.screen
    line: Words = WORDS["line_up"] if screen.is_link_up else WORDS["offline"]
    if screen.link_trouble is not None:
        line = LINE_TROUBLES[screen.link_trouble.code]
    printer = screen.printer_error.words if screen.printer_error else WORDS["ready"]
    rows = [
        ("device", agent.profile.tid),
        ("store", agent.profile.store),
        ("version", SOFTWARE),
        ("started", clock(agent.boot_epoch * 1000)),
        ("clock", exact(station.shell.now_ms())),
        ("backend_clock", backend_clock(agent.clock_ahead_ms, language)),
        ("line", said(line, language)),
        ("printer", said(printer, language)),
    ]
    return [(said(WORDS[name], language), value) for name, value in rows]
