"""Payouts that banks sent back, as the settlement and people look at them."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import Select, and_, or_, select

from backend.clearing.due import Pending
from backend.clearing.model import MoveState
from backend.clearing.recall_tables import PayoutRecall
from backend.clearing.settlement import is_same_account
from backend.clearing.tables import Payout
from backend.db.reading import Reader
from backend.db.tables import Row
from backend.merchants.tables import Merchant

_PAYOUT = Payout.__table__  # type: ignore[attr-defined]
_RECALL = PayoutRecall.__table__  # type: ignore[attr-defined]
_MERCHANT = Merchant.__table__  # type: ignore[attr-defined]


class PayoutsRepository:
    """Reads payouts beside the clearing's runs."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def returned(self, merchant_id: str | None = None) -> list[Row]:
        """Payouts (of one merchant) that came back and are not released, with the accounts that
        their merchants have now."""
        query = returned_payouts()
        if merchant_id is not None:
            query = query.where(_PAYOUT.c.merchant_id == merchant_id)
        return [
            row async for page in self._reader.pages(query, _PAYOUT.c.payout_id) for row in page
        ]

    async def payout(self, payout_id: str) -> Row | None:
        """One payout."""
        rows = await self._reader.fetch(select(_PAYOUT).where(_PAYOUT.c.payout_id == payout_id))
        return rows[0] if rows else None

    async def of_merchant(
        self, merchant_id: str, *, limit: int, after: tuple[int, str] | None = None
    ) -> list[Row]:
        """A merchant's payouts, the newest first; ``after``: behind this time and id."""
        at, key = _PAYOUT.c.instructed_at_ms, _PAYOUT.c.payout_id
        query = select(_PAYOUT).where(_PAYOUT.c.merchant_id == merchant_id)
        if after is not None:
            query = query.where(or_(at < after[0], and_(at == after[0], key < after[1])))
        return await self._reader.fetch(query.order_by(at.desc(), key.desc()).limit(limit))

    async def recall(self, payout_id: str) -> Row | None:
        """What was asked of a payout's bank, and answered."""
        rows = await self._reader.fetch(select(_RECALL).where(_RECALL.c.payout_id == payout_id))
        return rows[0] if rows else None


def returned_payouts() -> Select[Any]:
    """Payouts that came back and are not released, with the accounts their merchants have now."""
    return (
        select(_PAYOUT, _MERCHANT.c.payout_account_name, _MERCHANT.c.payout_account_no)
        .join(_MERCHANT, _MERCHANT.c.merchant_id == _PAYOUT.c.merchant_id)
        .where(_PAYOUT.c.state == MoveState.RETURNED.value)
    )


def hold_returned(found: Iterable[Pending], returned: Iterable[Row]) -> list[Pending]:
    """Merchants' money with what came back set apart."""
    rows: dict[tuple[str, str], list[Row]] = {}
    for row in returned:
        rows.setdefault((row["merchant_id"], row["currency"]), []).append(row)
    return [_held(one, rows.get((one.merchant_id, one.currency), [])) for one in found]


def _held(one: Pending, rows: list[Row]) -> Pending:
    held = sum(row["amount_minor"] for row in rows if is_same_account(row, row))
    return replace(
        one,
        available_minor=max(one.available_minor - held, 0),
        returned=tuple(sorted(row["payout_id"] for row in rows)),
    )
