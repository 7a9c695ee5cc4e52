"""``/v3/merchant/fund``: balances and withdrawals."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query

from backend.merchant_api.funds.desk import FundsDesk
from backend.merchant_api.funds.schemas import AccountType, NewWithdrawal
from backend.merchant_api.keys.desk import Account
from backend.merchant_api.limits import OUT_REQUEST_NO_CHARS_MAX
from backend.merchant_api.wire.gate import caller_of

_Caller = Annotated[Account, Depends(caller_of)]
_Number = Annotated[str, Path(min_length=1, max_length=OUT_REQUEST_NO_CHARS_MAX)]
_Day = Annotated[date, Query(alias="date")]


def add_routes(routes: APIRouter, desk: FundsDesk) -> None:
    """Look at what there is, take it out, ask how that stands."""

    @routes.get("/merchant/fund/balance/{account_type}")
    async def balance(caller: _Caller, account_type: AccountType) -> dict[str, int]:
        return await desk.balance(caller, account_type)

    @routes.get("/merchant/fund/dayendbalance/{account_type}")
    async def day_end_balance(
        caller: _Caller, account_type: AccountType, day: _Day
    ) -> dict[str, int]:
        return await desk.day_end_balance(caller, account_type, day)

    @routes.post("/merchant/fund/withdraw")
    async def withdraw(caller: _Caller, body: NewWithdrawal) -> dict[str, str]:
        return await desk.withdraw(caller, body)

    @routes.get("/merchant/fund/withdraw/out-request-no/{out_request_no}")
    async def by_number(caller: _Caller, out_request_no: _Number) -> dict[str, Any]:
        return await desk.by_number(caller, out_request_no)

    @routes.get("/merchant/fund/withdraw/withdraw-id/{withdraw_id}")
    async def by_id(caller: _Caller, withdraw_id: _Number) -> dict[str, Any]:
        return await desk.by_id(caller, withdraw_id)
