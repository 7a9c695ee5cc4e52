"""Taking the money of a payment: checks, funding, transfers, fee.

Every way to pay (a scanned code, a mandate, a confirmation in the wallet) ends here, inside the
transaction of its command. A refusal is an answer, not an exception, because what it leaves behind
(a used code, a remembered attempt, the declined payment) must stay.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from backend.coupons.model import Spend
from backend.coupons.using import (
    NO_COUPON,
    Applied,
    apply_coupon,
    coupon_reads,
    tell_use,
    use_coupon,
)
from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.ledger import chart
from backend.ledger import service as ledger
from backend.ledger.tables import ACCOUNT
from backend.merchants.service import merchant_reads, pending_owner, plan_in_force
from backend.merchants.tables import MERCHANT
from backend.payments.entries import entry_accounts, held_transfer, paid_transfers
from backend.payments.funding import (
    Funding,
    admit,
    choose,
    fallbacks,
    funding_reads,
    route,
    token_of,
)
from backend.payments.model import PaymentRules
from backend.payments.tables import PAYMENT
from backend.payments.telling import tell_merchant
from backend.payments.timeline import step
from backend.risk.judging.model import Attempt
from backend.risk.model import Verdict
from backend.risk.service import judge_attempt, risk_reads
from backend.routing.model import Decision, explained
from backend.sagas.limits import PAY_PATIENCE_MS
from backend.sagas.model import SagaKind
from backend.sagas.timeline import plan as plan_saga
from backend.sharing.freezing import freeze
from backend.wallet.model import masked_name
from backend.wallet.switches import (
    UNKNOWN_AGREEMENT,
    Switch,
    switch_reads,
    switches_in_force,
)
from backend.wallet.tables import PAYER
from protocol.errors import CallerError
from protocol.money import Money
from protocol.payment import Command

_ENTRIES = {
    "pay_code": "payer_code",
    "merchant_qr": "merchant_code",
    "merchant_group": "merchant_code",
    "mandate": "mandate",
}
"""How the payer came in, in the words of the risk rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayerAttempt:
    """One attempt of a known payer: who pays, and with what. ``instrument_id`` and ``coupon_id``
    None: what the payer has chosen. ``is_confirmed``: by PIN, consent or finger. ``fingerprint`` is
    the digest of what the device said of itself."""

    attempt_id: str
    payer_id: str
    actor: str
    is_confirmed: bool
    fingerprint: bytes = b""
    instrument_id: str | None = None
    coupon_id: str | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of it: the payment's row, or the code of the refusal, with the verdict if any."""

    payment: Row
    refusal: str | None = None
    verdict: Verdict | None = None


def paying_reads(
    ws: WorkingSet,
    *,
    payment_id: str,
    payer_id: str | None,
    merchant_id: str,
    currency: str,
    device: str,
    store: str,
    rules: PaymentRules,
    instrument_id: str | None = None,
    coupon_id: str | None = None,
) -> list[Read]:
    """What ``take`` will read, as far as it is known by now."""
    found = merchant_reads(ws, merchant_id)
    merchant = ws.get(MERCHANT, merchant_id)
    if payer_id is not None and merchant is not None:
        owner = pending_owner(merchant, payment_id)
        payer = ws.loaded(PAYER, payer_id)
        card = instrument_id or (payer["default_instrument_id"] if payer else None)
        found += [
            (PAYER, payer_id),
            *risk_reads(
                payer_id=payer_id, device=device, merchant_id=merchant_id, store=store, card=card
            ),
        ]
        accounts = (chart.customer(payer_id, currency), *entry_accounts(owner, currency))
        found += [(ACCOUNT, account) for account in accounts]
        found += funding_reads(ws, payer_id, instrument_id, rules)
        found += switch_reads(payer_id, rules.wallet)
        if coupon_id is not None:
            found += coupon_reads(ws, coupon_id, currency)
    return found


