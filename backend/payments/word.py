"""The payer's word on a payment by code, or on a thing's debit: when it is needed, and refusing it.

Rule 1: a code is enough for little: up to the merchant's limit of one payment and the payer's
        limits without a PIN. Above them, and where the risk rules ask, the payment waits for the
        PIN in the payer's wallet, bound to that payer. The code is used up.
Rule 2: a finger that the till read is a word, too: then nobody is asked.
Rule 3: a thing's debit under a mandate waits here, too, where it is out of the ordinary
        (``backend.mandates.model``). What its payer allows by the PIN counts against no limit.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.notify.outbox import push_reads
from backend.payments.limits import PAYER_WORD_MS
from backend.payments.model import Answer, PaymentRules, payment_answer
from backend.payments.paying import Taken
from backend.payments.tables import PAYMENT
from backend.payments.telling import push_payment
from backend.payments.timeline import step
from backend.risk.model import Verdict
from backend.wallet.model import masked_name
from backend.wallet.pin_free import Small
from backend.wallet.tables import PAYER
from protocol.errors import CallerError
from protocol.payment import Command, PaymentState

ASKED_METHODS = frozenset({"pay_code", "mandate"})


def small_of(payment: Row, payer_id: str, rules: PaymentRules, now_ms: int) -> Small:
    """The payment, as the rules of payments without a PIN see it."""
    return Small(
        payer_id=payer_id,
        currency=payment["currency"],
        amount_minor=payment["amount_minor"],
        day=rules.business_date(now_ms),
    )


def ask_payer(
    ws: WorkingSet,
    payment: Row,
    payer_id: str,
    *,
    why: str,
    actor: str,
    now_ms: int,
    verdict: Verdict | None = None,
    waits_ms: int = PAYER_WORD_MS,
) -> Taken:
    """Let the payment wait for its payer's PIN; refused for a payer who could not pay anyway."""
    payer = ws.get(PAYER, payer_id)
    if payer is None:
        return Taken(payment, "payer_unknown")
    if payer["status"] != "active":
        return Taken(payment, "payer_frozen")
    asked = step(
        ws,
        payment,
        Command.ASK_PAYER,
        actor=actor,
        now_ms=now_ms,
        detail={"why": why},
        payer_id=payer_id,
        payer_masked=masked_name(payer["name"]),
        code_expires_at_ms=now_ms + waits_ms,
        risk=verdict.to_json() if verdict else None,
    )
    return Taken(asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseByPayer:
    """The payer refuses a payment that waits for the PIN: it is declined, and the till is
    told. Safe to repeat. ``payment_not_found`` for any payment that does not ask this payer."""

    payment_id: str
    payer_id: str

    def reads(self) -> Iterable[Read]:
        return [(PAYMENT, self.payment_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        payment = ws.get(PAYMENT, self.payment_id)
        return push_reads(payment["store"]) if payment else []

    def decide(self, ws: WorkingSet, now_ms: int) -> Answer:
        payment = ws.get(PAYMENT, self.payment_id)
        if payment is None or not is_asked_of(payment, self.payer_id):
            raise CallerError("payment_not_found", self.payment_id)
        if payment["state"] != PaymentState.AWAITING_PAYER:
            return payment_answer(payment)
        refused = step(
            ws,
            payment,
            Command.DECLINE,
            actor=f"payer:{self.payer_id}",
            now_ms=now_ms,
            error_code="payer_refused",
        )
        push_payment(ws, refused, now_ms)
        return payment_answer(refused)


def is_asked_of(payment: Row, payer_id: str) -> bool:
    """Whether a payment by code, or the debit of a thing, is this payer's to confirm or refuse."""
    return payment["method"] in ASKED_METHODS and payment["payer_id"] == payer_id
