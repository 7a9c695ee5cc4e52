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
    MUST_CLOSE_ALL,
    MUST_REVERSE,
    NO_AUTH,
    OPENID_MISMATCH,
    ORDER_CLOSED,
    ORDER_NOT_EXIST,
    ORDER_PAID,
    OUT_TRADE_NO_USED,
    RE_ENTRY,
    SERVICE_UNAVAILABLE,
    TRADE_ERROR,
    ApiError,
    wrong_field,
)
from backend.merchant_api.orders.model import transaction_number
from backend.merchant_api.orders.tables import ORDER, OUT_TRADE_NO
from backend.merchant_api.payers.tables import OPENID
from backend.payments.create import CreatePayment
from backend.payments.groups import GROUPED
from backend.payments.tables import PAYMENT
from backend.payments.timeline import step
from protocol.payment import PAID_STATES, Command, PaymentState

OVER = frozenset(
    {PaymentState.CLOSED, PaymentState.EXPIRED, PaymentState.DECLINED, PaymentState.REVERSED}
)
_WAITS = frozenset({PaymentState.CREATED, PaymentState.AWAITING_PAYER})


@dataclass(frozen=True, slots=True)
class Shown:
    """Of an order that its payer opens: until when it can be paid, and where news of it goes."""

    expires_at_ms: int
    notify_url: str
    notify_form: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOrder:
    """A new order. Answers its row and its payment's."""

    create: CreatePayment
    """With a fresh payment id, which goes unused if the number is known."""
    mchid: str
    out_trade_no: str
    appid: str
    trade_type: str
    content_hash: bytes
    shown: Shown | None = None
    """None: the payer has shown a code, and the payment is decided at once."""
    attach: str = ""
    payer_openid: str = ""
    payer_appid: str = ""
    """The app that knows the payer by that name."""
    device_id: str = ""
    sub_mchid: str = ""
    sub_appid: str = ""

    def reads(self) -> Iterable[Read]:
        return [(OUT_TRADE_NO, (self.mchid, self.out_trade_no)), *self.create.reads()]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        number = ws.get(OUT_TRADE_NO, (self.mchid, self.out_trade_no))
        if number is None:
            payer = [(OPENID, self.payer_openid)] if self.payer_openid else []
            return [*payer, *self.create.follow(ws)]
        return [(ORDER, number["payment_id"]), (PAYMENT, number["payment_id"])]

    def decide(self, ws: WorkingSet, now_ms: int) -> tuple[Row, Row]:
        number = ws.get(OUT_TRADE_NO, (self.mchid, self.out_trade_no))
        if number is not None:
            return self._again(ws, number["payment_id"], now_ms)
        if self.shown is not None and self.shown.expires_at_ms <= now_ms:
            raise wrong_field("/time_expire", "已过期")
        payer_id = self._wanted_payer(ws)
        self.create.decide(ws, now_ms)
        payment_id = self.create.body.payment_id
        payment = ws.get(PAYMENT, payment_id)
        assert payment is not None
        if payment["error_code"] in {"merchant_unknown", "merchant_stopped"}:
            raise ApiError(NO_AUTH)
        if payment["error_code"] == "payment_too_late":
            raise ApiError(SERVICE_UNAVAILABLE)  # the same number is good for the next try
        if self.shown is not None:
            payment = ws.update(
                PAYMENT,
                payment_id,
                payer_id=payer_id,
                code_expires_at_ms=self.shown.expires_at_ms,
                notify_url=self.shown.notify_url,
                notify_form=self.shown.notify_form,
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
            "sub_mchid": self.sub_mchid,
            "sub_appid": self.sub_appid,
            "content_hash": self.content_hash,
            "created_at_ms": now_ms,
        }
        ws.insert(ORDER, row)
        return row, payment

    def _wanted_payer(self, ws: WorkingSet) -> str | None:
        """Who alone may pay it; ``PARAM_ERROR`` for a name that nobody was ever told,
        ``OPENID_MISMATCH`` for one that another app was."""
        if not self.payer_openid:
            return None
        known = ws.get(OPENID, self.payer_openid)
        if known is not None and known["appid"] != self.payer_appid:
            raise ApiError(OPENID_MISMATCH)
        if known is None:
            raise wrong_field("/payer/openid", "无效的 openid")
        payer_id: str = known["payer_id"]
        return payer_id

    def _again(self, ws: WorkingSet, payment_id: str, now_ms: int) -> tuple[Row, Row]:
        order, payment = ws.get(ORDER, payment_id), ws.get(PAYMENT, payment_id)
        assert order is not None
        assert payment is not None
        state = PaymentState(payment["state"])
        if state in PAID_STATES:
            raise ApiError(ORDER_PAID)
        if order["trade_type"] != self.trade_type:
            raise ApiError(OUT_TRADE_NO_USED)
        if order["content_hash"] != self.content_hash:
            raise ApiError(RE_ENTRY)
        if self.shown is not None:
            is_late = now_ms >= payment["code_expires_at_ms"]
            if is_late or state in OVER:
                raise ApiError(ORDER_CLOSED)
        return order, payment


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseOrder:
    """Give up an order that nobody has paid. Safe to repeat."""

    mchid: str
    out_trade_no: str
    sub_mchid: str = ""

    def reads(self) -> Iterable[Read]:
        return [(OUT_TRADE_NO, (self.mchid, self.out_trade_no))]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        number = ws.get(OUT_TRADE_NO, (self.mchid, self.out_trade_no))
        if number is None:
            return []
        return [(ORDER, number["payment_id"]), (PAYMENT, number["payment_id"])]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        number = ws.get(OUT_TRADE_NO, (self.mchid, self.out_trade_no))
        if number is None:
            raise ApiError(ORDER_NOT_EXIST)
        order, payment = ws.get(ORDER, number["payment_id"]), ws.get(PAYMENT, number["payment_id"])
        assert order is not None
        assert payment is not None
        if order["sub_mchid"] != self.sub_mchid:
            raise ApiError(ORDER_NOT_EXIST)
        state = PaymentState(payment["state"])
        if payment["method"] == "pay_code":
            raise ApiError(MUST_REVERSE)
        if payment["method"] == GROUPED:
            raise ApiError(MUST_CLOSE_ALL)
        if state in PAID_STATES:
            raise ApiError(ORDER_PAID)
        if state in _WAITS:
            step(ws, payment, Command.CLOSE, actor=f"merchant:{self.mchid}", now_ms=now_ms)
        elif state not in OVER:
            raise ApiError(TRADE_ERROR, "订单支付中，请稍后查询")
