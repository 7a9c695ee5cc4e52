"""A payment whose payer is another wallet's: its code was scanned, and its channel is asked.

Rule 1: who that is, we learn from the channel, if at all: nothing here has a payer of ours, so no
        balance, instrument, coupon or mandate takes part. Limits and rules judge what is known.
Rule 2: a code is for one attempt. It goes to one channel, and nowhere else if that fails.
"""

from dataclasses import dataclass, field

from backend.channels.facts import Offer
from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.ledger.tables import ACCOUNT
from backend.merchants.service import merchant_reads, pending_owner, plan_in_force
from backend.merchants.tables import MERCHANT
from backend.payments.entries import entry_accounts
from backend.payments.model import PaymentRules
from backend.payments.paying import Taken, submit
from backend.payments.tables import PAYMENT
from backend.risk.judging.model import Attempt
from backend.risk.service import judge_attempt, risk_reads
from backend.routing.model import Candidate, Decision, decide, explained
from backend.routing.service import health_of
from backend.routing.tables import CHANNEL_HEALTH
from backend.sagas.limits import PAY_PATIENCE_MS
from backend.switches.service import channel_stop_read, is_channel_stopped
from protocol.money import Money

WALLET_NAMES = {"alipay": "支付宝 Alipay", "unionpay": "云闪付 UnionPay"}
"""What stands where our own payer's masked name would: tills and receipts say who was paid by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignCode:
    """A scanned code: whose it is, and itself, sealed; empty: the wallet is to show one."""

    wallet: str
    sealed: str = field(repr=False)


def foreign_reads(
    ws: WorkingSet, code: ForeignCode, *, payment: Row, rules: PaymentRules
) -> list[Read]:
    """What ``take_foreign`` reads. ``payment`` names the id, the merchant, the currency, the device
    and the store."""
    merchant_id = payment["merchant_id"]
    found = merchant_reads(ws, merchant_id)
    for channel_id in rules.routing.channels_of_wallet(code.wallet):
        found += [(CHANNEL_HEALTH, channel_id), channel_stop_read(channel_id)]
        found += rules.room.reads(channel_id)
    found += risk_reads(
        payer_id="", device=payment["device"], merchant_id=merchant_id, store=payment["store"],
        card=None,
    )  # fmt: skip
    merchant = ws.get(MERCHANT, merchant_id)
    if merchant is not None:
        owner = pending_owner(merchant, payment["payment_id"])
        found += [(ACCOUNT, one) for one in entry_accounts(owner, payment["currency"])]
    return found


def take_foreign(
    ws: WorkingSet,
    payment: Row,
    *,
    code: ForeignCode,
    attempt_id: str,
    merchant: Row,
    rules: PaymentRules,
    actor: str,
    now_ms: int,
    fingerprint: bytes = b"",
) -> Taken:
    """Begin to ask the wallet's channel, or say why not. The payment stands in *created*, or it
    waits for whoever opens its code."""
    if not rules.routing.channels_of_wallet(code.wallet):
        return Taken(payment, "wallet_not_taken")
    decision = _decide(ws, payment, code, rules, now_ms)
    told = explained(payment["routing"], decision)
    payment = ws.update(PAYMENT, payment["payment_id"], routing=told)
    if decision.channel_id is None:
        return Taken(payment, decision.refusal)
    attempt = _attempt(payment, code, attempt_id, now_ms)
    verdict = judge_attempt(ws, rules.risk, attempt, engine=rules.engine, fingerprint=fingerprint)
    if not verdict.is_allowed:
        return Taken(payment, verdict.code, verdict)
    plan = plan_in_force(ws, merchant, now_ms)
    owner = pending_owner(merchant, payment["payment_id"])
    decided: Row = {
        "fee_minor": plan.fee(payment["amount_minor"]),
        "fee_plan_version": plan.version,
        "risk": verdict.to_json(),
        "business_date": rules.business_date(now_ms),
        "pending_owner": "" if owner == merchant["merchant_id"] else owner,
        "funding": code.wallet,
        "payer_masked": WALLET_NAMES.get(code.wallet, code.wallet),
    }
    submitted = submit(
        ws,
        payment,
        channel_id=decision.channel_id,
        token=code.sealed,
        decided=decided,
        rules=rules,
        actor=actor,
        now_ms=now_ms,
        patience_ms=_patience_ms(payment, now_ms),
    )
    return Taken(submitted, None, verdict)


def _decide(
    ws: WorkingSet, payment: Row, code: ForeignCode, rules: PaymentRules, now_ms: int
) -> Decision:
    candidates = [
        Candidate(
            facts=rules.routing.facts[channel_id],
            token=code.sealed or code.wallet,
            health=health_of(ws, channel_id),
            room_minor=rules.room.left_minor(ws, channel_id, now_ms),
            is_stopped=is_channel_stopped(ws, channel_id),
        )
        for channel_id in rules.routing.channels_of_wallet(code.wallet)
    ]
    amount = Money(payment["amount_minor"], payment["currency"])
    return decide(rules.routing, candidates, amount=amount, offer=Offer.PAY, now_ms=now_ms)


def _patience_ms(payment: Row, now_ms: int) -> int:
    """A shown code has its own life."""
    expires_at_ms = payment["code_expires_at_ms"]
    return PAY_PATIENCE_MS if expires_at_ms is None else int(expires_at_ms) - now_ms


def _attempt(payment: Row, code: ForeignCode, attempt_id: str, now_ms: int) -> Attempt:
    """The attempt as the risk engine sees it: whoever it is has confirmed to the own wallet."""
    return Attempt(
        attempt_id=attempt_id,
        payment_id=payment["payment_id"],
        at_ms=now_ms,
        amount_minor=payment["amount_minor"],
        currency=payment["currency"],
        payer_id="",
        card="",
        device=payment["device"],
        merchant_id=payment["merchant_id"],
        store=payment["store"],
        method=code.wallet,
        entry="payer_code" if code.sealed else "merchant_code",
        is_confirmed=True,
    )
