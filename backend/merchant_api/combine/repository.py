"""Reading orders that are paid at once. Only this file of the room sees SQL."""

import json

from sqlalchemy import ColumnElement, select

from backend.db.reading import Reader
from backend.merchant_api.combine.model import Combined
from backend.merchant_api.combine.tables import Combine
from backend.merchant_api.orders.repository import OrderRepository
from backend.payments.tables import PaymentGroup

_combine = Combine.__table__  # type: ignore[attr-defined]
_group = PaymentGroup.__table__  # type: ignore[attr-defined]


class CombineRepository:
    """Committed numbers with their orders. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._orders = OrderRepository(reader)

    def of_number(self, mchid: str, out_trade_no: str) -> Combined | None:
        """By the merchant's number."""
        return self._found(_combine.c.mchid == mchid, _combine.c.out_trade_no == out_trade_no)

    def of_lead(self, payment_id: str) -> Combined | None:
        """By the first order's payment."""
        return self._found(_combine.c.lead_id == payment_id)

    def _found(self, *conditions: ColumnElement[bool]) -> Combined | None:
        said = self._reader.one(select(_combine).where(*conditions))
        if said is None:
            return None
        group = self._reader.one(
            select(_group.c.payment_ids).where(_group.c.lead_id == said["lead_id"])
        )
        assert group is not None, "written with its number"
        parts = [self._orders.of_payment(one) for one in json.loads(group["payment_ids"])]
        return Combined(said, [part for part in parts if part is not None])
