"""The control API: JSON for programs (the demo, a cash register) and for the till's own page.

A command answers with the screen after it, at once; what becomes of it is followed by
``GET /api/events`` or read from ``GET /api/screen`` and ``GET /api/payments``.
"""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from faces.stream import Places, event, last_event_id
from protocol.errors import CallerError
from terminal import vending
from terminal.counter.station import Station
from terminal.domain.sale import Sale
from terminal.inputs import (
    Cancel,
    CashierInput,
    ChooseMethod,
    ConfirmItem,
    Dismiss,
    PrintStored,
    Reprint,
    Reverse,
    StartRefund,
    StartSale,
    TypeCode,
)
from terminal.inputs import Query as QuerySale
from terminal.limits import RECENT_DEFAULT, RECENT_MAX, SEARCH_CHARS_MAX
from terminal.web import pictures
from terminal.web.gate import Actor, Gate
from terminal.web.schemas import (
    CodeIn,
    ItemIn,
    MethodIn,
    RefundIn,
    SaleIn,
    SubjectIn,
    refund_out,
    sale_out,
    screen_out,
)

Screened = dict[str, Any]


def router(gate: Gate, places: Places) -> APIRouter:
    """The API of one terminal's payments."""
    api = APIRouter(prefix="/api")
    _commands(api, gate)
    _past_commands(api, gate)
    _views(api, gate, places)
    return api


async def do(station: Station, wish: CashierInput) -> Screened:
    """Carry a wish out; the screen after it."""
    screen = await station.shell.command(wish)
    return screen_out(screen, station.shell.revision)


async def do_print(station: Station, wish: PrintStored | Reprint, receipt_id: int) -> Screened:
    """Have something printed; the screen, and ``print``: ``printed``, or ``waiting`` where the
    printer is slow. The printer's own code where it prints nothing."""
    screen, is_printed = await station.shell.print(wish, receipt_id)
    told = screen_out(screen, station.shell.revision)
    return told | {"print": "printed" if is_printed else "waiting"}


def _told(at: Station, sale: Sale) -> Screened:
    agent, payment_id = at.agent, sale.payment_id
    refunds = [(each, agent.mark_of(each.refund_id)) for each in agent.refunds_of(payment_id)]
    return sale_out(sale, refunds, agent.mark_of(payment_id))


def _commands(api: APIRouter, gate: Gate) -> None:
    acting = Depends(gate.act)

    @api.post("/sales")
    async def start(sale: SaleIn, by: Annotated[Actor, acting]) -> Screened:
        if by.staff is not None:
            by.station.shifts.current()
            sale = sale.model_copy(update={"cashier": by.name})
        return await do(by.station, StartSale(**sale.model_dump()))

    @api.post("/vend")
    async def vend(wanted: ItemIn, by: Annotated[Actor, acting]) -> Screened:
        at = by.station
        return await do(at, vending.select(at.agent.profile, wanted.item, at.shell.now_ms()))

    @api.post("/sales/current/method")
    async def choose(chosen: MethodIn, by: Annotated[Actor, acting]) -> Screened:
        return await do(by.station, ChooseMethod(chosen.method))

    @api.post("/sales/current/code")
    async def code(typed: CodeIn, by: Annotated[Actor, acting]) -> Screened:
        return await do(by.station, TypeCode(typed.code))

    @api.post("/sales/current/cancel")
    async def cancel(by: Annotated[Actor, acting]) -> Screened:
        return await do(by.station, Cancel())

    @api.post("/sales/current/query")
    async def query(by: Annotated[Actor, acting]) -> Screened:
        return await do(by.station, QuerySale())

    @api.post("/sales/current/reverse")
    async def reverse(by: Annotated[Actor, acting]) -> Screened:
        return await do(by.station, Reverse())

    @api.post("/sales/current/dismiss")
    async def dismiss(by: Annotated[Actor, acting]) -> Screened:
        return await do(by.station, Dismiss())

    @api.post("/sales/current/again")
    async def again(by: Annotated[Actor, acting]) -> Screened:
        """A new try of a sale that came to nothing: the same amount and goods, another attempt."""
        shown = by.station.shell.screen
        if shown.kind not in {"declined", "closed", "expired"} or shown.amount_minor is None:
            raise CallerError("payment_state", f"{shown.kind} is on the screen")
        # Before the screen goes: whoever follows it draws the keypad with the draft there is.
        sale = by.station.agent.current()
        note = sale.description if isinstance(sale, Sale) else ""
        by.station.drafts.again(shown.subject or "", amount_minor=shown.amount_minor, note=note)
        return await do(by.station, Dismiss())


