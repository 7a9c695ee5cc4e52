"""Disputes' commands (posting rules 15 and 16). Each is safe to repeat under its id.

Rule 1: the disputed money is put aside at once, out of what the merchant has available. What that
        does not cover, own money covers in the same chain, and the merchant owes it to us.
Rule 2: until it is decided the disputed part of the payment can be neither refunded nor undone; a
        lost one never can, because the payer has it back.
Rule 3: our fee on the payment stays ours, whatever comes of the dispute: it was for the payment's
        work, which was done. A merchant that sees the payer is right refunds, and gets it back.
Rule 4: what comes back to a merchant that owes us repays us first.
Rule 5: a day of a channel that is settled or closed takes no lost dispute any more: its file was
        compared, and what the channel keeps back stands in a later one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from backend.channels.model import FUND
from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.disputes.cover import collect, collect_reads
from backend.disputes.limits import (
    EVIDENCE_CHARS_MAX,
    EVIDENCES_PER_DISPUTE_MAX,
    REASON_CHARS_MAX,
    REFERENCE_CHARS_MAX,
    SETTLEMENT_DAYS_AWAY_MAX,
)
from backend.disputes.model import (
    Disputable,
    DisputeCommand,
    DisputeState,
    check_new,
)
from backend.disputes.ports import SettledDays
from backend.disputes.tables import DISPUTE, EVENT
from backend.disputes.timeline import record_opened, step
from backend.instruments.model import BALANCE, HOUSE, OFFLINE, InstrumentKind
from backend.ledger import chart
from backend.ledger import rules as posting
from backend.ledger import service as ledger
from backend.ledger.model import Transfer
from backend.merchants.tables import MERCHANT
from backend.payments.model import PaymentRules
from backend.payments.tables import PAYMENT
from backend.risk.labels.service import label_from_dispute
from protocol.errors import CallerError
from protocol.ids import is_id
from protocol.payment import PaymentState

OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDispute:
    """A payer's issuer (or the payer, through an operator) disputes a part of a payment, or all."""

    dispute_id: str
    payment_id: str
    amount_minor: int
    currency: str
    reason: str
    rules: PaymentRules
    reference: str = ""
    actor: str = OPERATOR

    def reads(self) -> Iterable[Read]:
        return [(DISPUTE, self.dispute_id), (PAYMENT, self.payment_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        payment = ws.get(PAYMENT, self.payment_id)
        if payment is None or not is_id(self.dispute_id, prefix="dsp"):
            return []
        sample = self._transfers(payment["merchant_id"], 1, "")
        return [(MERCHANT, payment["merchant_id"]), *ledger.reads(sample, is_new=True)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        known = ws.get(DISPUTE, self.dispute_id)
        if known is not None:
            return self._again(known)
        self._check()
        payment = ws.get(PAYMENT, self.payment_id)
        if payment is None:
            raise CallerError("payment_not_found", self.payment_id)
        if payment["funding"] == InstrumentKind.ECNY:
            raise CallerError("payment_final", self.payment_id)
        if payment["funding"] == HOUSE:
            raise CallerError("dispute_not_paid", self.payment_id)
        if payment["payer_id"] is None and payment["channel_id"]:
            raise CallerError("dispute_elsewhere", self.payment_id)
        check_new(_disputable(payment), amount_minor=self.amount_minor, currency=self.currency)
        merchant_id = payment["merchant_id"]
        has_minor = ledger.available(ws, chart.merchant_available(merchant_id, self.currency))
        cover_minor = max(0, self.amount_minor - has_minor)
        day = self.rules.business_date(now_ms)
        ledger.post(ws, self._transfers(merchant_id, cover_minor, day), now_ms, is_new=True)
        _add_disputed(ws, payment, self.amount_minor, now_ms)
        ws.insert(DISPUTE, self._row(payment, cover_minor, now_ms))
        row = ws.get(DISPUTE, self.dispute_id)
        assert row is not None
        return record_opened(ws, row, actor=self.actor, now_ms=now_ms)

    def _again(self, known: Row) -> Row:
        names = ("payment_id", "amount_minor", "currency", "reason", "reference")
        if any(known[name] != getattr(self, name) for name in names):
            raise CallerError("idempotency_conflict", "dispute_id")
        return known

    def _check(self) -> None:
        is_good = (
            is_id(self.dispute_id, prefix="dsp")
            and 0 < len(self.reason) <= REASON_CHARS_MAX
            and len(self.reference) <= REFERENCE_CHARS_MAX
        )
        if not is_good:
            raise CallerError("field_invalid", "dispute")

    def _transfers(self, merchant_id: str, cover_minor: int, day: str) -> list[Transfer]:
        return posting.dispute_opened(
            posting.Event(self.dispute_id, self.currency, day),
            merchant_id=merchant_id,
            case_id=self.dispute_id,
            amount_minor=self.amount_minor,
            cover_minor=cover_minor,
        )

    def _row(self, payment: Row, cover_minor: int, now_ms: int) -> Row:
        return {
            "dispute_id": self.dispute_id,
            "payment_id": self.payment_id,
            "merchant_id": payment["merchant_id"],
            "payer_id": payment["payer_id"],
            # What was set aside for it is spent: what is lost goes to the balance.
            "funding": BALANCE if payment["funding"] == OFFLINE else payment["funding"],
            "channel_id": payment["channel_id"],
            "amount_minor": self.amount_minor,
            "cover_minor": cover_minor,
            "currency": self.currency,
            "reason": self.reason,
            "reference": self.reference,
            "state": DisputeState.OPEN.value,
            "opened_at_ms": now_ms,
            "updated_at_ms": now_ms,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveEvidence:
    """The merchant says why the payment is good. The same text again changes nothing."""

    dispute_id: str
    merchant_id: str
    evidence: str

    def reads(self) -> Iterable[Read]:
        return [(DISPUTE, self.dispute_id), (MERCHANT, self.merchant_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        dispute = ws.get(DISPUTE, self.dispute_id)
        return [(EVENT, (self.dispute_id, dispute["event_count"]))] if dispute else []

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        dispute = ws.get(DISPUTE, self.dispute_id)
        if dispute is None or dispute["merchant_id"] != self.merchant_id:
            raise CallerError("dispute_not_found", self.dispute_id)
        if not 0 < len(self.evidence) <= EVIDENCE_CHARS_MAX:
            raise CallerError("field_invalid", "evidence")
        latest = ws.get(EVENT, (self.dispute_id, dispute["event_count"]))
        if latest is not None and latest["evidence"] == self.evidence:
            return dispute
        if dispute["event_count"] > EVIDENCES_PER_DISPUTE_MAX:
            raise CallerError("dispute_state", "evidence enough")
        actor = f"merchant:{self.merchant_id}"
        return step(
            ws,
            dispute,
            DisputeCommand.GIVE_EVIDENCE,
            actor=actor,
            now_ms=now_ms,
            evidence=self.evidence,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideDispute:
    """The issuer's word: won, lost or withdrawn. The same word again changes nothing; another one
    is ``dispute_state``.

    ``settlement_date`` is the channel's: the day on which it keeps a lost dispute's money back.
    A payment from the balance has none. ``settlement_date_closed`` when that day is over for us.
    """

    dispute_id: str
    command: DisputeCommand
    rules: PaymentRules
    days: SettledDays
    settlement_date: str = ""
    actor: str = OPERATOR

    def reads(self) -> Iterable[Read]:
        return [(DISPUTE, self.dispute_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        dispute = ws.get(DISPUTE, self.dispute_id)
        if dispute is None:
            return []
        merchant_id = dispute["merchant_id"]
        return [
            (MERCHANT, merchant_id),
            (PAYMENT, dispute["payment_id"]),
            *ledger.reads(self._transfers(dispute, ""), is_new=True),
            *self._day_reads(dispute),
            *collect_reads(merchant_id, dispute["currency"]),
        ]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        dispute = ws.get(DISPUTE, self.dispute_id)
        if dispute is None:
            raise CallerError("dispute_not_found", self.dispute_id)
        if dispute["state"] == _DECIDED[self.command]:
            return self._again(dispute)
        day = self.rules.business_date(now_ms)
        if self.command is DisputeCommand.LOSE:
            self._check_settlement(ws, dispute, today=date.fromisoformat(day))
        row = step(
            ws,
            dispute,
            self.command,
            actor=self.actor,
            now_ms=now_ms,
            settlement_date=self.settlement_date,
        )
        ledger.post(ws, self._transfers(dispute, day), now_ms, is_new=True)
        if self.command is DisputeCommand.LOSE:
            label_from_dispute(ws, row, actor=self.actor, now_ms=now_ms)
            return row
        payment = ws.get(PAYMENT, dispute["payment_id"])
        assert payment is not None
        _add_disputed(ws, payment, -dispute["amount_minor"], now_ms)
        event = posting.Event(f"{self.dispute_id}.repaid", dispute["currency"], day)
        collect(ws, event, dispute["merchant_id"], now_ms)
        return row

    def _again(self, dispute: Row) -> Row:
        if dispute["settlement_date"] != self.settlement_date:
            raise CallerError("idempotency_conflict", "settlement_date")
        return dispute

    def _day_reads(self, dispute: Row) -> Iterable[Read]:
        channel_id = dispute["channel_id"]
        return self.days.reads(channel_id, self.settlement_date) if channel_id else []

    def _check_settlement(self, ws: WorkingSet, dispute: Row, *, today: date) -> None:
        """A balance has no settlement date; a channel has one near to today, of an open day."""
        if dispute["funding"] == BALANCE:
            if self.settlement_date:
                raise CallerError("field_invalid", "settlement_date")
            return
        distance = abs(_day(self.settlement_date) - today)
        if distance > timedelta(days=SETTLEMENT_DAYS_AWAY_MAX):
            raise CallerError("field_invalid", "settlement_date")
        if self.days.is_over(ws, dispute["channel_id"], self.settlement_date):
            raise CallerError("settlement_date_closed", self.settlement_date)

    def _transfers(self, dispute: Row, day: str) -> list[Transfer]:
        is_lost = self.command is DisputeCommand.LOSE
        return self._taken(dispute, day) if is_lost else self._returned(dispute, day)

    def _returned(self, dispute: Row, day: str) -> list[Transfer]:
        name = _DECIDED[self.command].value
        return posting.dispute_won(
            posting.Event(f"{self.dispute_id}.{name}", dispute["currency"], day),
            case_id=self.dispute_id,
            merchant_id=dispute["merchant_id"],
            amount_minor=dispute["amount_minor"],
        )

    def _taken(self, dispute: Row, day: str) -> list[Transfer]:
        """To whoever gave the payer the money back: ourselves, the channel, or the fund that pays
        so much less of what we have advanced."""
        currency, funding = dispute["currency"], dispute["funding"]
        event = posting.Event(f"{self.dispute_id}.lost", currency, day)
        if dispute["channel_id"] == FUND:
            return posting.own_advance_returned(
                event,
                from_account=chart.dispute(self.dispute_id, currency),
                amount_minor=dispute["amount_minor"],
            )
        return posting.dispute_lost(
            event,
            case_id=self.dispute_id,
            amount_minor=dispute["amount_minor"],
            to_account=chart.customer(dispute["payer_id"], currency)
            if funding == BALANCE
            else chart.channel(dispute["channel_id"], self.settlement_date, currency),
        )


_DECIDED = {
    DisputeCommand.WIN: DisputeState.WON,
    DisputeCommand.LOSE: DisputeState.LOST,
    DisputeCommand.WITHDRAW: DisputeState.WITHDRAWN,
}


def _disputable(payment: Row) -> Disputable:
    return Disputable(
        state=PaymentState(payment["state"]),
        amount_minor=payment["amount_minor"],
        coupon_minor=payment["coupon_minor"],
        coupon_returned_minor=payment["coupon_returned_minor"],
        currency=payment["currency"],
        refunded_minor=payment["refunded_minor"],
        refunding_minor=payment["refunding_minor"],
        disputed_minor=payment["disputed_minor"],
    )


def _add_disputed(ws: WorkingSet, payment: Row, amount_minor: int, now_ms: int) -> None:
    ws.update(
        PAYMENT,
        payment["payment_id"],
        disputed_minor=payment["disputed_minor"] + amount_minor,
        updated_at_ms=now_ms,
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CallerError("field_invalid", "settlement_date") from None
