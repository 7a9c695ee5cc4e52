"""HTTP of adding a card by its number, under the wallet's own address and bearer token."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from backend.instruments.binding import CardBinding, WantedCard
from backend.instruments.limits import (
    CARD_CODE_CHARS_MAX,
    CARD_NUMBER_CHARS_MAX,
    PHONE_CHARS_MAX,
    SEAL_CHARS_MAX,
)
from backend.payments.services import Services
from backend.wallet.desk import WalletDesk
from backend.wallet.routes import bearer_token
from backend.wanted import Wanted
from protocol.limits import IDENTIFIER_CHARS_MAX

_Id = Annotated[str, Field(min_length=1, max_length=IDENTIFIER_CHARS_MAX)]


class NewCard(Wanted):
    """``POST /wallet/v1/cards``: the bank sends a code to its customer's phone."""

    instrument_id: _Id
    number: Annotated[str, Field(min_length=1, max_length=CARD_NUMBER_CHARS_MAX, repr=False)]
    phone: Annotated[str, Field(pattern=r"^[0-9]{6,15}$", max_length=PHONE_CHARS_MAX, repr=False)]


class CardCode(Wanted):
    """``POST /wallet/v1/cards/{instrument_id}/code``: the code, with the first answer's seal."""

    code: Annotated[str, Field(min_length=1, max_length=CARD_CODE_CHARS_MAX, repr=False)]
    seal: Annotated[str, Field(min_length=1, max_length=SEAL_CHARS_MAX, repr=False)]


def wallet_router(services: Services, binding: CardBinding) -> APIRouter:
    """``/wallet/v1/cards``, where a channel makes agreements with banks."""
    wallet = WalletDesk(services)
    routes = APIRouter(prefix="/wallet/v1/cards", tags=["wallet"])

    async def payer_of(request: Request) -> str:
        return await wallet.authenticate(bearer_token(request))

    payer = Annotated[str, Depends(payer_of)]

    @routes.post("")
    async def begin(payer_id: payer, body: NewCard) -> dict[str, Any]:
        begun = await binding.begin(payer_id, WantedCard(**body.model_dump()))
        names = ("instrument_id", "bank", "last4", "seal")
        return {name: getattr(begun, name) for name in names}

    @routes.post("/{instrument_id}/code", status_code=201)
    async def finish(payer_id: payer, instrument_id: str, body: CardCode) -> dict[str, Any]:
        begun = binding.begun(payer_id, instrument_id, body.seal)
        row = await binding.finish(payer_id, begun, body.code)
        return {name: row[name] for name in ("instrument_id", "kind", "bank", "last4", "status")}

    return routes
