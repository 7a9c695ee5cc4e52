"""``/v3/bill`` and ``/v3/billdownload``: the trade and the fund-flow bill of a day."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request

from backend.bills.trade import BillType
from backend.merchant_api.bills.desk import MerchantBills, Promised
from backend.merchant_api.bills.model import BillKind
from backend.merchant_api.funds.schemas import AccountType
from backend.merchant_api.keys.desk import Account
from backend.merchant_api.limits import BILL_TOKEN_CHARS_MAX
from backend.merchant_api.wire.files import UnsignedFile, gzipped
from backend.merchant_api.wire.gate import caller_of

_Caller = Annotated[Account, Depends(caller_of)]
_SubMchId = Annotated[str | None, Query(min_length=1, max_length=32)]
_Packed = Literal["GZIP", ""] | None
_Token = Annotated[str, Query(min_length=1, max_length=BILL_TOKEN_CHARS_MAX)]
_Tail = Annotated[Literal["gzip", "GZIP"] | None, Query(alias="tartype")]
_DOWNLOAD = "/v3/billdownload/file"


def add_routes(routes: APIRouter, bills: MerchantBills, public_url: str) -> None:
    """Ask for a bill, then for its bytes. ``public_url`` is the base of the addresses that answers
    name; empty: where the call came to."""

    @routes.get("/bill/tradebill")
    async def trade_bill(
        request: Request,
        caller: _Caller,
        bill_date: date,
        bill_type: BillType = BillType.ALL,
        tar_type: _Packed = None,
        sub_mchid: _SubMchId = None,
    ) -> dict[str, str]:
        actor = await bills.acting(caller, sub_mchid)
        paper = await bills.trade(actor, bill_date, bill_type)
        promised = bills.promise(
            actor, paper, kind=BillKind.TRADE, day=bill_date, bill_type=bill_type.value
        )
        return _shown(promised, public_url or _came_to(request), tar_type)

    @routes.get("/bill/fundflowbill")
    async def fund_flow_bill(
        request: Request,
        caller: _Caller,
        bill_date: date,
        account_type: AccountType = "BASIC",
        tar_type: _Packed = None,
    ) -> dict[str, str]:
        paper = await bills.fund_flow(caller, bill_date, account_type)
        promised = bills.promise(
            caller, paper, kind=BillKind.FUND_FLOW, day=bill_date, bill_type=""
        )
        return _shown(promised, public_url or _came_to(request), tar_type)

    @routes.get("/billdownload/file", response_class=UnsignedFile, response_model=None)
    async def download(caller: _Caller, token: _Token, packed: _Tail = None) -> Any:  # noqa: ANN401  # a file
        paper = await bills.download(caller, token)
        if packed is None:
            return UnsignedFile(paper.chunks(), media_type="text/csv")
        return UnsignedFile(gzipped(paper.chunks()), media_type="application/gzip")


def _came_to(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


def _shown(promised: Promised, base: str, packed: _Packed) -> dict[str, str]:
    tail = "&tartype=gzip" if packed else ""
    return {
        "hash_type": "SHA1",
        "hash_value": promised.sha1,
        "download_url": f"{base}{_DOWNLOAD}?token={promised.token}{tail}",
    }
