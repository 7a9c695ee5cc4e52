"""HTTP about a payer's instruments, under the wallet's own address and bearer token."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from backend.db.tables import Row
from backend.instruments.limits import (
    BANK_CHARS_MAX,
    CHANNELS_PER_INSTRUMENT_MAX,
    TOKEN_CHARS_MAX,
)
from backend.instruments.model import BALANCE, HOME_CHANNELS, InstrumentKind
from backend.instruments.repository import InstrumentRepository
from backend.instruments.service import AddInstrument, AddToken, ChooseDefault, RemoveInstrument
from backend.payments.services import Services
from backend.wallet.repository import WalletRepository
from backend.wanted import Wanted
from protocol.limits import IDENTIFIER_CHARS_MAX

_Id = Annotated[str, Field(min_length=1, max_length=IDENTIFIER_CHARS_MAX)]


_Token = Annotated[str, Field(min_length=1, max_length=TOKEN_CHARS_MAX)]


class NewInstrument(Wanted):
    """``POST /wallet/v1/instruments``. ``token`` is what its home channel calls it, ``tokens`` what
    others do; never a card's number."""

    instrument_id: _Id
    kind: InstrumentKind = Field(strict=False)
    bank: Annotated[str, Field(min_length=1, max_length=BANK_CHARS_MAX)]
    last4: Annotated[str, Field(pattern=r"^[0-9]{4}$")]
    token: _Token
    tokens: dict[_Id, _Token] = Field(default={}, max_length=CHANNELS_PER_INSTRUMENT_MAX)


class NewToken(Wanted):
    """``PUT /wallet/v1/instruments/{id}/tokens/{channel}``."""

    token: _Token


class Chosen(Wanted):
    """``POST /wallet/v1/instruments/default``: an instrument of the payer's, or ``balance``."""

    instrument_id: _Id


def add_routes(routes: APIRouter, services: Services, payer: Any) -> None:  # noqa: ANN401  # an annotation
    """Add to the wallet's router what a payer does with instruments."""
    instruments, payers = (
        InstrumentRepository(services.reader),
        WalletRepository(services.reader),
    )

    @routes.get("/instruments")
    async def list_instruments(payer_id: payer) -> dict[str, Any]:
        rows = await services.run_read(lambda: instruments.of_payer(payer_id))
        found = await services.run_read(lambda: payers.payer(payer_id))
        default = found["default_instrument_id"] or BALANCE
        return {"instruments": [_shown(row) for row in rows], "default": default}

    @routes.post("/instruments", status_code=201)
    async def add(payer_id: payer, body: NewInstrument) -> dict[str, Any]:
        command = AddInstrument(
            instrument_id=body.instrument_id,
            payer_id=payer_id,
            kind=body.kind,
            bank=body.bank,
            last4=body.last4,
            tokens=dict.fromkeys(HOME_CHANNELS[body.kind], body.token) | body.tokens,
        )
        return _shown(await services.submit(command))

    @routes.put("/instruments/{instrument_id}/tokens/{channel_id}")
    async def add_token(
        payer_id: payer, instrument_id: str, channel_id: str, body: NewToken
    ) -> dict[str, Any]:
        command = AddToken(
            instrument_id=instrument_id,
            payer_id=payer_id,
            channel_id=channel_id,
            token=body.token,
        )
        return _shown(await services.submit(command))

    @routes.post("/instruments/default")
    async def choose_default(payer_id: payer, body: Chosen) -> dict[str, Any]:
        command = ChooseDefault(instrument_id=body.instrument_id, payer_id=payer_id)
        return {"default": await services.submit(command)}

    @routes.delete("/instruments/{instrument_id}")
    async def remove(payer_id: payer, instrument_id: str) -> dict[str, Any]:
        command = RemoveInstrument(instrument_id=instrument_id, payer_id=payer_id)
        return _shown(await services.submit(command))


def _shown(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in ("instrument_id", "kind", "bank", "last4", "status")}
