"""What the pages about payments show, without HTTP.

Rule 1: whose payment it is, is decided here once: another merchant's is not found, as if it did not
        exist.
Rule 2: a refund is the engine's own command; its id comes with the form, so that a form sent twice
        gives money back once.
"""

import json
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from backend.audit.model import ActKind
from backend.audit.service import Audited, Watch
from backend.bills.service import PaperDesk
from backend.bills.settlement import SettlementDay
from backend.console.cases_desk import CasesDesk
from backend.console.chart import Chart, day_chart
from backend.console.limits import FEW_POSTINGS, FEW_ROWS, FEW_STEPS
from backend.console.model import Person
from backend.console.payment_judgement import judged
from backend.console.payment_repository import ConsolePayments
from backend.console.payment_story import (
    ended,
    ledger_events,
    parted,
    told,
    urgent_first,
)
from backend.console.words import STEPS
from backend.db.tables import Row
from backend.disputes.repository import DisputeRepository
from backend.disputes.service import GiveEvidence
from backend.disputes.tables import DISPUTE
from backend.merchants.repository import MerchantRepository
from backend.notify.model import callback_id
from backend.notify.repository import CallbackRepository
from backend.payments.list_repository import PaymentFilter
from backend.payments.repository import PaymentRepository
from backend.payments.services import Services
from backend.refunds.by_hand import give_back
from backend.refunds.repository import RefundRepository
from backend.risk.judging.explaining import Explainer
from backend.sagas.repository import SagaRepository
from backend.shop_time import day_bounds
from protocol import ids
from protocol.errors import CallerError
from protocol.messages import RefundCreate
from protocol.payment import PAID_STATES

