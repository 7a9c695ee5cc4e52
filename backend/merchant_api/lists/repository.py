"""The numbers that programs know payments and refunds by. Only this file of the room sees SQL."""

from collections.abc import Collection

from sqlalchemy import select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.merchant_api.orders.tables import ApiOrder
from backend.merchant_api.refunds.repository import numbers_of

_order = ApiOrder.__table__  # type: ignore[attr-defined]


class NumberRepository:
    """Committed orders and refunds. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def of_payments(self, payment_ids: Collection[str]) -> dict[str, Row]:
        """By payment, of those that are a program's order: whose order, its numbers."""
        shown = ("mchid", "out_trade_no", "transaction_id")
        rows = self._reader.rows(
            select(_order.c.payment_id, *(_order.c[name] for name in shown)).where(
                _order.c.payment_id.in_(payment_ids)
            )
        )
        return {row.pop("payment_id"): row for row in rows}

    def of_refunds(self, refund_ids: Collection[str]) -> dict[str, Row]:
        """By refund, of those that a program has asked for: whose, its numbers."""
        return {
            row["key"]: {
                "mchid": row["mchid"],
                "out_refund_no": row["out_refund_no"],
                "refund_id": row["number"],
            }
            for row in self._reader.rows(numbers_of(refund_ids))
        }
