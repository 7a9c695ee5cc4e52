"""The refunds' command.

Rule 1: a refused refund leaves nothing behind, so the same number may be tried again, as
        documented.
Rule 2: refunds of one order keep their distance; what was granted is told again at any time.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.merchant_api.faults import FREQUENCY_LIMITED, RE_ENTRY, ApiError
from backend.merchant_api.orders.model import transaction_number
from backend.merchant_api.refunds.tables import API_REFUND, LAST_REFUND, OUT_REFUND_NO
from backend.refunds.service import CreateRefund
from backend.refunds.tables import REFUND
from protocol.errors import CallerError


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOrder:
    """Give back all or a part of an order. Answers our id of the refund."""

    create: CreateRefund
    """With a fresh refund id, which goes unused if the number is known."""
    mchid: str
    out_refund_no: str
    funds_account: str
    content_hash: bytes
    gap_ms: int
    """From one refund of an order to its next."""

    def reads(self) -> Iterable[Read]:
        return [
            (OUT_REFUND_NO, (self.mchid, self.out_refund_no)),
            (LAST_REFUND, self.create.body.payment_id),
            *self.create.reads(),
        ]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        number = ws.get(OUT_REFUND_NO, (self.mchid, self.out_refund_no))
        if number is None:
            return self.create.follow(ws)
        return [(API_REFUND, number["refund_id"])]

    def decide(self, ws: WorkingSet, now_ms: int) -> str:
        number = ws.get(OUT_REFUND_NO, (self.mchid, self.out_refund_no))
        if number is not None:
            known = ws.get(API_REFUND, number["refund_id"])
            assert known is not None
            if known["content_hash"] != self.content_hash:
                raise ApiError(RE_ENTRY, "商户退款单号重复，且参数与原请求不一致")
            return str(number["refund_id"])
        return self._new(ws, now_ms)

    def _new(self, ws: WorkingSet, now_ms: int) -> str:
        self._keep_distance(ws, now_ms)
        self.create.decide(ws, now_ms)
        refund_id = self.create.body.refund_id
        refund = ws.get(REFUND, refund_id)
        assert refund is not None
        if refund["error_code"] is not None:
            raise CallerError(refund["error_code"])
        ws.insert(OUT_REFUND_NO, {"mchid": self.mchid, "out_refund_no": self.out_refund_no,
                                  "refund_id": refund_id})  # fmt: skip
        ws.insert(
            API_REFUND,
            {
                "refund_id": refund_id,
                "mchid": self.mchid,
                "out_refund_no": self.out_refund_no,
                "payment_id": self.create.body.payment_id,
                "number": transaction_number("503000", refund_id, now_ms),
                "funds_account": self.funds_account,
                "content_hash": self.content_hash,
                "created_at_ms": now_ms,
            },
        )
        return refund_id

    def _keep_distance(self, ws: WorkingSet, now_ms: int) -> None:
        payment_id = self.create.body.payment_id
        last = ws.get(LAST_REFUND, payment_id)
        if last is None:
            ws.insert(LAST_REFUND, {"payment_id": payment_id, "at_ms": now_ms})
            return
        if now_ms - last["at_ms"] < self.gap_ms:
            seconds = self.gap_ms // 1000
            raise ApiError(FREQUENCY_LIMITED, f"同一订单的两次退款须间隔{seconds}秒")
        ws.update(LAST_REFUND, payment_id, at_ms=now_ms)
