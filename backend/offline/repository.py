"""Reading vouchers outside commands. Only this file of the room sees SQL."""

from sqlalchemy import select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.offline.limits import (
    DUE_PER_SWEEP_MAX,
    TOKENS_PER_LIST_MAX,
    VOUCHERS_PER_LIST_MAX,
)
from backend.offline.model import LIVE_STATES, Bearer
from backend.offline.tables import OfflineReturn, OfflineVoucher

_voucher = OfflineVoucher.__table__  # type: ignore[attr-defined]
_return = OfflineReturn.__table__  # type: ignore[attr-defined]


class OfflineRepository:
    """Committed vouchers. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def vouchers_of(self, payer_id: str) -> list[Row]:
        """A payer's vouchers, the newest first."""
        query = select(_voucher).where(_voucher.c.payer_id == payer_id)
        query = query.order_by(_voucher.c.valid_from_ms.desc(), _voucher.c.voucher_id.desc())
        return self._reader.rows(query.limit(VOUCHERS_PER_LIST_MAX))

    def returns_of(self, voucher_id: str) -> list[Row]:
        """What came back of a voucher, the oldest first."""
        query = select(_return).where(_return.c.voucher_id == voucher_id)
        query = query.order_by(_return.c.returned_at_ms, _return.c.payment_id)
        return self._reader.rows(query.limit(TOKENS_PER_LIST_MAX))

    def voucher(self, voucher_id: str) -> Row | None:
        """One voucher as it stands."""
        return self._reader.one(select(_voucher).where(_voucher.c.voucher_id == voucher_id))

    def borne_by(self, bearer: Bearer, count: int) -> list[Row]:
        """What came back and is somebody's, the newest first, each with its payer."""
        query = (
            select(_return, _voucher.c.payer_id, _voucher.c.currency)
            .join(_voucher, _voucher.c.voucher_id == _return.c.voucher_id)
            .where(_return.c.bearer == bearer.value)
            .order_by(_return.c.returned_at_ms.desc(), _return.c.payment_id.desc())
            .limit(count)
        )
        return self._reader.rows(query)

    def due(self, now_ms: int) -> list[str]:
        """Living vouchers of which nothing can come back any more, the oldest first."""
        states = [state.value for state in LIVE_STATES]
        query = (
            select(_voucher.c.voucher_id)
            .where(_voucher.c.state.in_(states), _voucher.c.return_until_ms < now_ms)
            .order_by(_voucher.c.return_until_ms)
            .limit(DUE_PER_SWEEP_MAX)
        )
        return [row["voucher_id"] for row in self._reader.rows(query)]
