"""The payer confirms in the wallet: a merchant's code that was scanned, or a payment by the payer's
own code that waits for the PIN.

Rule: a refusal (no balance, risk, PIN) leaves the payment waiting: another payer, or the same one
a moment later, may still pay it until it expires. The try is kept as an attempt.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.instruments.model import BALANCE
from backend.merchants.tables import MERCHANT
from backend.notify.outbox import push_reads
from backend.payments.groups import GROUPED, GroupPayer, parts_of, sum_of
from backend.payments.model import Answer, PaymentRules, payment_answer
from backend.payments.paying import PayerAttempt, paying_reads, take
from backend.payments.seller import seller_of, seller_reads
from backend.payments.tables import ATTEMPT, GROUP, PAYMENT
from backend.payments.telling import push_payment
from backend.payments.waiting import check_payer, check_waiting
from backend.payments.word import is_asked_of, small_of
from backend.sharing.freezing import freeze_reads
from backend.wallet.pin_free import Small, count_pin_free, pin_reason
from backend.wallet.tables import PAYER
from protocol.errors import CallerError
from protocol.messages.consent import ConsentText
from protocol.payment import PAID_STATES, WAITING_STATES, PaymentState


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanPayment:
    """What the payer is asked to pay. Answers a map; ``payment_expired`` when it is too late."""

    payment_id: str
    payer_id: str
    rules: PaymentRules

    def reads(self) -> Iterable[Read]:
        return [(PAYMENT, self.payment_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        payment = ws.get(PAYMENT, self.payment_id)
        if payment is None:
            return []
        small = small_of(payment, self.payer_id, self.rules, 0)
        if payment["method"] == GROUPED:
            return [(GROUP, self.payment_id), small.read]
        return [(MERCHANT, payment["merchant_id"]), small.read]

    def decide(self, ws: WorkingSet, now_ms: int) -> dict[str, Any]:
        payment = ws.get(PAYMENT, self.payment_id)
        if payment is not None and payment["method"] == GROUPED:
            payer = GroupPayer(payer_id=self.payer_id, rules=self.rules)
            return payer.shown(ws, self.payment_id, now_ms)
        if payment is None or payment["method"] != "merchant_qr":
            raise CallerError("payment_not_found", self.payment_id)
        check_waiting(payment, now_ms)
        check_payer(payment, self.payer_id)
        merchant = ws.get(MERCHANT, payment["merchant_id"])
        assert merchant is not None
        small = small_of(payment, self.payer_id, self.rules, now_ms)
        return {
            "payment_id": payment["payment_id"],
            "merchant_id": payment["merchant_id"],
            "merchant_name": merchant["name"],
            "amount_minor": payment["amount_minor"],
            "currency": payment["currency"],
            "description": payment["description"],
            "expires_at_ms": payment["code_expires_at_ms"],
            "pin_required": pin_reason(ws, self.rules.wallet, small) is not None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTerms:
    """What a payment costs, and whom it pays; of a group the sum, which the payer was shown."""

    payment_id: str

    def reads(self) -> Iterable[Read]:
        return [(PAYMENT, self.payment_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        payment = ws.get(PAYMENT, self.payment_id)
        is_group = payment is not None and payment["method"] == GROUPED
        return [(GROUP, self.payment_id)] if is_group else []

    def decide(self, ws: WorkingSet, now_ms: int) -> dict[str, Any]:  # noqa: ARG002  # of any time
        payment = ws.get(PAYMENT, self.payment_id)
        if payment is None:
            raise CallerError("payment_not_found", self.payment_id)
        return terms_of(ws, payment)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmByPayer:
    """The payer pays a merchant-presented code, or gives the PIN or a signed consent for a payment
    by code (then one is always needed). ``attempt_id`` is minted by the wallet: the same attempt
    again charges nothing and gets the refusal it got before, if it was refused."""

    payment_id: str
    attempt_id: str
    payer_id: str
    is_pin_verified: bool
    rules: PaymentRules
    consent: ConsentText | None = None
    """What the payer's phone has signed, verified; it must be of this payment and attempt."""
    instrument_id: str | None = None
    """What to pay with, ``balance`` for the balance; None: the payer's default."""
    coupon_id: str | None = None
    """The coupon that pays its part, or the confirmation is refused; None: no coupon."""

    def reads(self) -> Iterable[Read]:
        return [(PAYMENT, self.payment_id), (ATTEMPT, self.attempt_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        payment = ws.get(PAYMENT, self.payment_id)
        if payment is None:
            return []
        if payment["method"] == GROUPED:
            return self._group_reads(ws, payment)
        merchant_id = payment["merchant_id"]
        small = small_of(payment, self.payer_id, self.rules, 0)
        found = [*seller_reads(payment), small.read, *push_reads(payment["store"])]
        if payment["is_shared"]:
            found += freeze_reads(self.payment_id, payment["currency"])
        return found + paying_reads(
            ws,
            payment_id=self.payment_id,
            payer_id=self.payer_id,
            merchant_id=merchant_id,
            currency=payment["currency"],
            device=payment["device"],
            store=payment["store"],
            rules=self.rules,
            instrument_id=self.instrument_id,
            coupon_id=self.coupon_id or self._chosen_coupon(ws, payment),
        )

    def decide(self, ws: WorkingSet, now_ms: int) -> Answer:
        payment = ws.get(PAYMENT, self.payment_id)
        if payment is None or not _may_be_confirmed(payment, self.payer_id):
            raise CallerError("payment_not_found", self.payment_id)
        attempt = self._attempt(ws)
        if attempt is not None:
            return self._told(ws, self._seen(payment), attempt["error_code"])
        is_theirs = payment["payer_id"] == self.payer_id
        if is_theirs and PaymentState(payment["state"]) in PAID_STATES | WAITING_STATES:
            return self._told(ws, payment)
        self._check_consent(ws, payment)
        if payment["method"] == GROUPED:
            return self._pay_group(ws, now_ms)
        check_waiting(payment, now_ms)
        check_payer(payment, self.payer_id)
        small = small_of(payment, self.payer_id, self.rules, now_ms)
        if not self._is_confirmed:
            reason = self._pin_reason(ws, payment, small)
            if reason is not None:
                raise CallerError("pin_required", reason)
        return self._pay(ws, payment, small, now_ms)

    @property
    def _is_confirmed(self) -> bool:
        return self.is_pin_verified or self.consent is not None

    def _check_consent(self, ws: WorkingSet, payment: Row) -> None:
        """A consent to another payment is none; one to much needs the PIN beside it. Of a group it
        names the sum that the payer was shown."""
        text = self.consent
        if text is None:
            return
        signed = (text.payment_id, text.attempt_id, text.payer_id)
        terms = terms_of(ws, payment)
        if signed != (self.payment_id, self.attempt_id, self.payer_id) or any(
            getattr(text, name) != value for name, value in terms.items()
        ):
            raise CallerError("consent_invalid", "of another payment")
        if not self.is_pin_verified and text.amount_minor > self.rules.wallet.consent_minor:
            raise CallerError("pin_required", "above the limit of a consent")

    def _pin_reason(self, ws: WorkingSet, payment: Row, small: Small) -> str | None:
        if is_asked_of(payment, self.payer_id):
            return "the code alone was not enough"
        return pin_reason(ws, self.rules.wallet, small)

    def _chosen_coupon(self, ws: WorkingSet, payment: Row) -> str | None:
        """The coupon for a pay code, once the payer is loaded."""
        payer = ws.loaded(PAYER, self.payer_id) if payment["method"] == "pay_code" else None
        return payer["chosen_coupon_id"] if payer else None

    def _told(self, ws: WorkingSet, payment: Row, error_code: str | None = None) -> Answer:
        if payment["method"] == GROUPED:
            return self._group_payer.told(ws, payment)
        return payment_answer(payment, error_code=error_code)

    def _group_reads(self, ws: WorkingSet, lead: Row) -> Iterable[Read]:
        if ws.loaded(GROUP, self.payment_id) is None:
            return [(GROUP, self.payment_id)]
        small = small_of(lead, self.payer_id, self.rules, 0)
        return [small.read, *self._group_payer.reads(ws, self.payment_id)]

    def _pay_group(self, ws: WorkingSet, now_ms: int) -> Answer:
        if self.coupon_id is not None or self.instrument_id not in {None, BALANCE}:
            raise CallerError("instrument_unknown", "several payments at once: the balance only")
        return self._group_payer.pay(
            ws,
            self.payment_id,
            attempt_id=self.attempt_id,
            verification=self._verification,
            now_ms=now_ms,
        )

    @property
    def _group_payer(self) -> GroupPayer:
        return GroupPayer(payer_id=self.payer_id, rules=self.rules)

    def _attempt(self, ws: WorkingSet) -> Row | None:
        """This attempt, if it was made before; ``idempotency_conflict`` if not by this payer."""
        attempt = ws.get(ATTEMPT, self.attempt_id)
        if attempt is None:
            return None
        if (attempt["payment_id"], attempt["payer_id"]) != (self.payment_id, self.payer_id):
            raise CallerError("idempotency_conflict", "attempt_id")
        return attempt

    def _seen(self, payment: Row) -> Row:
        """The payment as this payer may see it: not who else has paid it."""
        is_theirs = payment["payer_id"] == self.payer_id
        if is_theirs or payment["payer_masked"] is None:
            return payment
        return payment | {"payer_masked": None, "paid_at_ms": None}

    def _pay(self, ws: WorkingSet, payment: Row, small: Small, now_ms: int) -> Answer:
        taken = take(
            ws,
            payment,
            PayerAttempt(
                attempt_id=self.attempt_id,
                payer_id=self.payer_id,
                actor=f"payer:{self.payer_id}",
                is_confirmed=self._is_confirmed,
                instrument_id=self.instrument_id,
                coupon_id=self.coupon_id,
            ),
            merchant=seller_of(ws, payment),
            rules=self.rules,
            now_ms=now_ms,
        )
        self._insert_attempt(ws, taken.payment, taken.refusal, now_ms)
        if taken.refusal is None and not self._is_confirmed:
            count_pin_free(ws, small)
        if taken.refusal is None:
            push_payment(ws, taken.payment, now_ms)
        return payment_answer(taken.payment, error_code=taken.refusal)

    @property
    def _verification(self) -> str:
        if self.is_pin_verified:
            return "pin"
        return "none" if self.consent is None else "consent"

    def _insert_attempt(
        self, ws: WorkingSet, payment: Row, refusal: str | None, now_ms: int
    ) -> None:
        ws.insert(
            ATTEMPT,
            {
                "attempt_id": self.attempt_id,
                "payment_id": self.payment_id,
                "payer_id": self.payer_id,
                "method": payment["method"],
                "outcome": payment["state"],
                "error_code": refusal,
                "verification_kind": self._verification,
                "at_ms": now_ms,
            },
        )


def terms_of(ws: WorkingSet, payment: Row) -> dict[str, Any]:
    """What the payer agrees to in a payment, or in a group that it leads."""
    amount_minor = payment["amount_minor"]
    if payment["method"] == GROUPED:
        amount_minor = sum_of(parts_of(ws, payment["payment_id"]))
    return {
        "merchant_id": payment["merchant_id"],
        "amount_minor": amount_minor,
        "currency": payment["currency"],
    }


def _may_be_confirmed(payment: Row, payer_id: str) -> bool:
    """A merchant's code, or a group's, by anybody; a payment by code by the payer whom it asks."""
    is_shown = payment["method"] in {"merchant_qr", GROUPED}
    return is_shown or is_asked_of(payment, payer_id)
