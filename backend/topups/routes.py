"""HTTP about top-ups, under the wallet's own address and bearer token."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from backend.payments.services import Services
from backend.topups.service import TopUps
from backend.wallet.desk import WalletDesk
from backend.wallet.routes import bearer_token
from backend.wanted import Wanted
from protocol.limits import IDENTIFIER_CHARS_MAX
from protocol.messages.base import CurrencyText, PositiveMinor
from protocol.money import Money

_Id = Annotated[str, Field(min_length=1, max_length=IDENTIFIER_CHARS_MAX)]
_SHOWN = ("topup_id", "state", "reason", "amount_minor", "currency", "settlement_date")


class WantedTopUp(Wanted):
    """``POST /wallet/v1/topups``; ``topup_id`` is the wallet's, ``top_…``."""

    topup_id: _Id
    instrument_id: _Id
    amount_minor: PositiveMinor
    currency: CurrencyText = "CNY"


def wallet_router(services: Services, topups: TopUps) -> APIRouter:
    """``/wallet/v1/topups``: how a payer fills the balance, where a channel brings money in."""
    wallet = WalletDesk(services)
    routes = APIRouter(prefix="/wallet/v1", tags=["wallet"])

    async def payer_of(request: Request) -> str:
        return await wallet.authenticate(bearer_token(request))

    payer = Annotated[str, Depends(payer_of)]

    @routes.post("/topups", status_code=201)
    async def top_up(payer_id: payer, body: WantedTopUp) -> dict[str, Any]:
        row = await topups.from_card(
            topup_id=body.topup_id,
            payer_id=payer_id,
            instrument_id=body.instrument_id,
            amount=Money(body.amount_minor, body.currency),
        )
        return {name: row[name] for name in _SHOWN}

    return routes
