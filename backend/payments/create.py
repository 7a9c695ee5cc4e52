"""Creating a payment: one command, one transaction, whatever the method.

Rule 1: the first answer to a request is its answer for ever; a payment id belongs to one content.
Rule 2: a decline is kept. The same id can never be paid later by a copy that was under way.
Rule 3: only what is wrong in every future, too (another merchant's id, a currency the merchant
        does not take), is refused without a row.
Rule 4: a payment that waited too long on its way is declined, never charged: nobody stands at the
        till any more. What undoes or asks (reversal, query, refund) does not age, and what was
        accepted offline has a time of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.mandates.model import Use
from backend.mandates.tables import MANDATE
from backend.mandates.using import check_question, check_use, record_use, use_reads
from backend.merchants.tables import MERCHANT
from backend.payments.foreign import ForeignCode, foreign_reads, take_foreign
from backend.payments.idempotency import first_answer, remember, request_read
from backend.payments.limits import CREATE_AGE_MS_MAX, THING_WORD_MS
from backend.payments.model import (
    Answer,
    DeviceRequest,
    PaymentRules,
    body_hash,
    payment_answer,
)
from backend.payments.offline import Presented, offline_reads, take_offline
from backend.payments.paying import PayerAttempt, Taken, paying_reads, take
from backend.payments.tables import ATTEMPT, PAYMENT
from backend.payments.telling import tell_decline
from backend.payments.timeline import step
from backend.payments.word import ask_payer, small_of
from backend.sharing.freezing import freeze_reads
from backend.switches.service import stop_of, stop_reads
from backend.wallet.codes import code_reads, note_declined, payer_of, use_code
from backend.wallet.model import page_code_url
from backend.wallet.pin_free import code_reason, count_pin_free
from backend.wallet.tables import PAYER, PIN_FREE
from protocol.errors import CallerError
from protocol.messages import PaymentCreate
from protocol.paycode import Found, mask
from protocol.payment import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePayment:
    """``payment.create``. ``found`` is what a scanned code of ours turned out to be; ``foreign`` is
    one of another wallet."""

    request: DeviceRequest
    body: PaymentCreate
    rules: PaymentRules
    found: Found | None = None
    guard: str = ""
    """Who is stopped after too many wrong codes; empty: the device."""
    is_shared: bool = False
    """Whether what the merchant earns of it is frozen, to be shared."""
    asks_payer: bool = False
    """The payer's PIN is wanted, whatever the amount."""
    foreign: ForeignCode | None = None
    presented: Presented | None = None
    """What the till accepted offline."""
    notify_url: str | None = None
    """Where news of it goes, and in which form; None: to the merchant's own address."""
    notify_form: str = ""
    is_decline_told: bool = False
    """Whether that is told, too, when it is declined: nobody stands there to see it."""

    def reads(self) -> Iterable[Read]:
        body, request = self.body, self.request
        found: list[Read] = [
            request_read(request),
            (PAYMENT, body.payment_id),
            (ATTEMPT, body.attempt_id),
            (MERCHANT, request.merchant_id),
            *stop_reads(merchant_id=request.merchant_id, device=request.device),
        ]
        if self.found is not None:
            found += code_reads(self.found, self.guard or request.device)
        if body.mandate_id is not None:
            found.append((MANDATE, body.mandate_id))
        return found

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        if self.body.method == "merchant_qr":
            return []
        asked = {
            "payment_id": self.body.payment_id,
            "merchant_id": self.request.merchant_id,
            "currency": self.body.currency,
            "device": self.request.device,
            "store": self.request.store,
        }
        if self.presented is not None:
            return offline_reads(ws, self.presented, payment=asked)
        if self.foreign is not None:
            return foreign_reads(ws, self.foreign, payment=asked, rules=self.rules)
        payer_id = payer_of(ws, self.found) if self.found is not None else self._mandate_payer(ws)
        found = paying_reads(
            ws,
            payment_id=self.body.payment_id,
            payer_id=payer_id,
            merchant_id=self.request.merchant_id,
            currency=self.body.currency,
            device=self.request.device,
            store=self.request.store,
            rules=self.rules,
            coupon_id=self._chosen_coupon(ws, payer_id),
        )
        if self.body.mandate_id is not None:
            found += use_reads(ws, self.body.mandate_id)
        if self.is_shared:
            found += freeze_reads(self.body.payment_id, self.body.currency)
        if self.found is not None and payer_id is not None and not self._has_finger:
            found.append((PIN_FREE, (payer_id, self.body.currency)))
        return found

    def decide(self, ws: WorkingSet, now_ms: int) -> Answer:
        earlier = first_answer(ws, self.request)
        if earlier is not None:
            return earlier
        known = ws.get(PAYMENT, self.body.payment_id)
        answer = self._again(known) if known is not None else self._new(ws, now_ms)
        return remember(ws, self.request, answer, now_ms)

    def _again(self, known: Row) -> Answer:
        """The id is known: the same content gets the payment's state, other content a conflict."""
        if known["merchant_id"] != self.request.merchant_id:
            raise CallerError("idempotency_conflict", "payment_id")
        if known["body_hash"] and known["body_hash"] != body_hash(self.request.device, self.body):
            raise CallerError("idempotency_conflict", "payment_id")
        return payment_answer(known)

    def _new(self, ws: WorkingSet, now_ms: int) -> Answer:
        merchant = self._merchant(ws)
        if ws.get(ATTEMPT, self.body.attempt_id) is not None:
            raise CallerError("idempotency_conflict", "attempt_id")
        payment = self._insert(ws, now_ms)
        stopped = stop_of(ws, merchant_id=self.request.merchant_id, device=self.request.device)
        if self.presented is not None:
            is_covered = stopped is None and merchant["status"] == "active"
            taken = self._by_token(
                ws, payment, self.presented, merchant, now_ms, is_covered=is_covered
            )
        elif now_ms - self.request.received_at_ms > CREATE_AGE_MS_MAX:
            taken = Taken(payment, "payment_too_late")
        elif merchant["status"] != "active":
            taken = Taken(payment, "merchant_unknown")
        elif stopped is not None:
            taken = Taken(payment, stopped)
        elif self.body.method == "merchant_qr":
            taken = self._show_code(ws, payment, now_ms)
        elif self.body.method == "pay_code":
            taken = self._by_code(ws, payment, merchant, now_ms)
        else:
            taken = self._by_mandate(ws, payment, merchant, now_ms)
        payment = taken.payment
        if taken.refusal is not None:
            payment = step(
                ws,
                payment,
                Command.DECLINE,
                actor=self._actor,
                now_ms=now_ms,
                detail={"code": taken.refusal},
                error_code=taken.refusal,
                risk=taken.verdict.to_json() if taken.verdict else None,
            )
            tell_decline(ws, payment, merchant, now_ms)
        self._insert_attempt(ws, payment, now_ms)
        return payment_answer(payment)

    def _merchant(self, ws: WorkingSet) -> Row:
        merchant = ws.get(MERCHANT, self.request.merchant_id)
        if merchant is None or self.body.merchant_id != self.request.merchant_id:
            raise CallerError("merchant_unknown")
        if self.body.currency != merchant["currency"]:
            raise CallerError("currency_mismatch")
        return merchant

    def _show_code(self, ws: WorkingSet, payment: Row, now_ms: int) -> Taken:
        shown = step(
            ws,
            payment,
            Command.SHOW_CODE,
            actor=self._actor,
            now_ms=now_ms,
            code_expires_at_ms=now_ms + self.rules.code_life_ms,
            code_url=page_code_url(self.rules.page_url, self.body.payment_id),
        )
        return Taken(shown)

    def _by_code(self, ws: WorkingSet, payment: Row, merchant: Row, now_ms: int) -> Taken:
        if self.foreign is not None:  # another wallet's payer is verified there, by no finger here
            return take_foreign(
                ws,
                payment,
                code=self.foreign,
                attempt_id=self.body.attempt_id,
                merchant=merchant,
                rules=self.rules,
                actor=self._actor,
                now_ms=now_ms,
                fingerprint=self.request.fingerprint,
            )
        assert self.found is not None, "the request's parser resolves the code"
        resolved = use_code(
            ws,
            self.found,
            device=self.guard or self.request.device,
            merchant_id=self.request.merchant_id,
            now_ms=now_ms,
        )
        if resolved.payer_id is None:
            return Taken(payment, resolved.refusal)
        taken = self._by_our_code(ws, payment, merchant, resolved.payer_id, now_ms)
        if taken.refusal is not None:
            note_declined(ws, self.found, self.body.payment_id)
        return taken

    def _by_our_code(
        self, ws: WorkingSet, payment: Row, merchant: Row, payer_id: str, now_ms: int
    ) -> Taken:
        """Take the money, or let the payment wait for the payer's PIN."""
        verdict, why = None, None
        small = small_of(payment, payer_id, self.rules, now_ms)
        if not self._has_finger:
            limit_minor = merchant["biometric_above_minor"]
            why = code_reason(ws, self.rules.wallet, small, merchant_limit_minor=limit_minor)
        if self.asks_payer:
            why = "asked for"
        if why is None:
            taken = self._take(ws, payment, merchant, payer_id, now_ms)
            if taken.refusal is None and not self._has_finger:
                count_pin_free(ws, small)
            if taken.refusal != "pin_required":
                return taken
            payment, verdict, why = taken.payment, taken.verdict, "risk"
        return ask_payer(
            ws, payment, payer_id, why=why, actor=self._actor, now_ms=now_ms, verdict=verdict
        )

    def _by_token(
        self, ws: WorkingSet, payment: Row, presented: Presented, merchant: Row, now_ms: int,
        *, is_covered: bool,
    ) -> Taken:  # fmt: skip
        return take_offline(
            ws,
            payment,
            presented,
            merchant=merchant,
            is_covered=is_covered,
            rules=self.rules,
            actor=self._actor,
            now_ms=now_ms,
        )

    def _by_mandate(self, ws: WorkingSet, payment: Row, merchant: Row, now_ms: int) -> Taken:
        mandate_id = self.body.mandate_id
        payer_id = self._mandate_payer(ws)
        if mandate_id is None or payer_id is None:
            return Taken(payment, "mandate_not_found")
        use = Use(
            merchant_id=self.request.merchant_id,
            device=self.request.device,
            amount_minor=self.body.amount_minor,
            currency=self.body.currency,
            now_ms=now_ms,
            day=self.rules.business_date(now_ms),
        )
        why, said = None, self.body.explanation
        if said is not None:
            why = check_question(ws, mandate_id, use, began_at_ms=said.began_at_ms)
        if why is None:
            refusal = check_use(ws, mandate_id, use)
            if refusal is not None:
                return Taken(payment, refusal)
            taken = self._take(ws, payment, merchant, payer_id, now_ms)
            if taken.refusal is None:
                record_use(ws, mandate_id, use, payment_id=self.body.payment_id)
            if said is None or taken.refusal != "pin_required":
                return taken
            why = "risk"
        return ask_payer(
            ws,
            payment,
            payer_id,
            why=why,
            actor=self._actor,
            now_ms=now_ms,
            waits_ms=THING_WORD_MS,
        )

    def _take(
        self, ws: WorkingSet, payment: Row, merchant: Row, payer_id: str, now_ms: int
    ) -> Taken:
        return take(
            ws,
            payment,
            PayerAttempt(
                attempt_id=self.body.attempt_id,
                payer_id=payer_id,
                actor=self._actor,
                is_confirmed=self._has_finger,
                fingerprint=self.request.fingerprint,
            ),
            merchant=merchant,
            rules=self.rules,
            now_ms=now_ms,
        )

    @property
    def _has_finger(self) -> bool:
        return self._verification_kind == "fingerprint"

    def _mandate_payer(self, ws: WorkingSet) -> str | None:
        if self.body.mandate_id is None:
            return None
        row = ws.get(MANDATE, self.body.mandate_id)
        return row["payer_id"] if row else None

    def _chosen_coupon(self, ws: WorkingSet, payer_id: str | None) -> str | None:
        """The coupon for a pay code, once the payer is loaded."""
        if payer_id is None or self.found is None:
            return None
        payer = ws.loaded(PAYER, payer_id)
        return payer["chosen_coupon_id"] if payer else None

    @property
    def _actor(self) -> str:
        return f"device:{self.request.device}"

    @property
    def _verification_kind(self) -> str:
        return self.body.verification.kind if self.body.verification else "none"

    def _insert(self, ws: WorkingSet, now_ms: int) -> Row:
        request, body = self.request, self.body
        explained = body.explanation
        ws.insert(
            PAYMENT,
            {
                "payment_id": body.payment_id,
                "merchant_id": request.merchant_id,
                "store": request.store,
                "device": request.device,
                "till": body.till,
                "cashier": body.cashier or "",
                "method": body.method,
                "state": "created",
                "amount_minor": body.amount_minor,
                "currency": body.currency,
                "description": body.description,
                "mandate_id": body.mandate_id if body.method == "mandate" else None,
                "verification": self._verification_kind,
                "created_at_ms": now_ms,
                "updated_at_ms": now_ms,
                "business_date": self.rules.business_date(now_ms),
                "body_hash": body_hash(request.device, body),
                "trace_id": request.trace_id,
                "notify_url": self.notify_url,
                "notify_form": self.notify_form,
                "is_decline_told": int(self.is_decline_told),
                "is_shared": int(self.is_shared),
                "explanation": explained.model_dump_json(exclude_none=True) if explained else None,
            },
        )
        row = ws.get(PAYMENT, body.payment_id)
        assert row is not None
        return row

    def _insert_attempt(self, ws: WorkingSet, payment: Row, now_ms: int) -> None:
        verification = self.body.verification
        code = self.body.pay_code
        ws.insert(
            ATTEMPT,
            {
                "attempt_id": self.body.attempt_id,
                "payment_id": self.body.payment_id,
                "method": self.body.method,
                "outcome": payment["state"],
                "error_code": payment["error_code"],
                "code_masked": mask(code) if code else None,
                "verification_kind": self._verification_kind,
                "verification_score": verification.score if verification else 0,
                "at_ms": now_ms,
            },
        )
