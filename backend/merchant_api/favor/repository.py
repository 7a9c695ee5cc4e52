"""Reading stocks and coupons. Only this file of the room sees SQL."""

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_, select

from backend.coupons.model import CouponState
from backend.coupons.stocks.tables import CouponStock
from backend.coupons.tables import Coupon
from backend.db.reading import Reader
from backend.db.tables import Row
from backend.merchant_api.favor.model import CouponRows
from backend.merchant_api.orders.tables import ApiOrder
from backend.merchant_api.payers.tables import OpenId
from backend.payments.tables import Payment

_stock = CouponStock.__table__  # type: ignore[attr-defined]
_coupon = Coupon.__table__  # type: ignore[attr-defined]
_payment = Payment.__table__  # type: ignore[attr-defined]
_order = ApiOrder.__table__  # type: ignore[attr-defined]
_openid = OpenId.__table__  # type: ignore[attr-defined]


class FavorRepository:
    """Committed stocks and coupons. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def payer(self, appid: str, openid: str) -> str | None:
        """The payer whom an app knows so."""
        query = select(_openid.c.payer_id).where(
            _openid.c.openid == openid, _openid.c.appid == appid
        )
        row = self._reader.one(query)
        return None if row is None else row["payer_id"]

    def stock(self, owner: str, stock_id: str) -> Row | None:
        """One stock of a merchant number."""
        query = select(_stock).where(_stock.c.stock_id == stock_id, _stock.c.owner == owner)
        return self._reader.one(query)

    def stocks(
        self,
        owner: str,
        *,
        state: str | None,
        from_ms: int | None,
        to_ms: int | None,
        page: int,
        size: int,
    ) -> tuple[int, list[Row]]:
        """How many stocks of a merchant number there are, and a page of them, the newest first."""
        wanted = [_stock.c.owner == owner]
        if state is not None:
            wanted.append(_stock.c.state == state)
        if from_ms is not None:
            wanted.append(_stock.c.created_at_ms >= from_ms)
        if to_ms is not None:
            wanted.append(_stock.c.created_at_ms <= to_ms)
        query = select(_stock).where(*wanted)
        query = query.order_by(_stock.c.created_at_ms.desc(), _stock.c.stock_id)
        rows = self._reader.rows(query.limit(size).offset(page * size))
        return self._count(_stock.c.stock_id, wanted), rows

    def of_id(self, coupon_id: str) -> CouponRows | None:
        """A stock's coupon."""
        coupon = self._reader.one(
            select(_coupon).where(_coupon.c.coupon_id == coupon_id, _coupon.c.stock_id.is_not(None))
        )
        return None if coupon is None else self._rows(coupon)

    def of_payer(
        self,
        owner: str,
        payer_id: str,
        *,
        stock_id: str | None,
        is_used: bool | None,
        page: int,
        size: int,
    ) -> tuple[int, list[CouponRows]]:
        """How many coupons of a merchant number's stocks a payer has, and a page of them, the
        newest first."""
        stocks = select(_stock.c.stock_id).where(_stock.c.owner == owner)
        wanted = [_coupon.c.payer_id == payer_id, _coupon.c.stock_id.in_(stocks)]
        if stock_id is not None:
            wanted.append(_coupon.c.stock_id == stock_id)
        if is_used is not None:
            wanted.append(_shown_as(is_used=is_used))
        query = select(_coupon).where(*wanted)
        query = query.order_by(_coupon.c.created_at_ms.desc(), _coupon.c.coupon_id.desc())
        rows = self._reader.rows(query.limit(size).offset(page * size))
        return self._count(_coupon.c.coupon_id, wanted), [self._rows(row) for row in rows]

    def _count(self, column: ColumnElement[str], wanted: list[ColumnElement[bool]]) -> int:
        row = self._reader.one(select(func.count(column).label("count")).where(*wanted))
        assert row is not None
        return int(row["count"])

    def _rows(self, coupon: Row) -> CouponRows:
        stock = self._reader.one(select(_stock).where(_stock.c.stock_id == coupon["stock_id"]))
        assert stock is not None, "stocks are never removed"
        payment_id = coupon["payment_id"]
        if payment_id is None:
            return CouponRows(coupon, stock, None, None)
        payment = self._reader.one(select(_payment).where(_payment.c.payment_id == payment_id))
        order = self._reader.one(
            select(_order.c.transaction_id).where(_order.c.payment_id == payment_id)
        )
        return CouponRows(coupon, stock, payment, order["transaction_id"] if order else None)


def _shown_as(*, is_used: bool) -> ColumnElement[bool]:
    """As ``coupon_shown`` has it: used once its payment is paid, to be used until then."""
    is_paid = exists().where(
        _payment.c.payment_id == _coupon.c.payment_id, _payment.c.paid_at_ms.is_not(None)
    )
    is_taken = _coupon.c.state == CouponState.USED.value
    if is_used:
        return and_(is_taken, is_paid)
    is_free = _coupon.c.state == CouponState.ISSUED.value
    return or_(is_free, and_(is_taken, not_(is_paid)))
