"""How a refund goes. Safe to repeat: the backend carries one refund id out once.

Rule 1: while a refund of a payment is open, another one of it is refused: whoever does not know
        what became of the first must not give the money a second time.
"""

from dataclasses import replace

from protocol import ids
from protocol.errors import CallerError
from protocol.messages import ErrorBody, RefundResult
from protocol.money import positive
from terminal.desk import Desk, error_facts, log
from terminal.domain import verdict
from terminal.domain.refund import FINAL_STATES, Refund, RefundState, RefundStep
from terminal.domain.sale import Sale, SaleState
from terminal.domain.schedule import gap_ms
from terminal.domain.verdict import PUT_OFF, Refused
from terminal.inputs import StartRefund
from terminal.journal.rows import RequestRow, RequestState
from terminal.limits import ANSWER_WAIT_MS, QUERY_GAPS_MS

REFUND_LOST, REFUND_QUERY = "refund_lost", "refund_query"
_CREATE, _QUERY = "refund.create", "refund.query"
_S, _T = RefundState, RefundStep


class RefundFlow:
    """All refunds that this terminal asked for."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._journal = desk.journal
        self._courier = desk.courier
        self._queries: dict[str, int] = {}

    def start(self, wish: StartRefund) -> None:
        """Ask for a refund. Our own books only spare the backend what is plainly too much."""
        sale = self._journal.sale(wish.payment_id)
        if sale is None:
            raise CallerError("payment_not_found")
        if sale.state is not SaleState.PAID:
            raise CallerError("payment_state")
        if any(other.state not in FINAL_STATES for other in self._refunds_of(sale)):
            raise CallerError("payment_state", "a refund of this payment is still open")
        left = self.left_minor(sale)
        amount_minor = left if wish.amount_minor is None else wish.amount_minor
        if left <= 0:
            raise CallerError("refund_exceeds")
        money = positive(amount_minor, sale.currency)
        refund = Refund(
            refund_id=self._courier.mint(ids.REFUND),
            payment_id=sale.payment_id,
            amount_minor=money.amount_minor,
            currency=money.currency,
            reason=wish.reason,
            created_at_ms=self._desk.clock.now_ms(),
        )
        self._journal.save_refund(refund)
        self._desk.current = refund.refund_id
        body = {
            "refund_id": refund.refund_id,
            "payment_id": refund.payment_id,
            "amount_minor": refund.amount_minor,
            "currency": refund.currency,
            "reason": refund.reason,
            "till": self._desk.profile.till,
        }
        row = self._courier.post(_CREATE, body, subject=refund.refund_id)
        self._courier.resend_later(row)
        self._desk.after((REFUND_LOST, refund.refund_id), ANSWER_WAIT_MS)

    def left_minor(self, sale: Sale) -> int:
        """What may still be refunded. An open refund counts as given; a failed one does not."""
        given = still_open = 0
        for other in self._refunds_of(sale):
            given += other.amount_minor if other.state is _S.SUCCEEDED else 0
            still_open += other.amount_minor if other.state not in FINAL_STATES else 0
        return max(sale.amount_minor - max(sale.refunded_minor, given) - still_open, 0)

    def _refunds_of(self, sale: Sale) -> list[Refund]:
        return self._journal.refunds_of(sale.payment_id)

    def on_result(self, result: RefundResult, row: RequestRow | None) -> None:
        """A result that the backend signed for one of our refunds."""
        refund = self._journal.refund(result.refund_id)
        if refund is None:
            raise CallerError("refund_not_found", "a result for a refund that is not ours")
        if (result.payment_id, result.amount_minor, result.currency) != (
            refund.payment_id,
            refund.amount_minor,
            refund.currency,
        ):
            raise CallerError("idempotency_conflict", "a result about other money")
        if row is not None:
            self._courier.settle(row.request_id)
        if refund.state in FINAL_STATES:
            return
        if result.state == "processing":
            self._query_later(refund)
        elif result.state == "succeeded":
            self._move(refund, _T.SUCCEED)
        else:
            self._move(refund, _T.FAIL, code=result.error.code if result.error else "internal")

    def on_refusal(self, row: RequestRow, error: ErrorBody) -> None:
        """A request about a refund was not carried out."""
        refund = self._journal.refund(row.subject)
        if refund is None or refund.state in FINAL_STATES:
            return
        code, kind = error.code, verdict.of_refusal(error.code, error.retry)
        if row.message_type == _QUERY:
            self._courier.settle(row.request_id)
            self._query_refused(refund, row, code)
            return
        if kind in {Refused.RETRY, Refused.FINAL}:
            self._journal.record_refusal(row.request_id)
        create = self._journal.request(row.request_id)
        if kind is not Refused.FINAL:
            if code in PUT_OFF and refund.may(_T.PUT_OFF):
                self._move(refund, _T.PUT_OFF, code=code)
            self._courier.resend_later(row)
        elif create is not None and not create.is_in_doubt:
            self._move(refund, _T.FAIL, code=code)
        else:
            self._courier.settle(row.request_id)
            self._move(refund, _T.LOSE_CONTACT, code=code)
            self._query_later(refund)

    def _query_refused(self, refund: Refund, row: RequestRow, code: str) -> None:
        create = self._journal.latest_request(refund.refund_id, _CREATE)
        if code == "refund_not_found" and create is not None:
            # As with sales: a query that finds nothing proves that no earlier envelope counts.
            if (row.counter or 0) > (create.counter or 0):
                if self._desk.profile.hub_count == 1:  # another hub may still hold one
                    self._journal.record_all_refused(create.request_id)
                self._courier.resend_later(self._courier.send(create))
        else:
            self._query_later(refund)

    def resend(self, row: RequestRow) -> None:
        """The same request in a new envelope, as often as it takes."""
        refund = self._journal.refund(row.subject)
        if refund is None or refund.state in FINAL_STATES or row.state is not RequestState.OPEN:
            return
        self._courier.resend_later(self._courier.send(row))

    def on_timer(self, kind: str, refund_id: str) -> None:
        """A deadline of this refund has come."""
        refund = self._journal.refund(refund_id)
        if refund is None or refund.state in FINAL_STATES:
            return
        if kind == REFUND_LOST and refund.state is _S.SENDING:
            self._move(refund, _T.LOSE_CONTACT, code="timeout")
        elif kind == REFUND_QUERY:
            self.query_now(refund)

    def query_now(self, refund: Refund) -> None:
        """Ask how the refund stands."""
        self._query_later(refund)
        if self._courier.is_link_up:
            self._courier.abandon(refund.refund_id, _QUERY)
            self._courier.post(_QUERY, {"refund_id": refund.refund_id}, subject=refund.refund_id)

    def on_link_up(self) -> None:
        """Send again what was not answered."""
        for refund in self._journal.open_refunds():
            create = self._journal.latest_request(refund.refund_id, _CREATE)
            if create is not None and create.state is RequestState.OPEN:
                self._courier.resend_later(self._courier.send(create))
            else:
                self.query_now(refund)

    def recover(self) -> None:
        """After a restart every open refund is unknown until it is known."""
        for refund in self._journal.open_refunds():
            moved, _ = refund.move(_T.LOSE_CONTACT, error_code=refund.error_code)
            self._journal.save_refund(_recovered(moved))

    def _query_later(self, refund: Refund) -> None:
        tries = self._queries.get(refund.refund_id, 0)
        self._queries[refund.refund_id] = tries + 1
        self._desk.after((REFUND_QUERY, refund.refund_id), gap_ms(QUERY_GAPS_MS, tries))

    def _move(self, refund: Refund, step: RefundStep, *, code: str | None = None) -> None:
        moved, event = refund.move(step, error_code=code)
        if moved.state in FINAL_STATES:
            moved = replace(moved, settled_at_ms=self._desk.clock.now_ms())
        log.info(
            "refund_moved",
            refund_id=moved.refund_id,
            payment_id=moved.payment_id,
            what=event,
            state=moved.state,
            code=code,
        )
        self._journal.save_refund(moved)
        if moved.state in FINAL_STATES:
            self._finished(moved)

    def _finished(self, refund: Refund) -> None:
        key = refund.refund_id
        self._desk.timers.drop((REFUND_LOST, key), (REFUND_QUERY, key))
        self._queries.pop(key, None)
        self._courier.finish(key)
        if refund.state is _S.SUCCEEDED:
            self._count(refund)
        facts = {
            "payment_id": refund.payment_id,
            "refund_id": refund.refund_id,
            "amount_minor": refund.amount_minor,
            "currency": refund.currency,
            "reason": refund.reason or None,
            "is_recovered": refund.is_recovered or None,
            **error_facts(refund.error_code),
        }
        kind = "refund" if refund.state is _S.SUCCEEDED else "refund_failed"
        self._desk.print_receipt(key, kind, facts)

    def _count(self, refund: Refund) -> None:
        """What is refunded is at least the sum of the refunds we know to have succeeded."""
        sale = self._journal.sale(refund.payment_id)
        if sale is None:
            return
        known = sum(
            other.amount_minor
            for other in self._journal.refunds_of(refund.payment_id)
            if other.state is _S.SUCCEEDED
        )
        self._journal.save_sale(replace(sale, refunded_minor=max(sale.refunded_minor, known)))


def _recovered(refund: Refund) -> Refund:
    return replace(refund, is_recovered=True)
