"""The clearing over HTTP, for operators: run a day, read its report, top a payer up."""

import asyncio
import json
from datetime import date
from typing import Annotated, Any, Literal, Protocol

from fastapi import APIRouter, Depends, Query, Response

from backend.clearing.calendar import Calendar
from backend.clearing.recall import PayoutDesk
from backend.clearing.repository import ClearingRepository
from backend.clearing.reserve_desk import ReserveDesk
from backend.clearing.run import DayEnd
from backend.clearing.standing import standing
from backend.guard import Guard
from backend.listing.filters import Place, place_said
from backend.listing.limits import ANSWER_ROWS, ANSWER_ROWS_MAX
from backend.topups.service import TopUps
from backend.wanted import Wanted
from protocol.errors import CallerError
from protocol.messages.base import CurrencyText, Name, PositiveMinor
from protocol.money import Money


class TopUpOrderBody(Wanted):
    """Money to take from a payer's bank account; ``topup_id`` is the caller's (``top_…``)."""

    topup_id: Name
    bank_account: Name
    amount_minor: PositiveMinor
    currency: CurrencyText = "CNY"


class RecallBody(Wanted):
    """Why a payout is wanted back (an ISO 20022 cancellation reason)."""

    reason: Literal["DUPL", "FRAD", "CUST", "TECH"]


class ClearingParts(Protocol):
    """What the routes lead to."""

    @property
    def day_end(self) -> DayEnd: ...

    @property
    def repository(self) -> ClearingRepository: ...

    @property
    def payouts(self) -> PayoutDesk: ...

    @property
    def topups(self) -> TopUps: ...

    @property
    def calendar(self) -> Calendar: ...

    @property
    def reserve(self) -> ReserveDesk: ...


def operator_router(parts: ClearingParts, operator_only: Guard) -> APIRouter:
    """``/operator/v1/clearing`` and top-ups. Two runs never overlap: the second waits."""
    routes = APIRouter(
        prefix="/operator/v1", tags=["clearing"], dependencies=[Depends(operator_only)]
    )
    turn = asyncio.Lock()
    _add_payouts(routes, parts, turn)

    @routes.post("/clearing/within-day/run")
    async def run_within() -> dict[str, Any]:
        async with turn:
            return await parts.day_end.run_within()

    @routes.post("/clearing/{day}/run")
    async def run(day: date) -> dict[str, Any]:
        async with turn:
            return await parts.day_end.run(day)

    @routes.get("/clearing")
    async def standing_of_days() -> dict[str, Any]:
        today = parts.day_end.today().isoformat()
        earliest = await parts.repository.earliest_open_day(today)
        return {"today": today, "earliest_open_day": earliest}

    @routes.get("/clearing/progress")
    async def progress() -> dict[str, Any]:
        return parts.day_end.progress.to_map()

    @routes.get("/clearing/{day}/windows")
    async def windows(day: date) -> dict[str, Any]:
        return {"windows": await parts.reserve.windows(day)}

    @routes.get("/clearing/{day}/reserve-test")
    async def reserve_test(day: date) -> dict[str, Any]:
        return await parts.reserve.test(day)

    @routes.get("/clearing/{day}/reserve-report")
    async def reserve_report(day: date) -> Response:
        return Response(await parts.reserve.report(day), media_type="text/csv")

    @routes.get("/clearing/{day}")
    async def report(day: date) -> dict[str, Any]:
        row = await parts.repository.day(day.isoformat())
        if row is None:
            raise CallerError("day_not_closed", day.isoformat())
        found: dict[str, Any] = json.loads(row["report"])
        return found

    @routes.get("/merchants/{merchant_id}/settlement")
    async def settlement(merchant_id: str) -> dict[str, Any]:
        return await standing(
            parts.repository, parts.calendar, merchant_id=merchant_id, today=parts.day_end.today()
        )

    @routes.post("/payers/{payer_id}/topups")
    async def top_up(payer_id: str, body: TopUpOrderBody) -> dict[str, Any]:
        row = await parts.topups.top_up(
            topup_id=body.topup_id,
            payer_id=payer_id,
            bank_account=body.bank_account,
            amount=Money(body.amount_minor, body.currency),
        )
        columns = ("topup_id", "state", "reason", "amount_minor", "currency", "settlement_date")
        return {column: row[column] for column in columns}

    return routes


def _add_payouts(routes: APIRouter, parts: ClearingParts, turn: asyncio.Lock) -> None:
    """Single payouts: looked at, asked back, let go again."""

    @routes.get("/payouts/{payout_id}")
    async def payout(payout_id: str) -> dict[str, Any]:
        return await parts.payouts.show(payout_id)

    @routes.get("/merchants/{merchant_id}/payouts")
    async def payouts(
        merchant_id: str,
        limit: Annotated[int, Query(ge=1, le=ANSWER_ROWS_MAX)] = ANSWER_ROWS,
        after: str = "",
    ) -> dict[str, Any]:
        place = place_said(after)
        rows, last = await parts.payouts.of_merchant(merchant_id, place, rows_max=limit)
        return {"payouts": rows, "after": last and Place(*last).told}

    @routes.post("/payouts/{payout_id}/release")
    async def release(payout_id: str) -> dict[str, Any]:
        async with turn:
            return await parts.payouts.release(payout_id)

    @routes.post("/payouts/{payout_id}/recall")
    async def recall(payout_id: str, body: RecallBody) -> dict[str, Any]:
        return await parts.payouts.recall(payout_id, body.reason)