def _past_commands(api: APIRouter, gate: Gate) -> None:
    """Commands about any payment of the journal, not only the one on the screen."""
    acting = Depends(gate.act)

    @api.post("/payments/query")
    async def query_one(subject: SubjectIn, by: Annotated[Actor, acting]) -> Screened:
        return await do(by.station, QuerySale(subject.payment_id))

    @api.post("/payments/reverse")
    async def reverse_one(subject: SubjectIn, by: Annotated[Actor, acting]) -> Screened:
        return await do(by.station, Reverse(subject.payment_id))

    @api.post("/items/given")
    async def item_given(subject: SubjectIn, by: Annotated[Actor, acting]) -> Screened:
        """For the owner; not on the page, which is the customers' at a machine."""
        return await do(by.station, ConfirmItem(subject.payment_id))

    @api.post("/receipts/reprint")
    async def reprint(subject: SubjectIn, by: Annotated[Actor, acting]) -> Screened:
        """The last receipt again, marked COPY; the printer's code where it prints nothing."""
        last_id = by.station.agent.last_receipt_id(subject.payment_id)
        return await do_print(by.station, Reprint(subject.payment_id), last_id)

    @api.post("/refunds")
    async def refund(wanted: RefundIn, by: Annotated[Actor, acting]) -> Screened:
        await gate.approval(by, wanted.approval)
        return await do(by.station, StartRefund(**wanted.model_dump(exclude={"approval"})))


def _views(api: APIRouter, gate: Gate, places: Places) -> None:
    looking, looking_back = Depends(gate.look), Depends(gate.look_back)

    @api.get("/screen")
    async def screen(at: Annotated[Station, looking]) -> Screened:
        return screen_out(at.shell.screen, at.shell.revision)

    @api.get("/payments")
    async def payments(
        at: Annotated[Station, looking_back],
        limit: Annotated[int, Query(ge=1, le=RECENT_MAX)] = RECENT_DEFAULT,
        q: Annotated[str, Query(max_length=SEARCH_CHARS_MAX)] = "",
    ) -> list[Screened]:
        """The latest, or those whose number ends with ``q``."""
        found = at.agent.find(q, limit) if q else at.agent.recent(limit)
        return [_told(at, sale) for sale in found]

    @api.get("/items/unsettled")
    async def unsettled(at: Annotated[Station, looking_back]) -> list[Screened]:
        """Goods that the owner must look after."""
        return [_told(at, sale) for sale in at.agent.unsettled_items()]

    @api.get("/payments/{payment_id}")
    async def payment(payment_id: str, at: Annotated[Station, looking_back]) -> Screened:
        sale = at.agent.sale(payment_id)
        if sale is None:
            raise CallerError("payment_not_found")
        return _told(at, sale)

    @api.get("/refunds/{refund_id}")
    async def refund(refund_id: str, at: Annotated[Station, looking_back]) -> Screened:
        found = at.agent.refund(refund_id)
        if found is None:
            raise CallerError("refund_not_found")
        return refund_out(found, at.agent.mark_of(refund_id))

    @api.get("/sales/current/qr.png")
    async def qr(at: Annotated[Station, looking]) -> Response:
        if at.shell.screen.code_url is None:
            raise HTTPException(404)
        return Response(pictures.png(at.shell.screen.code_url), media_type="image/png")

    @api.get("/events", dependencies=[Depends(places.enter)], response_class=EventSourceResponse)
    async def events(
        request: Request, at: Annotated[Station, looking]
    ) -> AsyncIterator[ServerSentEvent]:
        async for revision, shown in at.shell.screens(after=last_event_id(request)):
            yield event("screen", revision, screen_out(shown, revision))
