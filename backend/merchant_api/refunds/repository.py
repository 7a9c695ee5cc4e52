"""Reading refunds of merchants' programs. Only this file of the room sees SQL."""

from sqlalchemy import select

from backend.db.reading import Reader
from backend.merchant_api.orders.repository import OrderRepository
from backend.merchant_api.refunds.model import RefundRows
from backend.merchant_api.refunds.tables import ApiRefund, OutRefundNo
from backend.refunds.tables import Refund

_said = ApiRefund.__table__  # type: ignore[attr-defined]
_number = OutRefundNo.__table__  # type: ignore[attr-defined]
_refund = Refund.__table__  # type: ignore[attr-defined]


class RefundRepository:
    """Committed refunds. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._orders = OrderRepository(reader)

    def of_number(self, mchid: str, out_refund_no: str) -> RefundRows | None:
        """By the merchant's number."""
        number = self._reader.one(
            select(_number.c.refund_id).where(
                _number.c.mchid == mchid, _number.c.out_refund_no == out_refund_no
            )
        )
        return self.of_refund(number["refund_id"]) if number else None

    def of_refund(self, refund_id: str) -> RefundRows | None:
        """By our id."""
        said = self._reader.one(select(_said).where(_said.c.refund_id == refund_id))
        if said is None:
            return None
        refund = self._reader.one(select(_refund).where(_refund.c.refund_id == refund_id))
        found = self._orders.of_payment(said["payment_id"])
        assert refund is not None, "written with what the merchant said"
        assert found is not None, "a merchant's program refunds its orders"
        return RefundRows(said, refund, *found)
