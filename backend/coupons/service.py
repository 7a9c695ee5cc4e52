"""Coupons' commands: issuing, taking back, choosing, expiring. Each is safe to repeat."""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.coupons.limits import VALID_MS_MAX
from backend.coupons.model import CouponCommand, CouponState
from backend.coupons.tables import COUPON
from backend.coupons.timeline import record_issued, step
from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.merchants.tables import MERCHANT
from backend.wallet.service import payer_row
from backend.wallet.tables import PAYER
from protocol.errors import CallerError
from protocol.ids import is_id
from protocol.money import positive

OPERATOR, CLOCK = "operator", "clock"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueCoupon:
    """Give a payer a coupon. Who issues it mints its id: the same content again changes nothing."""

    coupon_id: str
    payer_id: str
    amount_minor: int
    currency: str
    valid_from_ms: int
    valid_until_ms: int
    minimum_minor: int = 0
    merchant_id: str | None = None

    def reads(self) -> Iterable[Read]:
        found: list[Read] = [(COUPON, self.coupon_id), (PAYER, self.payer_id)]
        return found if self.merchant_id is None else [*found, (MERCHANT, self.merchant_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        content = {name: getattr(self, name) for name in self.__dataclass_fields__}
        known = ws.get(COUPON, self.coupon_id)
        if known is not None:
            if any(known[name] != value for name, value in content.items()):
                raise CallerError("idempotency_conflict", "coupon_id")
            return known
        self._check(ws, now_ms)
        ws.insert(
            COUPON,
            {
                **content,
                "state": CouponState.ISSUED.value,
                "created_at_ms": now_ms,
                "updated_at_ms": now_ms,
            },
        )
        row = ws.get(COUPON, self.coupon_id)
        assert row is not None
        return record_issued(ws, row, actor=OPERATOR, now_ms=now_ms)

    def _check(self, ws: WorkingSet, now_ms: int) -> None:
        if not is_id(self.coupon_id, prefix="cpn"):
            raise CallerError("id_invalid", "coupon_id")
        payer_row(ws, self.payer_id)
        positive(self.amount_minor, self.currency)
        if self.minimum_minor:
            positive(self.minimum_minor, self.currency)
        if self.merchant_id is not None:
            self._check_merchant(ws, self.merchant_id)
        valid_ms = self.valid_until_ms - self.valid_from_ms
        if not 0 < valid_ms <= VALID_MS_MAX or self.valid_until_ms <= now_ms:
            raise CallerError("field_invalid", "valid_until_ms")

    def _check_merchant(self, ws: WorkingSet, merchant_id: str) -> None:
        merchant = ws.get(MERCHANT, merchant_id)
        if merchant is None:
            raise CallerError("merchant_unknown", merchant_id)
        if merchant["currency"] != self.currency:
            raise CallerError("currency_mismatch")


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidCoupon:
    """An operator takes an unused coupon back, for good. One that is used is not touched."""

    coupon_id: str

    def reads(self) -> Iterable[Read]:
        return [(COUPON, self.coupon_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        coupon = ws.get(COUPON, self.coupon_id)
        if coupon is None:
            raise CallerError("coupon_not_found", self.coupon_id)
        if coupon["state"] == CouponState.VOIDED:
            return coupon
        return step(ws, coupon, CouponCommand.VOID, actor=OPERATOR, now_ms=now_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChooseCoupon:
    """The payer's next pay code uses this coupon, if it fits what is paid; None: no coupon.

    The choice stands until another is made. A coupon pays once, so a used one fits nothing more;
    one that comes back from a declined payment is used by the next pay code.
    """

    payer_id: str
    coupon_id: str | None

    def reads(self) -> Iterable[Read]:
        found: list[Read] = [(PAYER, self.payer_id)]
        return found if self.coupon_id is None else [*found, (COUPON, self.coupon_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> str | None:
        payer_row(ws, self.payer_id)
        if self.coupon_id is not None:
            coupon = ws.get(COUPON, self.coupon_id)
            if coupon is None or coupon["payer_id"] != self.payer_id:
                raise CallerError("coupon_not_found", self.coupon_id)
            if coupon["state"] != CouponState.ISSUED or now_ms >= coupon["valid_until_ms"]:
                raise CallerError("coupon_invalid", self.coupon_id)
        ws.update(PAYER, self.payer_id, chosen_coupon_id=self.coupon_id)
        return self.coupon_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireCoupon:
    """The clock's command: a coupon's time is over. Answers whether it expired now."""

    coupon_id: str

    def reads(self) -> Iterable[Read]:
        return [(COUPON, self.coupon_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> bool:
        coupon = ws.get(COUPON, self.coupon_id)
        is_due = (
            coupon is not None
            and coupon["state"] == CouponState.ISSUED
            and now_ms >= coupon["valid_until_ms"]
        )
        if coupon is not None and is_due:
            step(ws, coupon, CouponCommand.EXPIRE, actor=CLOCK, now_ms=now_ms)
        return is_due
