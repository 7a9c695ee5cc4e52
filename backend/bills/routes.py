"""Bills over HTTP, for operators. Beside the bytes stand their hashes, in hexadecimal: SHA-1, which
programs that read such bills compare, and SHA-256."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Response
from fastapi.responses import JSONResponse, StreamingResponse

from backend.bills.limits import DAYS_PER_LIST_MAX
from backend.bills.service import PaperDesk, SpooledPaper
from backend.bills.trade import BillType
from backend.guard import Guard
from protocol.errors import CallerError

SHA1, SHA256 = "Bill-SHA1", "Bill-SHA256"
_CSV, _JSON = "text/csv", "application/json"


def operator_router(desk: PaperDesk, operator_only: Guard) -> APIRouter:
    """``/operator/v1/bills/{merchant}``: its days; below, of each: ``trade``, ``fund-flow`` and
    ``settlement``."""
    routes = APIRouter(
        prefix="/operator/v1/bills", tags=["clearing"], dependencies=[Depends(operator_only)]
    )

    @routes.get("/{merchant_id}")
    async def days(merchant_id: str, since: date, until: date) -> dict[str, Any]:
        if not 0 <= (until - since).days < DAYS_PER_LIST_MAX:
            raise CallerError("field_invalid", f"since: at most {DAYS_PER_LIST_MAX} days")
        found = await desk.days(merchant_id, since, until)
        return {"days": [one.to_map() for one in found]}

    @routes.get("/{merchant_id}/{day}/trade")
    async def trade(merchant_id: str, day: date, bill_type: BillType = BillType.ALL) -> Response:
        return _sent(await desk.trade_bill(merchant_id, day, bill_type))

    @routes.get("/{merchant_id}/{day}/fund-flow")
    async def fund_flow(merchant_id: str, day: date) -> Response:
        return _sent(await desk.fund_flow(merchant_id, day))

    @routes.get("/{merchant_id}/{day}/settlement")
    async def settlement(
        merchant_id: str, day: date, accept: Annotated[str, Header()] = _CSV
    ) -> Response:
        if _JSON in accept:
            return JSONResponse((await desk.settlement(merchant_id, day)).to_map())
        return _sent(await desk.settlement_paper(merchant_id, day))

    return routes


def _sent(paper: SpooledPaper) -> Response:
    headers = {
        "Content-Length": f"{paper.size_bytes}",
        SHA1: paper.sha1,
        SHA256: paper.sha256,
    }
    return StreamingResponse(paper.chunks(), media_type=_CSV, headers=headers)
