"""HTTP about vouchers: the wallet sets money aside with the payer's PIN, and fetches the texts;
operators look at what came back, and who bears it."""

from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from backend.guard import Guard
from backend.offline.desk import OfflineDesk
from backend.offline.limits import RETURNS_PER_LIST_MAX, VOUCHER_MINOR_MAX
from backend.offline.model import Bearer
from backend.offline.repository import OfflineRepository
from backend.passkeys.schemas import ByWord, CheckWord
from backend.payments.services import Services
from protocol.errors import CallerError
from protocol.messages.base import CurrencyText, OfflineVoucherIdText


class WantedVoucher(ByWord):
    """``POST /wallet/v1/offline-vouchers``; ``voucher_id`` is the wallet's (``ofv_…``)."""

    KIND: ClassVar[str] = "offline_voucher"
    voucher_id: OfflineVoucherIdText
    amount_minor: Annotated[int, Field(gt=0, le=VOUCHER_MINOR_MAX)]
    currency: CurrencyText = "CNY"


def add_wallet_routes(
    routes: APIRouter,
    services: Services,
    payer: Any,  # noqa: ANN401  # an annotation
    check_word: CheckWord,
) -> None:
    """Add to the wallet's router what a payer does with vouchers."""
    desk = OfflineDesk(services)

    @routes.post("/offline-vouchers", status_code=201)
    async def give(payer_id: payer, body: WantedVoucher) -> dict[str, Any]:
        await check_word(payer_id, body)
        return await desk.give(payer_id, **body.terms())

    @routes.get("/offline-vouchers")
    async def vouchers(payer_id: payer) -> dict[str, Any]:
        return {"vouchers": await desk.vouchers(payer_id)}

    @routes.get("/offline-vouchers/{voucher_id}")
    async def voucher(payer_id: payer, voucher_id: str) -> dict[str, Any]:
        return await desk.voucher(payer_id, voucher_id)


def operator_router(services: Services, operator_only: Guard) -> APIRouter:
    """``/operator/v1/offline``: the tokens that somebody bears, and one voucher with all of its."""
    found = OfflineRepository(services.reader)
    routes = APIRouter(
        prefix="/operator/v1/offline", tags=["operator"], dependencies=[Depends(operator_only)]
    )

    @routes.get("/returns")
    async def returns(
        bearer: Bearer, limit: Annotated[int, Query(ge=1, le=RETURNS_PER_LIST_MAX)] = 50
    ) -> dict[str, Any]:
        rows = await services.run_read(lambda: found.borne_by(bearer, limit))
        return {"returns": rows}

    @routes.get("/vouchers/{voucher_id}")
    async def voucher(voucher_id: str) -> dict[str, Any]:
        row = await services.run_read(lambda: found.voucher(voucher_id))
        if row is None:
            raise CallerError("offline_voucher_not_found", voucher_id)
        back = await services.run_read(lambda: found.returns_of(voucher_id))
        return {**row, "returns": back}

    return routes
