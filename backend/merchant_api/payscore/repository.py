"""Reading service orders with their payments. Only this file of the room sees SQL."""

from sqlalchemy import select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.merchant_api.limits import CONTRACTS_PER_LIST_MAX
from backend.merchant_api.orders.repository import OrderRepository
from backend.merchant_api.papay.tables import ContractPlan
from backend.merchant_api.payscore.model import ServiceRows
from backend.merchant_api.payscore.tables import OutOrderNo, ServiceOrder
from backend.merchants.tables import Merchant

_order = ServiceOrder.__table__  # type: ignore[attr-defined]
_number = OutOrderNo.__table__  # type: ignore[attr-defined]
_plan = ContractPlan.__table__  # type: ignore[attr-defined]
_merchant = Merchant.__table__  # type: ignore[attr-defined]


class ServiceRepository:
    """Committed service orders. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._orders = OrderRepository(reader)

    def of_id(self, order_id: str) -> ServiceRows | None:
        """By the platform's id."""
        order = self._reader.one(select(_order).where(_order.c.order_id == order_id))
        return self._rows(order) if order else None

    def of_number(self, mchid: str, out_order_no: str) -> ServiceRows | None:
        """By the merchant's number."""
        number = self._reader.one(
            select(_number.c.order_id).where(
                _number.c.mchid == mchid, _number.c.out_order_no == out_order_no
            )
        )
        return self.of_id(number["order_id"]) if number else None

    def of_payment(self, payment_id: str) -> ServiceRows | None:
        """The service order whose last try to debit was this payment."""
        order = self._reader.one(select(_order).where(_order.c.payment_id == payment_id))
        return self._rows(order) if order else None

    def of_payer(self, payer_id: str) -> list[ServiceRows]:
        """What a payer has agreed to, newest first."""
        query = (
            select(_order)
            .where(_order.c.payer_id == payer_id)
            .order_by(_order.c.created_at_ms.desc(), _order.c.order_id)
            .limit(CONTRACTS_PER_LIST_MAX)
        )
        return [self._rows(row) for row in self._reader.rows(query)]

    def merchant(self, merchant_id: str) -> Row | None:
        """The merchant that asks."""
        return self._reader.one(select(_merchant).where(_merchant.c.merchant_id == merchant_id))

    def _rows(self, order: Row) -> ServiceRows:
        plan = self._reader.one(select(_plan).where(_plan.c.plan_id == order["service_id"]))
        assert plan is not None, "plans are never removed"
        if order["payment_id"] is None:
            return ServiceRows(order, plan, None, None)
        found = self._orders.of_payment(order["payment_id"])
        assert found is not None, "a try is written with its order"
        return ServiceRows(order, plan, *found)
