"""``/v3/pay/transactions/codepay`` and its reversal."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response

from backend.merchant_api.codepay.desk import CodePayDesk
from backend.merchant_api.codepay.schemas import NewCodePayment, Reverse
from backend.merchant_api.keys.desk import Account
from backend.merchant_api.limits import OUT_TRADE_NO_CHARS_MAX
from backend.merchant_api.wire.asked import NUMBER_IN_PATH
from backend.merchant_api.wire.gate import caller_of

_Number = Annotated[
    str, Path(pattern=NUMBER_IN_PATH, min_length=1, max_length=OUT_TRADE_NO_CHARS_MAX)
]
_Caller = Annotated[Account, Depends(caller_of)]


def add_routes(routes: APIRouter, desk: CodePayDesk) -> None:
    """Take a payer's code; undo it."""

    @routes.post("/pay/transactions/codepay")
    async def codepay(caller: _Caller, body: NewCodePayment, response: Response) -> dict[str, Any]:
        response.status_code, answer = await desk.pay(caller, body)
        return answer

    @routes.post("/pay/transactions/out-trade-no/{out_trade_no}/reverse")
    async def reverse(caller: _Caller, out_trade_no: _Number, body: Reverse) -> dict[str, str]:
        return await desk.reverse(caller, out_trade_no, appid=body.appid, mchid=body.mchid)
