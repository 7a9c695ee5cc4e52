"""Reading refunds of merchants' programs. Only this file of the room sees SQL."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import CompoundSelect, or_, select

from backend.db.reading import Reader
from backend.merchant_api.orders.repository import OrderRepository
from backend.merchant_api.refunds.model import RefundRows
from backend.merchant_api.refunds.tables import AbnormalRefund, ApiRefund, OutRefundNo
from backend.refunds.tables import Refund
from protocol.limits import REFUNDS_PER_PAYMENT_MAX

_said = ApiRefund.__table__  # type: ignore[attr-defined]
_number = OutRefundNo.__table__  # type: ignore[attr-defined]
_abnormal = AbnormalRefund.__table__  # type: ignore[attr-defined]
_refund = Refund.__table__  # type: ignore[attr-defined]


def numbers_of(refund_ids: Collection[str]) -> CompoundSelect[Any]:
    """By which numbers programs know these refunds of ours, each under ``key``. One that stands in
    another's place, which the payer's bank had refused, is known by that one's."""
    numbers = (_said.c.mchid, _said.c.payment_id, _said.c.out_refund_no, _said.c.number)
    own = select(_said.c.refund_id.label("key"), *numbers)
    inherited = select(_abnormal.c.replacement_id.label("key"), *numbers).join(
        _said, _said.c.refund_id == _abnormal.c.refund_id
    )
    return own.where(_said.c.refund_id.in_(refund_ids)).union_all(
        inherited.where(_abnormal.c.replacement_id.in_(refund_ids))
    )


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

    def of_id(self, mchid: str, number: str) -> RefundRows | None:
        """By the platform's number, if it is this merchant's."""
        query = select(_said.c.refund_id).where(_said.c.number == number, _said.c.mchid == mchid)
        said = self._reader.one(query)
        return self.of_refund(said["refund_id"]) if said else None

    def of_order(self, mchid: str, out_trade_no: str, *, sub_mchid: str) -> list[RefundRows] | None:
        """All that a merchant's program has asked for of one order, the first ones first; None
        without such an order."""
        found = self._orders.of_number(mchid, out_trade_no, sub_mchid=sub_mchid)
        if found is None:
            return None
        query = (
            select(_said)
            .join(_refund, _refund.c.refund_id == _said.c.refund_id)
            .where(_refund.c.payment_id == found[0]["payment_id"])
            .order_by(_refund.c.created_at_ms, _refund.c.refund_id)
            .limit(REFUNDS_PER_PAYMENT_MAX)
        )
        numbered = [self.of_refund(row["refund_id"]) for row in self._reader.rows(query)]
        return [one for one in numbered if one is not None]

    def of_refund(self, refund_id: str) -> RefundRows | None:
        """By our id, or by that of the refund that stands in its place."""
        settled = self._reader.one(
            select(_abnormal).where(
                or_(_abnormal.c.refund_id == refund_id, _abnormal.c.replacement_id == refund_id)
            )
        )
        first_id = settled["refund_id"] if settled else refund_id
        last_id = (settled["replacement_id"] if settled else None) or first_id
        said = self._reader.one(select(_said).where(_said.c.refund_id == first_id))
        if said is None:
            return None
        refund = self._reader.one(select(_refund).where(_refund.c.refund_id == last_id))
        found = self._orders.of_payment(said["payment_id"])
        assert refund is not None, "written with what the merchant said"
        assert found is not None, "a merchant's program refunds its orders"
        return RefundRows(said, refund, *found, settled=settled["kind"] if settled else "")
