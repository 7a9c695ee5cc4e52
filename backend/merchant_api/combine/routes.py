"""``/v3/combine-transactions``: orders that are paid at once."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response

from backend.merchant_api.combine.desk import CombineDesk
from backend.merchant_api.combine.schemas import (
    CloseCombined,
    NewCombine,
    NewH5Combine,
    NewJsapiCombine,
)
from backend.merchant_api.keys.desk import Account
from backend.merchant_api.limits import OUT_TRADE_NO_CHARS_MAX
from backend.merchant_api.orders.model import h5_url, prepay_id
from backend.merchant_api.wire.asked import NUMBER_IN_PATH
from backend.merchant_api.wire.gate import caller_of
from backend.wallet.model import compatible_code_url

_Number = Annotated[
    str, Path(pattern=NUMBER_IN_PATH, min_length=1, max_length=OUT_TRADE_NO_CHARS_MAX)
]
_Caller = Annotated[Account, Depends(caller_of)]


def add_routes(routes: APIRouter, desk: CombineDesk) -> None:
    """Ask to be paid, look, give up."""

    @routes.post("/combine-transactions/native")
    async def native(caller: _Caller, body: NewCombine) -> dict[str, Any]:
        made = await desk.create(caller, body, "NATIVE")
        return {"code_url": compatible_code_url(made["lead_id"])}

    @routes.post("/combine-transactions/jsapi")
    async def jsapi(caller: _Caller, body: NewJsapiCombine) -> dict[str, Any]:
        made = await desk.create(caller, body, "JSAPI")
        return {"prepay_id": prepay_id(made["lead_id"], made["created_at_ms"])}

    @routes.post("/combine-transactions/app")
    async def in_app(caller: _Caller, body: NewCombine) -> dict[str, Any]:
        made = await desk.create(caller, body, "APP")
        return {"prepay_id": prepay_id(made["lead_id"], made["created_at_ms"])}

    @routes.post("/combine-transactions/h5")
    async def h5(caller: _Caller, body: NewH5Combine) -> dict[str, Any]:
        made = await desk.create(caller, body, "MWEB")
        prepay = prepay_id(made["lead_id"], made["created_at_ms"])
        return {"h5_url": h5_url(prepay, made["lead_id"])}

    @routes.get("/combine-transactions/out-trade-no/{combine_out_trade_no}")
    async def by_number(caller: _Caller, combine_out_trade_no: _Number) -> dict[str, Any]:
        return await desk.by_number(caller, combine_out_trade_no)

    @routes.post("/combine-transactions/out-trade-no/{combine_out_trade_no}/close", status_code=204)
    async def close(
        caller: _Caller, combine_out_trade_no: _Number, body: CloseCombined
    ) -> Response:
        await desk.close(caller, combine_out_trade_no, body)
        return Response(status_code=204)
