"""A refund that the payer's bank has refused, settled another way.

Rule 1: the bank's refusal has given the merchant all back. To the payer it goes as a refund to the
        balance of the payer's wallet: we know no bank account but those that payers registered.
        To the merchant nothing goes any more: it has the money, and settles with the payer itself.
Rule 2: once, one way, under the refund's own numbers. The same again changes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.merchant_api.faults import INVALID_REQUEST, ApiError, wrong_field
from backend.merchant_api.refunds.model import TO_MERCHANT, TO_PAYER
from backend.merchant_api.refunds.tables import ABNORMAL
from backend.merchants.tables import MERCHANT
from backend.payments.tables import PAYMENT
from backend.refunds.model import RefundState
from backend.refunds.outcome import tell_of_refund
from backend.refunds.service import CreateRefund
from backend.refunds.tables import REFUND
from backend.wallet.tables import PAYER
from protocol.errors import CallerError


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleAbnormal:
    """Give it to the payer's balance (``create``), or leave it to the merchant (None)."""

    refund_id: str
    payment_id: str
    create: CreateRefund | None
    real_name: str = field(default="", repr=False)
    """Who is to get it, as the merchant knows them."""

    @property
    def kind(self) -> str:
        """``USER_BANK_CARD`` or ``MERCHANT_BANK_CARD``."""
        return TO_MERCHANT if self.create is None else TO_PAYER

    def reads(self) -> Iterable[Read]:
        more = self.create.reads() if self.create is not None else []
        return [
            (ABNORMAL, self.refund_id),
            (REFUND, self.refund_id),
            (PAYMENT, self.payment_id),
            *more,
        ]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        payment = self._payment(ws)
        found: list[Read] = [(MERCHANT, payment["merchant_id"])]
        if self.create is not None:
            found += self.create.follow(ws)
            found += [(PAYER, payment["payer_id"])] if payment["payer_id"] else []
        return found

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        known = ws.get(ABNORMAL, self.refund_id)
        if known is not None:
            if known["kind"] != self.kind:
                raise ApiError(INVALID_REQUEST, "该退款已按另一方式处理")
            return
        refund = ws.get(REFUND, self.refund_id)
        assert refund is not None, "refunds are never removed"
        if refund["state"] != RefundState.FAILED:
            raise ApiError(INVALID_REQUEST, "退款单不是异常状态")
        payment, replacement_id = self._payment(ws), None
        if self.create is None:
            tell_of_refund(ws, payment, refund, "refund.succeeded", now_ms)
        else:
            replacement_id = self._to_payer(ws, payment, self.create, now_ms)
        ws.insert(
            ABNORMAL,
            {
                "refund_id": self.refund_id,
                "kind": self.kind,
                "replacement_id": replacement_id,
                "created_at_ms": now_ms,
            },
        )

    def _to_payer(self, ws: WorkingSet, payment: Row, create: CreateRefund, now_ms: int) -> str:
        payer_id = payment["payer_id"]
        payer = ws.get(PAYER, payer_id) if payer_id else None
        if payer is None:
            raise ApiError(INVALID_REQUEST, "付款人不是本平台用户，请选择退款至商户银行账户")
        if payer["name"] != self.real_name:
            raise wrong_field("/real_name", "与付款人姓名不一致")
        create.decide(ws, now_ms)
        replacement = ws.get(REFUND, create.body.refund_id)
        assert replacement is not None
        if replacement["error_code"] is not None:
            raise CallerError(replacement["error_code"])
        return create.body.refund_id

    def _payment(self, ws: WorkingSet) -> Row:
        payment = ws.get(PAYMENT, self.payment_id)
        assert payment is not None, "payments are never removed"
        return payment
