"""Judging an attempt inside its transaction.

Rule 1: the guards are asked first and read only the database: the block list, the cap and the
        exact count of the payer's latest attempts. Then the desk's rules are asked, if there is a
        desk. What was decided, and from what, is written with the payment.
"""

import hashlib
import json

from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.merchants.tables import MERCHANT
from backend.risk.cases import model as cases
from backend.risk.cases.service import Alarm, raise_alarm
from backend.risk.devices.facts import device_facts
from backend.risk.devices.tables import DEVICE_TRUST
from backend.risk.judging.desk import Judgement
from backend.risk.judging.engine import Engine
from backend.risk.judging.model import Attempt
from backend.risk.judging.records import decision_row
from backend.risk.judging.tables import DECISION
from backend.risk.lists.model import ListKind
from backend.risk.lists.service import list_facts, list_reads
from backend.risk.model import RiskRules, Verdict, guard_facts, judge, remembered
from backend.risk.rules.compiled import Action
from backend.risk.tables import RECENT
from protocol.ids import CASE, RANDOM_BYTES, mint

_PAYER, _CARD = ListKind.PAYER, ListKind.CARD
_DEVICE, _MERCHANT, _STORE = ListKind.DEVICE, ListKind.MERCHANT, ListKind.STORE
"""Asked for fifteen times a payment: Python 3.11 is slow to find a member in its enum."""


def risk_reads(
    *, payer_id: str, device: str, merchant_id: str, store: str, card: str | None
) -> list[Read]:
    """What ``judge_attempt`` reads. ``payer_id`` is empty for another wallet's payer."""
    subjects = {
        _PAYER: payer_id,
        _DEVICE: device,
        _MERCHANT: merchant_id,
        _STORE: store,
        _CARD: card or "",
    }
    known: list[Read] = [(DEVICE_TRUST, device)]
    if payer_id:
        known.append((RECENT, payer_id))
    return [*known, *list_reads(subjects)]


def judge_attempt(
    ws: WorkingSet,
    rules: RiskRules,
    attempt: Attempt,
    *,
    engine: Engine | None = None,
    fingerprint: bytes = b"",
) -> Verdict:
    """The verdict on one more attempt of this payer, which is remembered whatever the verdict."""
    recent_ms = _count_attempt(ws, rules, attempt.payer_id, attempt.at_ms)
    guarded = guard_facts(
        rules, amount_minor=attempt.amount_minor, recent_ms=recent_ms, now_ms=attempt.at_ms
    ) | list_facts(ws, _subjects(attempt), attempt.at_ms)
    limit = judge(guarded)
    if engine is None:
        return limit
    row = ws.get(DEVICE_TRUST, attempt.device)
    facts = device_facts(row, fingerprint=fingerprint, now_ms=attempt.at_ms) | guarded
    merchant = ws.get(MERCHANT, attempt.merchant_id)
    if merchant is not None and merchant["category_code"]:
        facts["merchant.category"] = merchant["category_code"]
    judgement = engine.desk.judge(attempt, facts)
    ws.insert(
        DECISION,
        decision_row(
            attempt,
            judgement,
            number=engine.desk.next_number(),
            rule="" if limit.is_allowed else limit.rule,
        ),
    )
    if not limit.is_allowed:
        return limit
    _open_case(ws, engine, attempt, judgement)
    return _verdict(attempt, judgement)


def _subjects(attempt: Attempt) -> dict[ListKind, str]:
    return {
        _PAYER: attempt.payer_id,
        _CARD: attempt.card,
        _DEVICE: attempt.device,
        _MERCHANT: attempt.merchant_id,
        _STORE: attempt.store,
    }


def _verdict(attempt: Attempt, judgement: Judgement) -> Verdict:
    decision = judgement.decision
    refusal, rule = decision.refusal(attempt), decision.rule
    if refusal is None or rule is None:
        name = rule.rule_id if rule else "none"
        return Verdict(action="allow", rule=name, version=decision.version)
    return Verdict(
        action="decline",
        rule=rule.rule_id,
        version=decision.version,
        code=refusal,
        zh=rule.zh,
        en=rule.en,
    )


def _open_case(ws: WorkingSet, engine: Engine, attempt: Attempt, judgement: Judgement) -> None:
    """A live rule asks for a person: the payment goes on, and a case is opened."""
    rule = judgement.decision.rule
    if rule is None or judgement.decision.action is not Action.REVIEW:
        return
    is_known = bool(attempt.payer_id)
    alarm = Alarm(
        case_id=_case_id(attempt),
        source="decision",
        subject=cases.Subject.PAYER if is_known else cases.Subject.MERCHANT,
        subject_id=attempt.payer_id if is_known else attempt.merchant_id,
        severity=cases.Severity(rule.severity.value),
        reason=rule.rule_id,
        reference=attempt.payment_id,
    )
    raise_alarm(ws, alarm, clock=engine.clock, now_ms=attempt.at_ms)


def _case_id(attempt: Attempt) -> str:
    """The attempt's own, so that deciding it again names the same case."""
    luck = hashlib.sha256(attempt.attempt_id.encode()).digest()[:RANDOM_BYTES]
    return mint(CASE, time_ms=attempt.at_ms, random_bytes=luck)


def _count_attempt(ws: WorkingSet, rules: RiskRules, payer_id: str, now_ms: int) -> tuple[int, ...]:
    """When the payer's latest attempts before this one were made; this one is kept with them. Of
    payers whom we do not know, nothing is counted."""
    if not payer_id:
        return ()
    row = ws.get(RECENT, payer_id)
    recent_ms = tuple(json.loads(row["attempts_ms"])) if row else ()
    kept = remembered(recent_ms, now_ms, window_ms=rules.velocity_window_ms)
    text = f"[{','.join(map(str, kept))}]"  # JSON; its encoder takes three times as long
    if row is None:
        ws.insert(RECENT, {"payer_id": payer_id, "attempts_ms": text})
    else:
        ws.update(RECENT, payer_id, attempts_ms=text)
    return recent_ms
