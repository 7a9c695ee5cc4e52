"""``/v3/pay/partner/transactions``, and whom operators appoint."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response

from backend.guard import Guard
from backend.merchant_api.keys.desk import Account
from backend.merchant_api.limits import OUT_TRADE_NO_CHARS_MAX
from backend.merchant_api.orders.model import h5_url, prepay_id
from backend.merchant_api.partners.desk import PartnerDesk
from backend.merchant_api.partners.schemas import (
    NewBinding,
    NewPartnerCodePayment,
    NewPartnerH5Order,
    NewPartnerJsapiOrder,
    NewPartnerOrder,
    PartnerClose,
    PartnerReverse,
)
from backend.merchant_api.partners.service import Bind
from backend.merchant_api.wire.asked import NUMBER_IN_PATH
from backend.merchant_api.wire.gate import caller_of
from backend.payments.services import Services
from backend.wallet.model import compatible_code_url

_PAY = "/pay/partner/transactions"
_Number = Annotated[
    str, Path(pattern=NUMBER_IN_PATH, min_length=1, max_length=OUT_TRADE_NO_CHARS_MAX)
]
_Caller = Annotated[Account, Depends(caller_of)]
_MchId = Annotated[str, Query(min_length=1, max_length=32)]


def add_routes(routes: APIRouter, desk: PartnerDesk) -> None:
    """What a merchant's program may do, done by its service provider's."""
    _add_orders(routes, desk)

    @routes.get(f"{_PAY}/out-trade-no/{{out_trade_no}}")
    async def by_number(
        caller: _Caller, out_trade_no: _Number, sp_mchid: _MchId, sub_mchid: _MchId
    ) -> dict[str, Any]:
        return await desk.by_number(caller, out_trade_no, sp_mchid=sp_mchid, sub_mchid=sub_mchid)

    @routes.get(f"{_PAY}/id/{{transaction_id}}")
    async def by_id(
        caller: _Caller, transaction_id: _Number, sp_mchid: _MchId, sub_mchid: _MchId
    ) -> dict[str, Any]:
        return await desk.by_transaction(
            caller, transaction_id, sp_mchid=sp_mchid, sub_mchid=sub_mchid
        )

    @routes.post(f"{_PAY}/out-trade-no/{{out_trade_no}}/close", status_code=204)
    async def close(caller: _Caller, out_trade_no: _Number, body: PartnerClose) -> Response:
        await desk.close(caller, out_trade_no, sp_mchid=body.sp_mchid, sub_mchid=body.sub_mchid)
        return Response(status_code=204)

    @routes.post(f"{_PAY}/codepay")
    async def codepay(
        caller: _Caller, body: NewPartnerCodePayment, response: Response
    ) -> dict[str, Any]:
        response.status_code, answer = await desk.pay_by_code(caller, body)
        return answer

    @routes.post(f"{_PAY}/out-trade-no/{{out_trade_no}}/reverse")
    async def reverse(
        caller: _Caller, out_trade_no: _Number, body: PartnerReverse
    ) -> dict[str, Any]:
        return await desk.reverse(caller, out_trade_no, body)


def _add_orders(routes: APIRouter, desk: PartnerDesk) -> None:
    @routes.post(f"{_PAY}/native")
    async def native(caller: _Caller, body: NewPartnerOrder) -> dict[str, Any]:
        order = await desk.create(caller, body, "NATIVE")
        return {"code_url": compatible_code_url(order["payment_id"])}

    @routes.post(f"{_PAY}/jsapi")
    async def jsapi(caller: _Caller, body: NewPartnerJsapiOrder) -> dict[str, Any]:
        order = await desk.create(caller, body, "JSAPI")
        return {"prepay_id": prepay_id(order["payment_id"], order["created_at_ms"])}

    @routes.post(f"{_PAY}/app")
    async def in_app(caller: _Caller, body: NewPartnerOrder) -> dict[str, Any]:
        order = await desk.create(caller, body, "APP")
        return {"prepay_id": prepay_id(order["payment_id"], order["created_at_ms"])}

    @routes.post(f"{_PAY}/h5")
    async def h5(caller: _Caller, body: NewPartnerH5Order) -> dict[str, Any]:
        order = await desk.create(caller, body, "MWEB")
        prepay = prepay_id(order["payment_id"], order["created_at_ms"])
        return {"h5_url": h5_url(prepay, order["payment_id"])}


def operator_router(services: Services, operator_only: Guard) -> APIRouter:
    """``/operator/v1/merchant-api/bindings``: operators appoint service providers."""
    routes = APIRouter(
        prefix="/operator/v1/merchant-api",
        tags=["operator"],
        dependencies=[Depends(operator_only)],
    )

    @routes.post("/bindings")
    async def bind(body: NewBinding) -> dict[str, Any]:
        command = Bind(sp_mchid=body.sp_mchid, sub_mchid=body.sub_mchid, is_on=body.is_on)
        await services.submit(command)
        return body.model_dump()

    return routes
