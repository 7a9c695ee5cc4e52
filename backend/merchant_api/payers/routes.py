"""``/wallet/v1/openid``: what a payer's app tells a merchant's, so that it may ask for money.

Rule: to an app that a merchant number has, and no other: so what is kept has a bound.
"""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field

from backend.merchant_api.keys.desk import AccountDesk
from backend.merchant_api.limits import APPID_CHARS_MAX
from backend.merchant_api.orders.model import openid_of
from backend.merchant_api.payers.service import TellOpenId
from backend.payments.services import Services
from backend.wallet.desk import WalletDesk
from backend.wallet.routes import bearer_token
from backend.wanted import Wanted
from protocol.errors import CallerError


class App(Wanted):
    """``POST /wallet/v1/openid``."""

    appid: Annotated[str, Field(min_length=1, max_length=APPID_CHARS_MAX)]


def add_routes(
    routes: APIRouter, services: Services, accounts: AccountDesk, openid_key: bytes
) -> None:
    """By the payer's bearer token, as the rest of the wallet."""
    desk = WalletDesk(services)

    @routes.post("/openid")
    async def openid(request: Request, body: App) -> dict[str, str]:
        payer_id = await desk.authenticate(bearer_token(request))
        if not await accounts.is_app(body.appid):
            raise CallerError("field_invalid", "appid")
        name = openid_of(openid_key, body.appid, payer_id)
        command = TellOpenId(openid=name, appid=body.appid, payer_id=payer_id)
        await services.submit(command)
        return {"appid": body.appid, "openid": name}
