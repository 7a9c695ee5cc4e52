"""The pages of what was paid: month by month, and one payment with its refunds."""

import re
from datetime import datetime, timedelta

from fastapi import APIRouter, Request, Response

from backend.refunds.repository import RefundRepository
from backend.wallet.desk import said_of
from backend.wallet_page.explaining import explained
from backend.wallet_page.face import shown_money
from backend.wallet_page.limits import BILLS_SHOWN_MAX, MONTHS_SHOWN
from backend.wallet_page.parts import PageParts
from backend.wallet_page.session import ROOT
from protocol.clock import CHINA
from protocol.payment import PAID_STATES

_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])", re.ASCII).fullmatch
_SPENT = frozenset(state.value for state in PAID_STATES)


def add_pages(pages: APIRouter, parts: PageParts) -> None:
    """Add them to the router."""
    desk, face = parts.desk, parts.face
    refunds = RefundRepository(parts.services.reader)

    @pages.get(ROOT + "/bills")
    async def bills(request: Request, month: str = "", before_ms: int | None = None) -> Response:
        session = await parts.session(request)
        from_ms, until_ms = month_of(month) if _MONTH(month) else (0, None)
        rows = await desk.bills(
            session.payer_id, from_ms=from_ms, before_ms=before_ms or until_ms,
            limit=BILLS_SHOWN_MAX,
        )  # fmt: skip
        is_full = len(rows) == BILLS_SHOWN_MAX
        return face.page(
            request, "bills", session, tab="bills", bills=rows,
            month=month if _MONTH(month) else "",
            months=latest_months(parts.services.clock.now_ms()),
            spent_minor=sum(
                row["amount_minor"] - row["coupon_minor"] - row["refunded_minor"]
                for row in rows if row["state"] in _SPENT
            ),
            older_ms=rows[-1]["created_at_ms"] if is_full else None,
        )  # fmt: skip

    @pages.get(ROOT + "/bills/{payment_id}")
    async def bill(request: Request, payment_id: str) -> Response:
        session = await parts.session(request)
        row = await desk.bill(session.payer_id, payment_id)
        found = await parts.services.run_read(lambda: refunds.of_payment(payment_id))
        why = explained(said_of(row), shown_money, row["currency"])
        return face.page(
            request, "bill", session, back=f"{ROOT}/bills", bill=row, refunds=found, why=why
        )


def latest_months(now_ms: int) -> list[str]:
    """The names of the months that may be chosen, this one first."""
    now = datetime.fromtimestamp(now_ms // 1000, CHINA)
    last = now.year * 12 + now.month - 1
    return [f"{each // 12}-{each % 12 + 1:02}" for each in range(last, last - MONTHS_SHOWN, -1)]


def month_of(month: str) -> tuple[int, int]:
    """When a month such as ``2026-11`` begins and ends in China, in milliseconds since 1970."""
    first = datetime.strptime(month, "%Y-%m").replace(tzinfo=CHINA)
    after = (first + timedelta(days=31)).replace(day=1)
    return int(first.timestamp()) * 1000, int(after.timestamp()) * 1000
