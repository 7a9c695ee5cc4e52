"""HTTP about vouchers: the wallet sets money aside with the payer's PIN, and fetches the texts."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field, SecretStr

from backend.offline.desk import OfflineDesk
from backend.offline.limits import VOUCHER_MINOR_MAX
from backend.payments.services import Services
from backend.wallet.limits import PIN_DIGITS
from backend.wanted import Wanted
from protocol.messages.base import CurrencyText, OfflineVoucherIdText

CheckPin = Callable[[str, str], Awaitable[None]]


class WantedVoucher(Wanted):
    """``POST /wallet/v1/offline-vouchers``; ``voucher_id`` is the wallet's (``ofv_…``)."""

    voucher_id: OfflineVoucherIdText
    amount_minor: Annotated[int, Field(gt=0, le=VOUCHER_MINOR_MAX)]
    currency: CurrencyText = "CNY"
    pin: Annotated[SecretStr, Field(min_length=PIN_DIGITS, max_length=PIN_DIGITS)]


def add_wallet_routes(
    routes: APIRouter,
    services: Services,
    payer: Any,  # noqa: ANN401  # an annotation
    check_pin: CheckPin,
) -> None:
    """Add to the wallet's router what a payer does with vouchers."""
    desk = OfflineDesk(services)

    @routes.post("/offline-vouchers", status_code=201)
    async def give(payer_id: payer, body: WantedVoucher) -> dict[str, Any]:
        await check_pin(payer_id, body.pin.get_secret_value())
        return await desk.give(payer_id, **body.model_dump(exclude={"pin"}))

    @routes.get("/offline-vouchers")
    async def vouchers(payer_id: payer) -> dict[str, Any]:
        return {"vouchers": await desk.vouchers(payer_id)}

    @routes.get("/offline-vouchers/{voucher_id}")
    async def voucher(payer_id: payer, voucher_id: str) -> dict[str, Any]:
        return await desk.voucher(payer_id, voucher_id)