def take(
    ws: WorkingSet,
    payment: Row,
    by: PayerAttempt,
    *,
    merchant: Row,
    rules: PaymentRules,
    now_ms: int,
) -> Taken:
    """Take the money now or begin to, or say why not. The payment stands in a state that CAPTURE
    and SUBMIT may leave. Balance money moves at once; other money is asked of its channel, and the
    payment is *processing* until the channel has answered. A coupon pays its part in the same
    chain; one that is named here and does not fit is a refusal."""
    payer = ws.get(PAYER, by.payer_id)
    if payer is None:
        return Taken(payment, "payer_unknown")
    if payer["status"] != "active":
        return Taken(payment, "payer_frozen")
    funding = choose(ws, payer, by.instrument_id, has_own_advance=rules.has_own_advance)
    if funding is None:
        return Taken(payment, "instrument_unknown")
    coupon = _coupon(ws, payment, payer, by.coupon_id, now_ms)
    if coupon.refusal is not None:
        return Taken(payment, coupon.refusal)
    if coupon.amount_minor == payment["amount_minor"]:
        funding = Funding()  # nothing is left that a channel could be asked for
    decision = None
    if not funding.is_balance:
        asked_minor = payment["amount_minor"] - coupon.amount_minor
        payment, decision = _routed(ws, payment, funding, asked_minor, rules, now_ms)
        if decision.channel_id is None:
            return Taken(payment, decision.refusal)
    verdict = judge_attempt(
        ws,
        rules.risk,
        _as_judged(payment, funding, by, now_ms),
        engine=rules.engine,
        fingerprint=by.fingerprint,
    )
    if not verdict.is_allowed:
        return Taken(payment, verdict.code, verdict)
    decided: Row = {
        "payer_id": by.payer_id,
        "payer_masked": masked_name(payer["name"]),
        **_terms(ws, payment, merchant, rules, now_ms),
        "risk": verdict.to_json(),
        "funding": funding.kind,
        "instrument_id": funding.instrument_id,
        **coupon.columns(),
    }
    if decision is not None:
        submitted = _submit(ws, payment, decision, decided, rules, by.actor, now_ms)
        return Taken(submitted, None, verdict)
    refusal = _post(ws, payment | decided, rules, now_ms)
    if refusal is not None:
        return Taken(payment, refusal, verdict)
    return Taken(_capture(ws, payment, decided, merchant, by.actor, now_ms), None, verdict)


def _as_judged(payment: Row, funding: Funding, by: PayerAttempt, now_ms: int) -> Attempt:
    """The attempt as the risk engine sees it."""
    return Attempt(
        attempt_id=by.attempt_id,
        payment_id=payment["payment_id"],
        at_ms=now_ms,
        amount_minor=payment["amount_minor"],
        currency=payment["currency"],
        payer_id=by.payer_id,
        card=funding.instrument_id or "",
        device=payment["device"],
        merchant_id=payment["merchant_id"],
        store=payment["store"],
        method=funding.kind,
        entry=_ENTRIES[payment["method"]],
        is_confirmed=by.is_confirmed,
    )


def _terms(
    ws: WorkingSet, payment: Row, merchant: Row, rules: PaymentRules, now_ms: int
) -> dict[str, Any]:
    """The merchant's fee, the date in the books, and whose pending account gets the money. The date
    is the day the money moves, not the day the code was shown."""
    plan = plan_in_force(ws, merchant, now_ms)
    owner = pending_owner(merchant, payment["payment_id"])
    return {
        "fee_minor": plan.fee(payment["amount_minor"]),
        "fee_plan_version": plan.version,
        "business_date": rules.business_date(now_ms),
        "pending_owner": "" if owner == merchant["merchant_id"] else owner,
    }


def _capture(
    ws: WorkingSet, payment: Row, decided: Row, merchant: Row, actor: str, now_ms: int
) -> Row:
    """The balance's money has moved: the payment is captured, and everybody is told."""
    captured = step(
        ws, payment, Command.CAPTURE, actor=actor, now_ms=now_ms, paid_at_ms=now_ms, **decided
    )
    use_coupon(ws, captured, actor=actor, now_ms=now_ms)
    tell_use(ws, captured, now_ms)
    tell_merchant(ws, captured, merchant, "payment.captured", now_ms)
    return captured