_TILL = "console"
_TOLD = {
    "PaymentCaptured": "payment.captured",
    "PaymentReversed": "payment.reversed",
    "PaymentDeclined": "payment.declined",
}
_REFUND_NEWS = ("refund.succeeded", "refund.failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A merchant's day in one currency; amounts in minor units."""

    currency: str
    count: int
    sales_minor: int
    refunded_count: int
    refunded_minor: int
    fee_minor: int
    chart: Chart

    @property
    def net_minor(self) -> int:
        """What the day leaves."""
        return self.sales_minor - self.refunded_minor - self.fee_minor


class PaymentsDesk:
    """One per process."""

    def __init__(
        self, services: Services, explainer: Explainer, papers: PaperDesk, cases: CasesDesk
    ) -> None:
        self.services = services
        self._explainer = explainer
        self._cases = cases
        self._papers = papers
        self._disputes = DisputeRepository(services.reader)
        self.console = ConsolePayments(services.reader)
        self._payments = PaymentRepository(services.reader)
        self._refunds = RefundRepository(services.reader)
        self._callbacks = CallbackRepository(services.reader)
        self._sagas = SagaRepository(services.reader)

    def today(self) -> date:
        """The shop's date."""
        return date.fromisoformat(self.services.rules.business_date(self.services.clock.now_ms()))

    async def day(self, merchant_id: str, on: date) -> list[Day]:
        """One merchant's date, each currency by itself."""
        from_ms, until_ms = day_bounds(on)
        wanted = PaymentFilter(merchant_id=merchant_id, from_ms=from_ms, until_ms=until_ms)
        read = self.services.run_read
        sums = await read(lambda: self.console.sums(wanted))
        hours = await read(
            lambda: self.console.hours(merchant_id, from_ms=from_ms, until_ms=until_ms)
        )
        refunds = await read(
            lambda: self.console.refunds(merchant_id, business_date=on.isoformat())
        )
        paid = [row for row in sums if row["state"] in PAID_STATES]
        given = [row for row in refunds if row["state"] == "succeeded"]
        currencies = sorted({row["currency"] for row in (*paid, *given)})
        return [_day(currency, paid, given, hours) for currency in currencies]

    async def unknowns(self, merchant_id: str) -> list[Row]:
        """What a merchant must not charge again."""
        rows: list[Row] = await self.services.run_read(lambda: self.console.unknowns(merchant_id))
        return rows

    async def payment(self, person: Person, payment_id: str) -> Row:
        """A payment that this person may see; else ``payment_not_found``."""
        row: Row | None = await self.services.run_read(lambda: self._payments.payment(payment_id))
        if row is None or person.scope not in (None, row["merchant_id"]):
            raise CallerError("payment_not_found", payment_id)
        return row

    async def story(self, person: Person, payment: Row) -> dict[str, Any]:
        """All that this person may know of a payment: steps, attempts, refunds, disputes, postings,
        callbacks, settlement, verdict, routing and risk cases."""
        read, payment_id = self.services.run_read, payment["payment_id"]
        steps = await read(lambda: self._payments.timeline(payment_id))
        refunds = await read(lambda: self._refunds.of_payment(payment_id))
        attempts = await read(lambda: self._payments.attempts(payment_id))
        disputes = await read(lambda: self._disputes.of_payment(payment_id))
        answers = {
            one["dispute_id"]: await read(partial(self._disputes.timeline, one["dispute_id"]))
            for one in disputes
        }
        sagas = await read(lambda: self._sagas.of_payment(payment_id))
        events = ledger_events(payment_id, sagas=sagas, refunds=refunds, disputes=disputes)
        news = _callback_ids(payment_id, steps, refunds)
        callbacks = await read(
            lambda: [row for one in news if (row := self._callbacks.callback(one))]
        )
        found = await self._explainer.explained(payment_id) if person.is_operator else []
        return {
            "timeline": parted(
                told(
                    [{**row, "detail": json.loads(row["detail"])} for row in steps],
                    STEPS,
                    attempts=attempts,
                    refunds=refunds,
                    disputes=[step for one in answers.values() for step in one],
                    callbacks=callbacks,
                ),
                FEW_STEPS,
            ),
            "few": FEW_ROWS,
            "few_postings": FEW_POSTINGS,
            "refund_rows": sorted(refunds, key=lambda one: -int(one["created_at_ms"])),
            "attempts": ended(attempts, payment),
            "disputes": [{**one, "answers": answers[one["dispute_id"]]} for one in disputes],
            "postings": await read(lambda: self.console.postings(events, payment)),
            "callbacks": urgent_first(callbacks),
            "settlement": await self._settlement(payment),
            "verdict": json.loads(payment["risk"]) if payment["risk"] else None,
            "decisions": judged(found),
            "cases": await self._cases.of_payment(payment_id) if person.is_operator else [],
            "routing": json.loads(payment["routing"]) if payment["routing"] else [],
            "order_by": [one.value for one in self.services.rules.routing.order_by],
            "left_minor": left_minor(payment),
        }

    async def _settlement(self, payment: Row) -> SettlementDay | None:
        """The day that a payment is settled with; None for one that was not paid."""
        if payment["paid_at_ms"] is None:
            return None
        on = date.fromisoformat(payment["business_date"])
        found = await self._papers.days(payment["merchant_id"], on, on)
        return found[0] if found else None

    async def answer(self, person: Person, payment: Row, dispute_id: str, evidence: str) -> None:
        """Give the merchant's answer to a dispute of this payment; another payment's is not
        found."""
        known: list[Row] = await self.services.run_read(
            lambda: self._disputes.of_payment(payment["payment_id"])
        )
        if person.is_operator or dispute_id not in {one["dispute_id"] for one in known}:
            raise CallerError("dispute_not_found", dispute_id)
        command = GiveEvidence(
            dispute_id=dispute_id, merchant_id=person.merchant_id, evidence=evidence
        )
        act = person.act(ActKind.DISPUTE, "answer", f"dispute {dispute_id}")
        watch = Watch(DISPUTE, dispute_id, ("state", "event_count"))
        await self.services.submit(Audited(command=command, act=act, watch=watch))

    def new_refund_id(self) -> str:
        """The id of a refund that a form is about to ask for."""
        return self._mint(ids.REFUND)

    async def refund(
        self, payment: Row, person: Person, *, refund_id: str, amount_minor: int, reason: str
    ) -> Row:
        """Give money back, by the engine; the result, or why it has failed."""
        try:
            body = RefundCreate(
                refund_id=refund_id,
                payment_id=payment["payment_id"],
                amount_minor=amount_minor,
                currency=payment["currency"],
                reason=reason,
                till=_TILL,
                cashier=person.name,
            )
        except ValueError:
            raise CallerError("field_invalid", "refund") from None
        act = person.act(
            ActKind.REFUND,
            "refund",
            f"payment {payment['payment_id']}",
            reason=reason,
            merchant_id=payment["merchant_id"],
        )
        return await give_back(self.services, body, merchant_id=payment["merchant_id"], act=act)

    async def merchant_name(self, merchant_id: str) -> str:
        """What a merchant is called; ``merchant_unknown`` where there is none of this id."""
        merchants = MerchantRepository(self.services.reader)
        found: Row | None = await self.services.run_read(lambda: merchants.merchant(merchant_id))
        if found is None:
            raise CallerError("merchant_unknown", merchant_id)
        return str(found["name"])

    def _mint(self, prefix: str) -> str:
        services = self.services
        luck = services.entropy.token_bytes(ids.RANDOM_BYTES)
        return ids.mint(prefix, time_ms=services.clock.now_ms(), random_bytes=luck)


def left_minor(payment: Row) -> int:
    """What can still be given back; nothing of what was not paid."""
    if payment["state"] not in PAID_STATES:
        return 0
    gone = payment["refunded_minor"] + payment["refunding_minor"] + payment["disputed_minor"]
    left: int = payment["amount_minor"] - gone
    return left


def _day(currency: str, paid: list[Row], given: list[Row], hours: list[Row]) -> Day:
    sold = [row for row in paid if row["currency"] == currency]
    back = [row for row in given if row["currency"] == currency]
    by_hour = {row["hour"]: row["amount_minor"] for row in hours if row["currency"] == currency}
    return Day(
        currency=currency,
        count=sum(row["count"] for row in sold),
        sales_minor=sum(row["amount_minor"] for row in sold),
        refunded_count=sum(row["count"] for row in back),
        refunded_minor=sum(row["amount_minor"] for row in back),
        fee_minor=sum(row["fee_minor"] for row in sold),
        chart=day_chart(by_hour),
    )


def _callback_ids(payment_id: str, timeline: list[Row], refunds: list[Row]) -> list[str]:
    """The ids under which news of these events would stand in the outbox."""
    found = [
        callback_id(payment_id, _TOLD[row["event"]], row["number"], at_ms=row["at_ms"])
        for row in timeline
        if row["event"] in _TOLD
    ]
    times = {row["at_ms"] for row in timeline}
    for refund in refunds:
        found += [
            callback_id(refund["refund_id"], news, 1, at_ms=at_ms)
            for news in _REFUND_NEWS
            for at_ms in sorted(times | {refund["created_at_ms"]})
        ]
    return found
