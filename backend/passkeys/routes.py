"""``/wallet/v1/passkeys``: a payer's passkeys. What they confirm is asked where it is done."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse

from backend.passkeys.desk import PasskeyAskedError, PasskeyDesk
from backend.passkeys.schemas import NewPasskey, PasskeyNamed, PasskeyOffer

Offer = Callable[[str, PasskeyOffer], Awaitable[dict[str, Any]]]


def add_wallet_routes(
    routes: APIRouter,
    desk: PasskeyDesk,
    payer: Any,  # noqa: ANN401  # an annotation
    offer: Offer,
) -> None:
    """Add to the wallet's router what a payer does with passkeys; ``offer`` checks the PIN."""

    @routes.get("/passkeys")
    async def of_payer(payer_id: payer) -> dict[str, Any]:
        return {"passkeys": await desk.of_payer(payer_id), "origins": desk.site.origins}

    @routes.post("/passkeys/offers")
    async def offered(payer_id: payer, body: PasskeyOffer) -> dict[str, Any]:
        return await offer(payer_id, body)

    @routes.post("/passkeys", status_code=201)
    async def add(payer_id: payer, body: NewPasskey) -> dict[str, Any]:
        return await desk.add(payer_id, body.name, body.credential.registration())

    @routes.post("/passkeys/{credential_id}/name")
    async def name(payer_id: payer, credential_id: str, body: PasskeyNamed) -> dict[str, Any]:
        return await desk.rename(payer_id, credential_id, body.name)

    @routes.post("/passkeys/{credential_id}/remove")
    async def remove(payer_id: payer, credential_id: str) -> dict[str, Any]:
        await desk.remove(payer_id, credential_id)
        return {"passkeys": await desk.of_payer(payer_id)}


def answer_asked(app: FastAPI) -> None:
    """Let calls that ask for a challenge be answered with it."""

    @app.exception_handler(PasskeyAskedError)
    async def on_asked(_: Request, asked: PasskeyAskedError) -> JSONResponse:
        return JSONResponse({"passkey": asked.options})
