"""The commands of orders that are paid at once.

Rule 1: all orders of a number are made in one transaction, and given up in one.
Rule 2: each is an order of its own merchant number, which asks for it and gives it back by itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.merchant_api.combine.tables import COMBINE
from backend.merchant_api.faults import (
    ORDER_CLOSED,
    ORDER_NOT_EXIST,
    ORDER_PAID,
    OUT_TRADE_NO_USED,
    RE_ENTRY,
    ApiError,
    wrong_field,
)
from backend.merchant_api.orders.service import OVER, CreateOrder
from backend.merchant_api.orders.tables import ORDER, OUT_TRADE_NO
from backend.payments.groups import join, parts_of
from backend.payments.tables import GROUP, PAYMENT
from backend.payments.timeline import step
from protocol.payment import PAID_STATES, Command, PaymentState


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCombine:
    """New orders that are paid at once. Answers the row of their number."""

    mchid: str
    out_trade_no: str
    appid: str
    trade_type: str
    device_id: str
    content_hash: bytes
    orders: tuple[CreateOrder, ...]

    def reads(self) -> Iterable[Read]:
        parts = [read for order in self.orders for read in order.reads()]
        return [(COMBINE, (self.mchid, self.out_trade_no)), *parts]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        known = ws.get(COMBINE, (self.mchid, self.out_trade_no))
        if known is None:
            return [read for order in self.orders for read in order.follow(ws)]
        return [(PAYMENT, known["lead_id"])]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        known = ws.get(COMBINE, (self.mchid, self.out_trade_no))
        if known is not None:
            return self._again(ws, known, now_ms)
        made = []
        for order in self.orders:
            if ws.get(OUT_TRADE_NO, (order.mchid, order.out_trade_no)) is not None:
                raise ApiError(OUT_TRADE_NO_USED, "子单商户订单号已使用过")
            row, _ = order.decide(ws, now_ms)
            made.append(row["payment_id"])
        join(ws, made)
        row = {
            "mchid": self.mchid,
            "out_trade_no": self.out_trade_no,
            "lead_id": made[0],
            "appid": self.appid,
            "trade_type": self.trade_type,
            "device_id": self.device_id,
            "content_hash": self.content_hash,
            "created_at_ms": now_ms,
        }
        ws.insert(COMBINE, row)
        return row

    def _again(self, ws: WorkingSet, known: Row, now_ms: int) -> Row:
        lead = ws.get(PAYMENT, known["lead_id"])
        assert lead is not None, "written with its number"
        state = PaymentState(lead["state"])
        if state in PAID_STATES:
            raise ApiError(ORDER_PAID)
        if known["content_hash"] != self.content_hash:
            raise ApiError(RE_ENTRY)
        if state in OVER or now_ms >= lead["code_expires_at_ms"]:
            raise ApiError(ORDER_CLOSED)
        return known


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseCombine:
    """Give up orders that nobody has paid. Safe to repeat. ``orders`` are (mchid, sub_mchid or
    empty, out_trade_no), all that there are."""

    mchid: str
    out_trade_no: str
    orders: frozenset[tuple[str, str, str]]

    def reads(self) -> Iterable[Read]:
        return [(COMBINE, (self.mchid, self.out_trade_no))]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        known = ws.get(COMBINE, (self.mchid, self.out_trade_no))
        return [] if known is None else [(GROUP, known["lead_id"])]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        known = ws.get(COMBINE, (self.mchid, self.out_trade_no))
        if known is None:
            raise ApiError(ORDER_NOT_EXIST)
        parts = parts_of(ws, known["lead_id"])
        orders = [ws.get(ORDER, part["payment_id"]) for part in parts]
        names = {(row["mchid"], row["sub_mchid"], row["out_trade_no"]) for row in orders if row}
        if names != self.orders:
            raise wrong_field("/sub_orders", "须列出全部子单")
        if PaymentState(parts[0]["state"]) in PAID_STATES:
            raise ApiError(ORDER_PAID)
        for part in parts:
            if PaymentState(part["state"]) not in OVER:
                step(ws, part, Command.CLOSE, actor=f"merchant:{self.mchid}", now_ms=now_ms)
