"""The orders' commands.

Rule 1: an order and its payment are written in one transaction, so neither is without the other.
Rule 2: the same number with the same content is the same order; with other content, or once it is
        paid or closed, it is refused.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.merchant_api.faults import (
    NO_AUTH,
    ORDER_CLOSED,
    ORDER_NOT_EXIST,
    ORDER_PAID,
    RE_ENTRY,
    TRADE_ERROR,
    ApiError,
)
from backend.merchant_api.orders.model import transaction_number
from backend.merchant_api.orders.tables import ORDER, OUT_TRADE_NO
from backend.payments.create import CreatePayment
from backend.payments.tables import PAYMENT
from backend.payments.timeline import step
from protocol.payment import PAID_STATES, Command, PaymentState

_OVER = frozenset(
    {PaymentState.CLOSED, PaymentState.EXPIRED, PaymentState.DECLINED, PaymentState.REVERSED}
)
_WAITS = frozenset({PaymentState.CREATED, PaymentState.AWAITING_PAYER})


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOrder:
    """An order to be shown to its payer. Answers its row."""

    create: CreatePayment
    """With a fresh payment id, which goes unused if the number is known."""
    mchid: str
    out_trade_no: str
    appid: str
    trade_type: str
    content_hash: bytes
    expires_at_ms: int
    notify_url: str
    notify_form: str
    attach: str = ""
    payer_openid: str = ""
    device_id: str = ""

    def reads(self) -> Iterable[Read]:
        return [(OUT_TRADE_NO, (self.mchid, self.out_trade_no)), *self.create.reads()]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        number = ws.get(OUT_TRADE_NO, (self.mchid, self.out_trade_no))
        if number is None:
            return self.create.follow(ws)
        return [(ORDER, number["payment_id"]), (PAYMENT, number["payment_id"])]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        number = ws.get(OUT_TRADE_NO, (self.mchid, self.out_trade_no))
        if number is not None:
            return self._again(ws, number["payment_id"], now_ms)
        self.create.decide(ws, now_ms)
        payment_id = self.create.body.payment_id
        payment = ws.get(PAYMENT, payment_id)
        assert payment is not None
        if payment["state"] != PaymentState.AWAITING_PAYER:
            raise ApiError(NO_AUTH)
        ws.update(
            PAYMENT,
            payment_id,
            code_expires_at_ms=self.expires_at_ms,
            notify_url=self.notify_url,
            notify_form=self.notify_form,
        )
        ws.insert(OUT_TRADE_NO, {"mchid": self.mchid, "out_trade_no": self.out_trade_no,
                                 "payment_id": payment_id})  # fmt: skip
        row = {
            "payment_id": payment_id,
            "mchid": self.mchid,
            "out_trade_no": self.out_trade_no,
            "transaction_id": transaction_number("42000", payment_id, now_ms),
            "appid": self.appid,
            "trade_type": self.trade_type,
            "attach": self.attach,
            "payer_openid": self.payer_openid,
            "device_id": self.device_id,
            "content_hash": self.content_hash,
            "created_at_ms": now_ms,
        }
        ws.insert(ORDER, row)
        return row

    def _again(self, ws: WorkingSet, payment_id: str, now_ms: int) -> Row:
        order, payment = ws.get(ORDER, payment_id), ws.get(PAYMENT, payment_id)
        assert order is not None
        assert payment is not None
        state = PaymentState(payment["state"])
        if state in PAID_STATES:
            raise ApiError(ORDER_PAID)
        if order["content_hash"] != self.content_hash:
            raise ApiError(RE_ENTRY)
        if state in _OVER or now_ms >= payment["code_expires_at_ms"]:
            raise ApiError(ORDER_CLOSED)
        return order


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseOrder:
    """Give up an order that nobody has paid. Safe to repeat."""

    mchid: str
    out_trade_no: str

    def reads(self) -> Iterable[Read]:
        return [(OUT_TRADE_NO, (self.mchid, self.out_trade_no))]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        number = ws.get(OUT_TRADE_NO, (self.mchid, self.out_trade_no))
        return [] if number is None else [(PAYMENT, number["payment_id"])]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        number = ws.get(OUT_TRADE_NO, (self.mchid, self.out_trade_no))
        if number is None:
            raise ApiError(ORDER_NOT_EXIST)
        payment = ws.get(PAYMENT, number["payment_id"])
        assert payment is not None
        state = PaymentState(payment["state"])
        if state in PAID_STATES:
            raise ApiError(ORDER_PAID)
        if state in _WAITS:
            step(ws, payment, Command.CLOSE, actor=f"merchant:{self.mchid}", now_ms=now_ms)
        elif state not in _OVER:
            raise ApiError(TRADE_ERROR, "订单支付中，请稍后查询")
