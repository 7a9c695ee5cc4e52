"""The page's commands: a wallet takes a payment over, a static code is made or stopped.

Rule: a payment is with one wallet at a time. Whoever opens its code first has it until that
wallet's channel says no, or the code's time is over. An order of a merchant's program for the
compatible interface is for our own wallet alone: that interface names payers whom only we know.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.merchants.tables import MERCHANT
from backend.notify.outbox import push_reads
from backend.pay_page.limits import LABEL_CHARS_MAX
from backend.pay_page.tables import STATIC_CODE
from backend.payments.foreign import ForeignCode, foreign_reads, take_foreign
from backend.payments.model import PaymentRules
from backend.payments.seller import seller_of, seller_reads
from backend.payments.tables import ATTEMPT, PAYMENT
from backend.payments.telling import push_payment
from backend.payments.waiting import check_waiting
from protocol.errors import CallerError
from protocol.payment import WAITING_STATES, PaymentState

ACTIVE, STOPPED = "active", "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenByWallet:
    """Somebody has opened a shown code in another wallet: that wallet's channel is asked for a code
    of its own. Again by the same wallet, it changes nothing. Answers the payment's row."""

    payment_id: str
    attempt_id: str
    wallet: str
    rules: PaymentRules

    def reads(self) -> Iterable[Read]:
        return [(PAYMENT, self.payment_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        payment = ws.get(PAYMENT, self.payment_id)
        if payment is None:
            return []
        reads = foreign_reads(ws, self._code, payment=payment, rules=self.rules)
        return [*seller_reads(payment), *push_reads(payment["store"]), *reads]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        payment = ws.get(PAYMENT, self.payment_id)
        is_for_all = payment is not None and payment["payer_id"] is None
        if payment is None or payment["method"] != "merchant_qr" or not is_for_all:
            raise CallerError("payment_not_found", self.payment_id)
        if payment["notify_form"]:
            raise CallerError("wallet_not_taken", self.payment_id)
        state = PaymentState(payment["state"])
        if state in WAITING_STATES and payment["funding"] == self.wallet:
            return payment
        check_waiting(payment, now_ms)
        return self._take(ws, payment, now_ms)

    @property
    def _code(self) -> ForeignCode:
        return ForeignCode(wallet=self.wallet, sealed="")

    def _take(self, ws: WorkingSet, payment: Row, now_ms: int) -> Row:
        merchant = seller_of(ws, payment)
        taken = take_foreign(
            ws,
            payment,
            code=self._code,
            attempt_id=self.attempt_id,
            merchant=merchant,
            rules=self.rules,
            actor=f"wallet:{self.wallet}",
            now_ms=now_ms,
        )
        if taken.refusal is not None:
            # The payment waits on: another wallet may still pay it.
            raise CallerError(taken.refusal)
        ws.insert(
            ATTEMPT,
            {
                "attempt_id": self.attempt_id,
                "payment_id": self.payment_id,
                "method": "merchant_qr",
                "outcome": taken.payment["state"],
                "at_ms": now_ms,
            },
        )
        push_payment(ws, taken.payment, now_ms)
        return taken.payment


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeStaticCode:
    """A code to hang in a shop. ``code_id`` is minted by the caller; the same again changes
    nothing."""

    code_id: str
    merchant_id: str
    label: str

    def reads(self) -> Iterable[Read]:
        return [(STATIC_CODE, self.code_id), (MERCHANT, self.merchant_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        if ws.get(MERCHANT, self.merchant_id) is None:
            raise CallerError("merchant_unknown", self.merchant_id)
        if not 0 < len(self.label) <= LABEL_CHARS_MAX or not self.label.isprintable():
            raise CallerError("field_invalid", "label")
        known = ws.get(STATIC_CODE, self.code_id)
        if known is not None:
            if (known["merchant_id"], known["label"]) != (self.merchant_id, self.label):
                raise CallerError("idempotency_conflict", "code_id")
            return known
        ws.insert(
            STATIC_CODE,
            {
                "code_id": self.code_id,
                "merchant_id": self.merchant_id,
                "label": self.label,
                "status": ACTIVE,
                "created_at_ms": now_ms,
            },
        )
        row = ws.get(STATIC_CODE, self.code_id)
        assert row is not None
        return row


@dataclass(frozen=True, slots=True, kw_only=True)
class StopStaticCode:
    """A code that pays nobody any more."""

    code_id: str

    def reads(self) -> Iterable[Read]:
        return [(STATIC_CODE, self.code_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:  # noqa: ARG002  # nothing is timed
        if ws.get(STATIC_CODE, self.code_id) is None:
            raise CallerError("code_not_found", self.code_id)
        return ws.update(STATIC_CODE, self.code_id, status=STOPPED)
