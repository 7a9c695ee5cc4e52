"""Reading coupons outside commands. Only this file of the room sees SQL."""

from sqlalchemy import select

from backend.coupons.limits import EXPIRED_PER_SWEEP_MAX, ROWS_PER_LIST_MAX
from backend.coupons.model import CouponState
from backend.coupons.tables import Coupon, CouponEventRow
from backend.db.reading import Reader
from backend.db.tables import Row

_coupon = Coupon.__table__  # type: ignore[attr-defined]
_event = CouponEventRow.__table__  # type: ignore[attr-defined]


class CouponRepository:
    """Committed coupons. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def coupon(self, coupon_id: str) -> Row | None:
        """One coupon as it stands."""
        return self._reader.one(select(_coupon).where(_coupon.c.coupon_id == coupon_id))

    def timeline(self, coupon_id: str) -> list[Row]:
        """Every step of a coupon, in order."""
        query = select(_event).where(_event.c.coupon_id == coupon_id)
        return self._reader.rows(query.order_by(_event.c.number))

    def of_payer(self, payer_id: str, *, state: str | None = None) -> list[Row]:
        """A payer's coupons, newest first; of one state only, if asked."""
        query = select(_coupon).where(_coupon.c.payer_id == payer_id)
        if state is not None:
            query = query.where(_coupon.c.state == state)
        query = query.order_by(_coupon.c.created_at_ms.desc(), _coupon.c.coupon_id.desc())
        return self._reader.rows(query.limit(ROWS_PER_LIST_MAX))

    def overdue(self, now_ms: int) -> list[str]:
        """Unused coupons whose time is over, the oldest first."""
        query = (
            select(_coupon.c.coupon_id)
            .where(
                _coupon.c.state == CouponState.ISSUED.value,
                _coupon.c.valid_until_ms <= now_ms,
            )
            .order_by(_coupon.c.valid_until_ms)
            .limit(EXPIRED_PER_SWEEP_MAX)
        )
        return [row["coupon_id"] for row in self._reader.rows(query)]
