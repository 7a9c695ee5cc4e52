"""``/wallet/v1/open-page`` and ``…/open-app``: what a page or an app hands to the wallet."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import Field

from backend.merchant_api.callup.model import CallUp, is_proven
from backend.merchant_api.combine.repository import CombineRepository
from backend.merchant_api.keys.desk import AccountDesk
from backend.merchant_api.limits import APPID_CHARS_MAX, CALL_UP_CHARS_MAX, NONCE_CHARS_MAX
from backend.merchant_api.orders.model import prepay_id
from backend.merchant_api.orders.repository import Found, OrderRepository
from backend.payments.groups import GROUPED
from backend.payments.services import Services
from backend.wallet.desk import WalletDesk
from backend.wallet.model import scanned_payment_id
from backend.wallet.routes import bearer_token
from backend.wanted import Wanted
from protocol.errors import CallerError

_AppId = Annotated[str, Field(min_length=1, max_length=APPID_CHARS_MAX)]
_Nonce = Annotated[str, Field(min_length=1, max_length=NONCE_CHARS_MAX)]
_Time = Annotated[str, Field(pattern=r"^[0-9]{1,12}$")]
_Text = Annotated[str, Field(min_length=1, max_length=CALL_UP_CHARS_MAX)]


class Page(Wanted):
    """What a page hands over, its names as pages write them."""

    appId: _AppId  # noqa: N815  # the interface's name
    timeStamp: _Time  # noqa: N815
    nonceStr: _Nonce  # noqa: N815
    package: _Text
    signType: Literal["RSA", "SM2", "MD5", "HMAC-SHA256"]  # noqa: N815
    paySign: _Text  # noqa: N815

    def call(self) -> CallUp:
        """What the page handed over, in the one form that pages and apps share."""
        return CallUp(
            appid=self.appId,
            timestamp=self.timeStamp,
            nonce=self.nonceStr,
            package=self.package,
            prepay_id="",
            partner_id="",
            sign_type=self.signType,
            sign=self.paySign,
        )


class App(Wanted):
    """What an app hands over, its names as apps write them."""

    appid: _AppId
    partnerid: _Text
    prepayid: _Text
    package: _Text
    noncestr: _Nonce
    timestamp: _Time
    sign: _Text

    def call(self) -> CallUp:
        """What the app handed over, in the one form that pages and apps share."""
        return CallUp(
            appid=self.appid,
            timestamp=self.timestamp,
            nonce=self.noncestr,
            package=self.package,
            prepay_id=self.prepayid,
            partner_id=self.partnerid,
            sign_type="",
            sign=self.sign,
        )


def add_routes(routes: APIRouter, services: Services, accounts: AccountDesk) -> None:
    """By the payer's bearer token; both answer as ``/wallet/v1/scan`` does."""
    desk = WalletDesk(services)
    orders = OrderRepository(services.reader)
    combines = CombineRepository(services.reader)

    async def asked_by(found: Found) -> str:
        """The merchant number that has asked for it, perhaps with others' orders."""
        order, payment = found
        mchid: str = order["mchid"]
        if payment["method"] != GROUPED:
            return mchid
        whole = await services.run_read(lambda: combines.of_lead(order["payment_id"]))
        return mchid if whole is None else str(whole.said["mchid"])

    async def opened(request: Request, call: CallUp, trade_type: str) -> dict[str, Any]:
        payer_id = await desk.authenticate(bearer_token(request))
        content = f"weixin://wap/pay?prepayid={call.opens}"
        payment_id = scanned_payment_id(content)
        found: Found | None = await services.run_read(lambda: orders.of_payment(payment_id))
        if found is None or found[0]["trade_type"] != trade_type:
            raise CallerError("payment_not_found", payment_id)
        order, _ = found
        account = await accounts.account(await asked_by(found))
        assert account is not None, "an order is of a merchant number"
        is_whole = prepay_id(payment_id, order["created_at_ms"]) == call.opens
        is_number = call.partner_id in {"", account.mchid, order["sub_mchid"]}
        is_theirs = is_number and call.appid in {order["appid"], order["sub_appid"]}
        if not is_whole or not is_theirs or not is_proven(call, account):
            raise CallerError("call_up_unproven", payment_id)
        return await desk.scan(payer_id, content)

    @routes.post("/open-page")
    async def open_page(request: Request, body: Page) -> dict[str, Any]:
        return await opened(request, body.call(), "JSAPI")

    @routes.post("/open-app")
    async def open_app(request: Request, body: App) -> dict[str, Any]:
        return await opened(request, body.call(), "APP")
