"""The control API: JSON for programs (the demo, a cash register) and for the till's own page.

A command answers with the screen after it, at once; what becomes of it is followed by
``GET /api/events`` or read from ``GET /api/screen`` and ``GET /api/payments``.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from faces.stream import Places, event, last_event_id
from protocol.errors import CallerError
from terminal import vending
from terminal.agent import Agent
from terminal.inputs import (
    Cancel,
    CashierInput,
    ChooseMethod,
    ConfirmItem,
    Dismiss,
    Reprint,
    Reverse,
    StartRefund,
    StartSale,
)
from terminal.inputs import Query as QuerySale
from terminal.limits import RECENT_DEFAULT, RECENT_MAX
from terminal.shell import Shell
from terminal.web import pictures
from terminal.web.access import Access
from terminal.web.schemas import (
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
Do = Callable[[CashierInput], Awaitable[Screened]]


def router(shell: Shell, agent: Agent, access: Access, places: Places) -> APIRouter:
    """The API of one terminal."""
    api = APIRouter(prefix="/api")

    async def do(wish: CashierInput) -> Screened:
        screen = await shell.command(wish)
        return screen_out(screen, shell.revision)

    _commands(api, do, agent, access)
    _past_commands(api, do, access)
    _views(api, shell, agent, access, places)
    return api


def _commands(api: APIRouter, do: Do, agent: Agent, access: Access) -> None:
    may_write = [Depends(access.check_write)]

    @api.post("/sales", dependencies=may_write)
    async def start(sale: SaleIn) -> Screened:
        return await do(StartSale(**sale.model_dump()))

    @api.post("/vend", dependencies=may_write)
    async def vend(wanted: ItemIn) -> Screened:
        return await do(vending.select(agent.profile, wanted.item))

    @api.post("/sales/current/method", dependencies=may_write)
    async def choose(chosen: MethodIn) -> Screened:
        return await do(ChooseMethod(chosen.method))

    @api.post("/sales/current/cancel", dependencies=may_write)
    async def cancel() -> Screened:
        return await do(Cancel())

    @api.post("/sales/current/query", dependencies=may_write)
    async def query() -> Screened:
        return await do(QuerySale())

    @api.post("/sales/current/reverse", dependencies=may_write)
    async def reverse() -> Screened:
        return await do(Reverse())

    @api.post("/sales/current/dismiss", dependencies=may_write)
    async def dismiss() -> Screened:
        return await do(Dismiss())


def _past_commands(api: APIRouter, do: Do, access: Access) -> None:
    """Commands about any payment of the journal, not only the one on the screen."""
    may_write = [Depends(access.check_write)]

    @api.post("/payments/query", dependencies=may_write)
    async def query_one(subject: SubjectIn) -> Screened:
        return await do(QuerySale(subject.payment_id))

    @api.post("/payments/reverse", dependencies=may_write)
    async def reverse_one(subject: SubjectIn) -> Screened:
        return await do(Reverse(subject.payment_id))

    @api.post("/items/given", dependencies=may_write)
    async def item_given(subject: SubjectIn) -> Screened:
        """For the owner; not on the page, which is the customers' at a machine."""
        return await do(ConfirmItem(subject.payment_id))

    @api.post("/receipts/reprint", dependencies=may_write)
    async def reprint(subject: SubjectIn) -> Screened:
        return await do(Reprint(subject.payment_id))

    @api.post("/refunds", dependencies=may_write)
    async def refund(wanted: RefundIn) -> Screened:
        return await do(StartRefund(**wanted.model_dump()))


def _views(api: APIRouter, shell: Shell, agent: Agent, access: Access, places: Places) -> None:
    may_read = [Depends(access.check_read)]

    @api.get("/screen", dependencies=may_read)
    async def screen() -> Screened:
        return screen_out(shell.screen, shell.revision)

    @api.get("/payments", dependencies=may_read)
    async def payments(
        limit: Annotated[int, Query(ge=1, le=RECENT_MAX)] = RECENT_DEFAULT,
    ) -> list[Screened]:
        return [sale_out(sale, agent.refunds_of(sale.payment_id)) for sale in agent.recent(limit)]

    @api.get("/items/unsettled", dependencies=may_read)
    async def unsettled() -> list[Screened]:
        """Goods that the owner must look after."""
        return [
            sale_out(sale, agent.refunds_of(sale.payment_id)) for sale in agent.unsettled_items()
        ]

    @api.get("/payments/{payment_id}", dependencies=may_read)
    async def payment(payment_id: str) -> Screened:
        sale = agent.sale(payment_id)
        if sale is None:
            raise CallerError("payment_not_found")
        return sale_out(sale, agent.refunds_of(payment_id))

    @api.get("/refunds/{refund_id}", dependencies=may_read)
    async def refund(refund_id: str) -> Screened:
        found = agent.refund(refund_id)
        if found is None:
            raise CallerError("refund_not_found")
        return refund_out(found)

    @api.get("/sales/current/qr.png", dependencies=may_read)
    async def qr() -> Response:
        if shell.screen.code_url is None:
            raise HTTPException(404)
        return Response(pictures.png(shell.screen.code_url), media_type="image/png")

    @api.get(
        "/events",
        dependencies=[*may_read, Depends(places.enter)],
        response_class=EventSourceResponse,
    )
    async def events(request: Request) -> AsyncIterator[ServerSentEvent]:
        async for revision, shown in shell.screens(after=last_event_id(request)):
            yield event("screen", revision, screen_out(shown, revision))
