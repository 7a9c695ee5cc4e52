"""``/wallet/v1/merchant-transfers``: what merchants have given, and taking it."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request

from backend.merchant_transfers.model import TransferStep
from backend.merchant_transfers.repository import TransferRepository
from backend.merchant_transfers.service import EndTransfer
from backend.payments.services import Services
from backend.wallet.desk import WalletDesk
from backend.wallet.routes import bearer_token

_SHOWN = (
    "transfer_id", "merchant_id", "amount_minor", "currency", "remark", "state", "reason",
    "created_at_ms", "expires_at_ms",
)  # fmt: skip


def add_wallet_routes(routes: APIRouter, services: Services) -> None:
    """By the payer's bearer token, as the rest of the wallet."""
    desk = WalletDesk(services)
    transfers = TransferRepository(services.reader)

    @routes.get("/merchant-transfers")
    async def of_receiver(request: Request) -> dict[str, Any]:
        payer_id = await desk.authenticate(bearer_token(request))
        rows = await services.run_read(lambda: transfers.of_receiver(payer_id))
        return {"transfers": [_shown(row) for row in rows]}

    @routes.post("/merchant-transfers/{transfer_id}/take")
    async def take(request: Request, transfer_id: str) -> dict[str, Any]:
        payer_id = await desk.authenticate(bearer_token(request))
        command = EndTransfer(
            transfer_id=transfer_id, step=TransferStep.TAKE, by=payer_id, rules=services.rules
        )
        return _shown(await services.submit(command))


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in _SHOWN}
