"""``/v3/pay/transactions``: orders of merchants' programs."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response

from backend.merchant_api.keys.desk import Account
from backend.merchant_api.limits import OUT_TRADE_NO_CHARS_MAX
from backend.merchant_api.orders.desk import OrderDesk
from backend.merchant_api.orders.model import h5_url, prepay_id
from backend.merchant_api.orders.schemas import Close, NewH5Order, NewJsapiOrder, NewOrder
from backend.merchant_api.wire.asked import NUMBER_IN_PATH
from backend.merchant_api.wire.gate import caller_of
from backend.wallet.model import compatible_code_url

_Number = Annotated[
    str, Path(pattern=NUMBER_IN_PATH, min_length=1, max_length=OUT_TRADE_NO_CHARS_MAX)
]
_Caller = Annotated[Account, Depends(caller_of)]
_MchId = Annotated[str, Query(min_length=1, max_length=32)]


def add_routes(routes: APIRouter, desk: OrderDesk) -> None:
    """Ask to be paid, look, give up."""

    @routes.post("/pay/transactions/native")
    async def native(caller: _Caller, body: NewOrder) -> dict[str, Any]:
        order = await desk.create(caller, body, "NATIVE")
        return {"code_url": compatible_code_url(order["payment_id"])}

    @routes.post("/pay/transactions/jsapi")
    async def jsapi(caller: _Caller, body: NewJsapiOrder) -> dict[str, Any]:
        order = await desk.create(caller, body, "JSAPI")
        return {"prepay_id": prepay_id(order["payment_id"], order["created_at_ms"])}

    @routes.post("/pay/transactions/app")
    async def in_app(caller: _Caller, body: NewOrder) -> dict[str, Any]:
        order = await desk.create(caller, body, "APP")
        return {"prepay_id": prepay_id(order["payment_id"], order["created_at_ms"])}

    @routes.post("/pay/transactions/h5")
    async def h5(caller: _Caller, body: NewH5Order) -> dict[str, Any]:
        order = await desk.create(caller, body, "MWEB")
        prepay = prepay_id(order["payment_id"], order["created_at_ms"])
        return {"h5_url": h5_url(prepay, order["payment_id"])}

    @routes.get("/pay/transactions/out-trade-no/{out_trade_no}")
    async def by_number(caller: _Caller, out_trade_no: _Number, mchid: _MchId) -> dict[str, Any]:
        return await desk.by_number(caller, out_trade_no, mchid)

    @routes.get("/pay/transactions/id/{transaction_id}")
    async def by_id(caller: _Caller, transaction_id: _Number, mchid: _MchId) -> dict[str, Any]:
        return await desk.by_transaction(caller, transaction_id, mchid)

    @routes.post("/pay/transactions/out-trade-no/{out_trade_no}/close", status_code=204)
    async def close(caller: _Caller, out_trade_no: _Number, body: Close) -> Response:
        await desk.close(caller, out_trade_no, body.mchid)
        return Response(status_code=204)
