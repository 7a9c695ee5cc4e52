"""Reading orders with their payments. Only this file of the room sees SQL."""

from sqlalchemy import ColumnElement, select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.merchant_api.orders.tables import ApiOrder, OutTradeNo
from backend.payments.tables import Payment

_order = ApiOrder.__table__  # type: ignore[attr-defined]
_number = OutTradeNo.__table__  # type: ignore[attr-defined]
_payment = Payment.__table__  # type: ignore[attr-defined]

Found = tuple[Row, Row]
"""An order and its payment."""


class OrderRepository:
    """Committed orders. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def of_number(self, mchid: str, out_trade_no: str, *, sub_mchid: str = "") -> Found | None:
        """By the number that the caller has given it, acting for that merchant number."""
        number = self._reader.one(
            select(_number.c.payment_id).where(
                _number.c.mchid == mchid, _number.c.out_trade_no == out_trade_no
            )
        )
        found = self.of_payment(number["payment_id"]) if number else None
        return found if found and found[0]["sub_mchid"] == sub_mchid else None

    def of_transaction(
        self, mchid: str, transaction_id: str, *, sub_mchid: str = ""
    ) -> Found | None:
        """By the platform's number, if the caller made it, acting for that merchant number."""
        found = self._found(_order.c.transaction_id == transaction_id, mchid)
        return found if found and found[0]["sub_mchid"] == sub_mchid else None

    def of_caller(self, mchid: str, transaction_id: str) -> Found | None:
        """By the platform's number, if the caller made it, for whomever it acted."""
        return self._found(_order.c.transaction_id == transaction_id, mchid)

    def is_anothers(self, transaction_id: str) -> bool:
        """Whether it is a number of the platform's, though not this merchant's."""
        return self._found(_order.c.transaction_id == transaction_id) is not None

    def of_payment(self, payment_id: str) -> Found | None:
        """By the payment."""
        return self._found(_order.c.payment_id == payment_id)

    def _found(self, condition: ColumnElement[bool], mchid: str | None = None) -> Found | None:
        query = select(_order).where(condition)
        if mchid is not None:
            query = query.where(_order.c.mchid == mchid)
        order = self._reader.one(query)
        if order is None:
            return None
        payment = self._reader.one(
            select(_payment).where(_payment.c.payment_id == order["payment_id"])
        )
        assert payment is not None, "an order is written with its payment"
        return order, payment