def _routed(
    ws: WorkingSet,
    payment: Row,
    funding: Funding,
    asked_minor: int,
    rules: PaymentRules,
    now_ms: int,
) -> tuple[Row, Decision]:
    """Which channel is asked; the decision is kept with the payment, whatever it is."""
    amount = Money(asked_minor, payment["currency"])
    decision = route(ws, rules, funding, amount=amount, now_ms=now_ms)
    told = explained(payment["routing"], decision)
    return ws.update(PAYMENT, payment["payment_id"], routing=told), decision


def _coupon(
    ws: WorkingSet, payment: Row, payer: Row, coupon_id: str | None, now_ms: int
) -> Applied:
    """The coupon that was named; for a pay code else the one that the payer has chosen, and none if
    that does not fit: whoever shows a code cannot be asked again."""
    is_chosen = coupon_id is None and payment["method"] == "pay_code"
    wanted = payer["chosen_coupon_id"] if is_chosen else coupon_id
    if wanted is None:
        return NO_COUPON
    spend = Spend(
        payer_id=payer["payer_id"],
        merchant_id=payment["merchant_id"],
        price_minor=payment["amount_minor"],
        currency=payment["currency"],
        now_ms=now_ms,
    )
    applied = apply_coupon(ws, wanted, spend)
    return NO_COUPON if is_chosen and applied.refusal is not None else applied


def _post(ws: WorkingSet, paid: Row, rules: PaymentRules, now_ms: int) -> str | None:
    """Move the balance's money, and freeze what is shared; the code of the refusal if that cannot
    be."""
    if Switch.EMPTY in switches_in_force(ws, paid["payer_id"], rules.wallet):
        return "insufficient_balance"
    mark = ws.mark()
    try:
        transfers = paid_transfers(paid, payer_id=paid["payer_id"], fee_minor=paid["fee_minor"])
        ledger.post(ws, transfers, now_ms, is_new=True)
        freeze(ws, paid, now_ms)
    except CallerError as error:
        ws.undo(mark)
        return error.code
    return None


def _submit(
    ws: WorkingSet,
    payment: Row,
    decision: Decision,
    decided: Row,
    rules: PaymentRules,
    actor: str,
    now_ms: int,
) -> Row:
    """Submit to the channel that was chosen for an instrument; the others may follow."""
    channel_id = decision.channel_id
    assert channel_id is not None
    declines = Switch.BANK in switches_in_force(ws, decided["payer_id"], rules.wallet)
    return submit(
        ws,
        payment,
        channel_id=channel_id,
        token=UNKNOWN_AGREEMENT if declines else token_of(ws, decided["instrument_id"], channel_id),
        fallback_ids=fallbacks(decision),
        decided=decided,
        rules=rules,
        actor=actor,
        now_ms=now_ms,
    )


def submit(
    ws: WorkingSet,
    payment: Row,
    *,
    channel_id: str,
    token: str,
    decided: Row,
    rules: PaymentRules,
    actor: str,
    now_ms: int,
    fallback_ids: Sequence[str] = (),
    patience_ms: int = PAY_PATIENCE_MS,
) -> Row:
    """Hold in the books, and plan to ask the channel for what it calls ``token``: nothing is sent
    before this is committed."""
    admit(ws, channel_id, now_ms)
    submitted = step(
        ws,
        payment,
        Command.SUBMIT,
        actor=actor,
        now_ms=now_ms,
        detail={"channel": channel_id},
        channel_id=channel_id,
        **decided,
    )
    use_coupon(ws, submitted, actor=actor, now_ms=now_ms)
    saga = plan_saga(
        ws,
        saga_id=payment["payment_id"],
        kind=SagaKind.PAY,
        payment_id=payment["payment_id"],
        channel_id=channel_id,
        token=token,
        fallbacks=fallback_ids,
        amount_minor=submitted["amount_minor"] - submitted["coupon_minor"],
        currency=payment["currency"],
        planned_date=rules.planned_date(channel_id, now_ms),
        now_ms=now_ms,
        patience_ms=patience_ms,
        trace_id=payment["trace_id"],
    )
    ledger.post(ws, [held_transfer(submitted, saga)], now_ms, is_new=True)
    return submitted
