"""Reading merchants outside commands. Only this file of the room sees SQL."""

from collections.abc import Collection

from sqlalchemy import case, or_, select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.merchants.limits import LIST_ROWS_MAX
from backend.merchants.tables import FeePlanRow, Merchant, SettlementCycle

_merchant = Merchant.__table__  # type: ignore[attr-defined]
_plan = FeePlanRow.__table__  # type: ignore[attr-defined]
_cycle = SettlementCycle.__table__  # type: ignore[attr-defined]


class MerchantRepository:
    """Committed merchants. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def merchant(self, merchant_id: str) -> Row | None:
        """One merchant."""
        return self._reader.one(select(_merchant).where(_merchant.c.merchant_id == merchant_id))

    def names(self, merchant_ids: Collection[str]) -> dict[str, str]:
        """The names of merchants, by id."""
        query = select(_merchant.c.merchant_id, _merchant.c.name)
        rows = self._reader.rows(query.where(_merchant.c.merchant_id.in_(merchant_ids)))
        return {row["merchant_id"]: row["name"] for row in rows}

    def found(self, text: str, *, limit: int) -> list[Row]:
        """Merchants whose id or name has this text in it, by id, whose whole id or name it is
        first; all of them for an empty one."""
        whole = or_(_merchant.c.merchant_id == text, _merchant.c.name == text)
        query = select(_merchant.c.merchant_id, _merchant.c.name)
        query = query.order_by(case((whole, 0), else_=1), _merchant.c.merchant_id)
        is_named = (
            _merchant.c.merchant_id.icontains(text, autoescape=True),
            _merchant.c.name.icontains(text, autoescape=True),
        )
        return self._reader.rows(query.where(or_(*is_named)).limit(limit))

    def merchants(self) -> list[Row]:
        """All merchants, by id."""
        return self._reader.rows(
            select(_merchant).order_by(_merchant.c.merchant_id).limit(LIST_ROWS_MAX)
        )

    def fee_plans(self, merchant_id: str) -> list[Row]:
        """A merchant's plans, the latest first."""
        query = select(_plan).where(_plan.c.merchant_id == merchant_id)
        return self._reader.rows(query.order_by(_plan.c.version.desc()))

    def cycles(self, merchant_id: str) -> list[Row]:
        """A merchant's settlement cycles and since when, the latest first."""
        query = select(_cycle).where(_cycle.c.merchant_id == merchant_id)
        return self._reader.rows(query.order_by(_cycle.c.version.desc()))
