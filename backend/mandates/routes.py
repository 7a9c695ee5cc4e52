"""HTTP about mandates: the payer's side in the wallet, and the merchant's through an operator."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Depends, Request

from backend.db.tables import Row
from backend.mandates.model import MandateCommand, Side
from backend.mandates.notices import AnnounceDebit, EndNotice
from backend.mandates.repository import MandateRepository
from backend.mandates.schemas import NewNotice, SignedMandate
from backend.mandates.service import PARTY, ChangeMandate, CreateMandate
from backend.payments.services import Services
from protocol.errors import CallerError

Guard = Callable[[Request], Awaitable[None]]
_HIDDEN = frozenset({"signed", "open_notices", "event_count", "notify_url", "notify_form"})


def add_wallet_routes(routes: APIRouter, services: Services, payer: Any) -> None:  # noqa: ANN401  # an annotation
    """``/wallet/v1/mandates`` and ``/wallet/v1/notices``; ``payer`` is whose token it is."""
    desk = _Desk(services)

    @routes.get("/mandates")
    async def mandates(payer_id: payer) -> dict[str, Any]:
        return await desk.mandates(Side.PAYER, payer_id)

    @routes.post("/mandates", status_code=201)
    async def create_mandate(payer_id: payer, body: SignedMandate) -> dict[str, Any]:
        command = CreateMandate(payer_id=payer_id, signed=bytes.fromhex(body.signed))
        return shown_mandate(await services.submit(command))

    @routes.get("/mandates/{mandate_id}")
    async def mandate(payer_id: payer, mandate_id: str) -> dict[str, Any]:
        return await desk.mandate(Side.PAYER, payer_id, mandate_id)

    @routes.post("/mandates/{mandate_id}/{command}")
    async def change_mandate(
        payer_id: payer, mandate_id: str, command: MandateCommand
    ) -> dict[str, Any]:
        return await desk.change(Side.PAYER, payer_id, mandate_id, command)

    @routes.get("/notices")
    async def notices(payer_id: payer) -> dict[str, Any]:
        return await desk.notices(payer_id)

    @routes.post("/notices/{notice_id}/refuse")
    async def refuse(payer_id: payer, notice_id: str) -> dict[str, Any]:
        command = EndNotice(side=Side.PAYER, party_id=payer_id, notice_id=notice_id)
        notice: Row = await services.submit(command)
        return notice


def operator_router(services: Services, operator_only: Guard) -> APIRouter:
    """``/operator/v1/merchants/{merchant_id}/mandates``: on behalf of the merchant."""
    desk = _Desk(services)
    routes = APIRouter(
        prefix="/operator/v1/merchants/{merchant_id}/mandates",
        tags=["operator"],
        dependencies=[Depends(operator_only)],
    )

    @routes.get("")
    async def mandates(merchant_id: str) -> dict[str, Any]:
        return await desk.mandates(Side.MERCHANT, merchant_id)

    @routes.get("/{mandate_id}")
    async def mandate(merchant_id: str, mandate_id: str) -> dict[str, Any]:
        return await desk.mandate(Side.MERCHANT, merchant_id, mandate_id)

    @routes.post("/{mandate_id}/notices", status_code=201)
    async def announce(merchant_id: str, mandate_id: str, body: NewNotice) -> dict[str, Any]:
        command = AnnounceDebit(mandate_id=mandate_id, merchant_id=merchant_id, **body.model_dump())
        notice: Row = await services.submit(command)
        return notice

    @routes.post("/{mandate_id}/notices/{notice_id}/withdraw")
    async def withdraw(merchant_id: str, mandate_id: str, notice_id: str) -> dict[str, Any]:  # noqa: ARG001  # part of the path
        command = EndNotice(side=Side.MERCHANT, party_id=merchant_id, notice_id=notice_id)
        notice: Row = await services.submit(command)
        return notice

    @routes.post("/{mandate_id}/{command}")
    async def change(merchant_id: str, mandate_id: str, command: MandateCommand) -> dict[str, Any]:
        return await desk.change(Side.MERCHANT, merchant_id, mandate_id, command)

    return routes


def shown_mandate(row: Row) -> dict[str, Any]:
    """A mandate as its two sides may see it."""
    return {name: value for name, value in row.items() if name not in _HIDDEN}


class _Desk:
    """What both sides may ask of a mandate of theirs."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._repository = MandateRepository(services.reader)

    async def mandates(self, side: Side, party_id: str) -> dict[str, Any]:
        found = self._repository
        read = found.of_payer if side is Side.PAYER else found.of_merchant
        rows = await self._services.run_read(lambda: read(party_id))
        return {"mandates": [shown_mandate(row) for row in rows]}

    async def mandate(self, side: Side, party_id: str, mandate_id: str) -> dict[str, Any]:
        run, found = self._services.run_read, self._repository
        row = await run(lambda: found.mandate(mandate_id))
        if row is None or row[PARTY[side]] != party_id:
            raise CallerError("mandate_not_found", mandate_id)
        return shown_mandate(row) | {
            "timeline": await run(lambda: found.timeline(mandate_id)),
            "notices": await run(lambda: found.notices(mandate_id)),
            "uses": await run(lambda: found.uses(mandate_id)),
        }

    async def change(
        self, side: Side, party_id: str, mandate_id: str, command: MandateCommand
    ) -> dict[str, Any]:
        change = ChangeMandate(side=side, party_id=party_id, mandate_id=mandate_id, command=command)
        return shown_mandate(await self._services.submit(change))

    async def notices(self, payer_id: str) -> dict[str, Any]:
        rows = await self._services.run_read(lambda: self._repository.notices_of_payer(payer_id))
        return {"notices": rows}
