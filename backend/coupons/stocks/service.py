"""The stocks' commands: making one, its steps, giving coupons out, its end (posting rule 26)."""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.coupons.limits import VALID_MS_MAX
from backend.coupons.model import CouponState
from backend.coupons.stocks.limits import LIFE_MS_MAX, RETRY_MS
from backend.coupons.stocks.model import Stock, StockState, StockStep, next_state, refusal
from backend.coupons.stocks.tables import COUPON_STOCK, SENT_COUPON, STOCK_NEWS, STOCK_PAYER
from backend.coupons.tables import COUPON
from backend.coupons.timeline import record_issued
from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.disputes.cover import collect, collect_reads
from backend.ledger import chart
from backend.ledger import rules as posting
from backend.ledger import service as ledger
from backend.ledger.model import Transfer
from backend.merchants.tables import MERCHANT
from backend.payments.model import PaymentRules
from backend.wallet.service import payer_row
from backend.wallet.tables import PAYER
from protocol.errors import CallerError

_FACTS = tuple(Stock.__dataclass_fields__)


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeStock:
    """A stock, not started. ``stock_id`` follows from the merchant's number, so the same content
    again changes nothing and other content is an ``idempotency_conflict``. Answers its row."""

    stock_id: str
    owner: str
    merchant_id: str
    content_hash: bytes
    name: str
    comment: str
    description: str
    amount_minor: int
    minimum_minor: int
    max_coupons: int
    max_amount_minor: int
    max_per_payer: int
    begin_ms: int
    end_ms: int

    def reads(self) -> Iterable[Read]:
        return [(COUPON_STOCK, self.stock_id), (MERCHANT, self.merchant_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        known = ws.get(COUPON_STOCK, self.stock_id)
        if known is not None:
            if known["content_hash"] != self.content_hash:
                raise CallerError("idempotency_conflict", "out_request_no")
            return known
        merchant = ws.get(MERCHANT, self.merchant_id)
        if merchant is None:
            raise CallerError("merchant_unknown", self.merchant_id)
        if not 0 < self.end_ms - self.begin_ms <= LIFE_MS_MAX or self.end_ms <= now_ms:
            raise CallerError("field_invalid", "available_end_time")
        content = {name: getattr(self, name) for name in self.__dataclass_fields__}
        ws.insert(
            COUPON_STOCK,
            {
                **content,
                "currency": merchant["currency"],
                "state": StockState.UNACTIVATED.value,
                "created_at_ms": now_ms,
                "stepped_at_ms": now_ms,
                "due_at_ms": self.end_ms,
            },
        )
        return stock_row(ws, self.stock_id, self.owner)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStock:
    """Start a stock (its merchant repays what it owes us, then its money is set aside:
    ``merchant_balance_short``), pause or restart it. Safe to repeat; ``stock_state`` where it
    cannot be. Answers its row."""

    stock_id: str
    owner: str
    step: StockStep
    rules: PaymentRules

    def reads(self) -> Iterable[Read]:
        return [(COUPON_STOCK, self.stock_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        stock = ws.get(COUPON_STOCK, self.stock_id)
        if stock is None or self.step is not StockStep.START:
            return []
        reads = ledger.reads(_set_aside(stock, ""), is_new=True)
        return [*reads, *collect_reads(stock["merchant_id"], stock["currency"])]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        stock = stock_row(ws, self.stock_id, self.owner)
        if self._was_taken(stock):
            return stock
        after = next_state(stock["state"], self.step)
        if now_ms >= stock["end_ms"]:
            raise CallerError("stock_state", "its time is over")
        changes: Row = {"state": after.value, "stepped_at_ms": now_ms}
        if self.step is StockStep.START:
            date = self.rules.business_date(now_ms)
            event = posting.Event(f"{self.stock_id}.cover", stock["currency"], date)
            collect(ws, event, stock["merchant_id"], now_ms)
            ledger.post(ws, _set_aside(stock, date), now_ms, is_new=True)
            changes["started_at_ms"] = now_ms
        return ws.update(COUPON_STOCK, self.stock_id, **changes)

    def _was_taken(self, stock: Row) -> bool:
        if self.step is StockStep.PAUSE:
            return bool(stock["state"] == StockState.PAUSED)
        return bool(stock["state"] == StockState.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendCoupon:
    """Give a payer a coupon of a stock under a number of the merchant's. The same content again
    answers the same coupon. ``stock_not_running``, ``stock_exhausted``, ``stock_payer_limit``.
    Answers the coupon's row."""

    coupon_id: str
    """Fresh; it goes unused if the number is known."""
    stock_id: str
    owner: str
    payer_id: str
    out_request_no: str
    content_hash: bytes

    def reads(self) -> Iterable[Read]:
        return [
            (SENT_COUPON, (self.owner, self.out_request_no)),
            (COUPON_STOCK, self.stock_id),
            (STOCK_PAYER, (self.stock_id, self.payer_id)),
            (PAYER, self.payer_id),
            (COUPON, self.coupon_id),
        ]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        known = ws.get(SENT_COUPON, (self.owner, self.out_request_no))
        return [] if known is None else [(COUPON, known["coupon_id"])]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        known = ws.get(SENT_COUPON, (self.owner, self.out_request_no))
        if known is not None:
            if known["content_hash"] != self.content_hash:
                raise CallerError("idempotency_conflict", "out_request_no")
            return _coupon(ws, known["coupon_id"])
        stock = stock_row(ws, self.stock_id, self.owner)
        if payer_row(ws, self.payer_id)["status"] != "active":
            raise CallerError("payer_frozen")
        had = ws.get(STOCK_PAYER, (self.stock_id, self.payer_id))
        had_count = had["had_count"] if had else 0
        facts = Stock(**{name: stock[name] for name in _FACTS})
        code = refusal(facts, had_count=had_count, now_ms=now_ms)
        if code is not None:
            raise CallerError(code, self.stock_id)
        self._count(ws, stock, had, had_count + 1)
        return self._issue(ws, stock, now_ms)

    def _count(self, ws: WorkingSet, stock: Row, had: Row | None, had_count: int) -> None:
        ws.update(COUPON_STOCK, self.stock_id, sent_count=stock["sent_count"] + 1)
        key = {"stock_id": self.stock_id, "payer_id": self.payer_id}
        if had is None:
            ws.insert(STOCK_PAYER, {**key, "had_count": had_count})
        else:
            ws.update(STOCK_PAYER, (self.stock_id, self.payer_id), had_count=had_count)
        ws.insert(
            SENT_COUPON,
            {
                "owner": self.owner,
                "out_request_no": self.out_request_no,
                "coupon_id": self.coupon_id,
                "content_hash": self.content_hash,
            },
        )

    def _issue(self, ws: WorkingSet, stock: Row, now_ms: int) -> Row:
        assert stock["end_ms"] - stock["begin_ms"] <= VALID_MS_MAX
        ws.insert(
            COUPON,
            {
                "coupon_id": self.coupon_id,
                "payer_id": self.payer_id,
                "merchant_id": stock["merchant_id"],
                "amount_minor": stock["amount_minor"],
                "currency": stock["currency"],
                "stock_id": self.stock_id,
                "minimum_minor": stock["minimum_minor"],
                "valid_from_ms": stock["begin_ms"],
                "valid_until_ms": stock["end_ms"],
                "state": CouponState.ISSUED.value,
                "created_at_ms": now_ms,
                "updated_at_ms": now_ms,
            },
        )
        row = _coupon(ws, self.coupon_id)
        return record_issued(ws, row, actor=f"merchant:{stock['merchant_id']}", now_ms=now_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndStock:
    """The clock's command: a stock's time is over. ``is_clear``: no coupon of it can be used any
    more or is a part of a payment under way; then what is left is the merchant's again, else it is
    looked at later. Answers whether anything is done."""

    stock_id: str
    is_clear: bool
    rules: PaymentRules

    def reads(self) -> Iterable[Read]:
        return [(COUPON_STOCK, self.stock_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        stock = ws.get(COUPON_STOCK, self.stock_id)
        return [] if stock is None else ledger.reads(_released(stock, 1, ""), is_new=True)

    def decide(self, ws: WorkingSet, now_ms: int) -> bool:
        stock = ws.get(COUPON_STOCK, self.stock_id)
        if stock is None or stock["due_at_ms"] is None or now_ms < stock["due_at_ms"]:
            return False
        changes: Row = {"due_at_ms": None if self.is_clear else now_ms + RETRY_MS}
        if stock["state"] != StockState.STOPPED:
            after = next_state(stock["state"], StockStep.END)
            changes |= {"state": after.value, "stopped_at_ms": now_ms}
        left_minor = ledger.available(ws, chart.stock(self.stock_id, stock["currency"]))
        if self.is_clear and left_minor:
            date = self.rules.business_date(now_ms)
            ledger.post(ws, _released(stock, left_minor, date), now_ms, is_new=True)
            changes["release_count"] = stock["release_count"] + 1
        ws.update(COUPON_STOCK, self.stock_id, **changes)
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepStockNews:
    """Where a merchant wants to hear that its coupons are used; None: nowhere."""

    merchant_id: str
    notify_url: str | None
    notify_form: str

    def reads(self) -> Iterable[Read]:
        return [(STOCK_NEWS, self.merchant_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        changes: Row = {
            "notify_url": self.notify_url,
            "notify_form": self.notify_form,
            "updated_at_ms": now_ms,
        }
        if ws.get(STOCK_NEWS, self.merchant_id) is None:
            row = {"merchant_id": self.merchant_id, **changes}
            ws.insert(STOCK_NEWS, row)
            return row
        return ws.update(STOCK_NEWS, self.merchant_id, **changes)


def stock_row(ws: WorkingSet, stock_id: str, owner: str) -> Row:
    """The stock, if it is of this merchant number; else ``stock_not_found``."""
    stock = ws.get(COUPON_STOCK, stock_id)
    if stock is None or stock["owner"] != owner:
        raise CallerError("stock_not_found", stock_id)
    return stock


def _coupon(ws: WorkingSet, coupon_id: str) -> Row:
    row = ws.get(COUPON, coupon_id)
    assert row is not None, "coupons are never removed"
    return row


def _set_aside(stock: Row, date: str) -> list[Transfer]:
    facts = Stock(**{name: stock[name] for name in _FACTS})
    event = posting.Event(f"{stock['stock_id']}.started", stock["currency"], date)
    return posting.stock_set_aside(
        event,
        stock_id=stock["stock_id"],
        merchant_id=stock["merchant_id"],
        amount_minor=facts.set_aside_minor,
    )


def _released(stock: Row, amount_minor: int, date: str) -> list[Transfer]:
    number = stock["release_count"] + 1
    event = posting.Event(f"{stock['stock_id']}.released{number}", stock["currency"], date)
    return posting.stock_released(
        event,
        stock_id=stock["stock_id"],
        merchant_id=stock["merchant_id"],
        amount_minor=amount_minor,
    )
