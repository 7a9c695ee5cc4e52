"""HTTP about mandates: the payer's side in the wallet, and the merchant's through an operator."""

from typing import Any

from fastapi import APIRouter, Depends

from backend.db.tables import Row
from backend.guard import Guard
from backend.mandates.desk import MandateDesk
from backend.mandates.model import MandateCommand, Side
from backend.mandates.notices import AnnounceDebit
from backend.mandates.schemas import NewNotice, SignedMandate
from backend.payments.services import Services
from protocol.messages.mandate import MandateText


def add_wallet_routes(routes: APIRouter, services: Services, payer: Any) -> None:  # noqa: ANN401  # an annotation
    """``/wallet/v1/mandates`` and ``/wallet/v1/notices``; ``payer`` is whose token it is."""
    desk = MandateDesk(services)

    @routes.get("/mandates")
    async def mandates(payer_id: payer) -> dict[str, Any]:
        return await desk.mandates(Side.PAYER, payer_id)

    @routes.post("/mandates", status_code=201)
    async def create_mandate(payer_id: payer, body: SignedMandate) -> dict[str, Any]:
        if body.signed is not None:
            return await desk.create(payer_id, bytes.fromhex(body.signed))
        text = MandateText.from_map({**(body.text or {}), "payer_id": payer_id})
        return await desk.create(payer_id, await desk.signed(body, text))

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
        return await desk.end_notice(Side.PAYER, payer_id, notice_id)


def operator_router(services: Services, operator_only: Guard) -> APIRouter:
    """``/operator/v1/merchants/{merchant_id}/mandates``: on behalf of the merchant."""
    desk = MandateDesk(services)
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
        return await desk.end_notice(Side.MERCHANT, merchant_id, notice_id)

    @routes.post("/{mandate_id}/{command}")
    async def change(merchant_id: str, mandate_id: str, command: MandateCommand) -> dict[str, Any]:
        return await desk.change(Side.MERCHANT, merchant_id, mandate_id, command)

    return routes
