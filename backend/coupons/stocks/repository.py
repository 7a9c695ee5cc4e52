"""Reading stocks outside commands. Only this file of the room sees SQL."""

from sqlalchemy import select

from backend.coupons.model import CouponState
from backend.coupons.stocks.limits import ENDED_PER_SWEEP_MAX
from backend.coupons.stocks.tables import CouponStock
from backend.coupons.tables import Coupon
from backend.db.reading import Reader
from backend.payments.tables import Payment
from protocol.payment import WAITING_STATES

_stock = CouponStock.__table__  # type: ignore[attr-defined]
_coupon = Coupon.__table__  # type: ignore[attr-defined]
_payment = Payment.__table__  # type: ignore[attr-defined]


class StockRepository:
    """Committed stocks. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def due(self, now_ms: int) -> list[tuple[str, bool]]:
        """Stocks that the clock has to look at, and whether no coupon of each can take anything of
        it any more."""
        query = select(_stock.c.stock_id).where(_stock.c.due_at_ms <= now_ms)
        rows = self._reader.rows(query.order_by(_stock.c.due_at_ms).limit(ENDED_PER_SWEEP_MAX))
        return [(row["stock_id"], self._is_clear(row["stock_id"])) for row in rows]

    def _is_clear(self, stock_id: str) -> bool:
        of_stock = _coupon.c.stock_id == stock_id
        issued = select(_coupon.c.coupon_id).where(
            of_stock, _coupon.c.state == CouponState.ISSUED.value
        )
        if self._reader.one(issued.limit(1)) is not None:
            return False
        waiting = [state.value for state in WAITING_STATES]
        under_way = (
            select(_coupon.c.coupon_id)
            .join(_payment, _payment.c.payment_id == _coupon.c.payment_id)
            .where(
                of_stock,
                _coupon.c.state == CouponState.USED.value,
                _payment.c.state.in_(waiting),
            )
        )
        return self._reader.one(under_way.limit(1)) is None
