"""How a sale goes once it is collected: from the stored request to a signed end.

The table in `domain.sale` decides.

Rule 1: an unknown sale is asked about until an answer ends it; nobody guesses.
Rule 2: a hub forwards one device's envelopes in the order of their counters, so a query in which
        the backend finds nothing proves that no earlier envelope of the create was carried out or
        will be. Not where there are more: a dead hub may hold one, so a reversal ends the sale.
Rule 3: what was not carried out goes again with its ids, which the backend carries out once at
        most, but only while the payer may still be there: after `CREATE_AGE_MS_MAX` a create that
        never left, or that Rule 2 proved void, ends as declined with `payment_too_late`. One that
        may have been accepted is not sent again either, and ends by an answer (Rule 1).
"""

from dataclasses import replace
from typing import Any

from protocol.errors import CallerError
from protocol.messages import ErrorBody, PaymentResult
from terminal.ages import Ages
from terminal.desk import UNDOING, Desk, is_overtaken, is_undo, log
from terminal.domain import verdict
from terminal.domain.delivery import Delivery
from terminal.domain.sale import FINAL_STATES, OPEN_STATES, Sale, SaleEvent, SaleState, Step
from terminal.domain.schedule import gap_ms, rest_ms
from terminal.domain.verdict import PUT_OFF, Refused
from terminal.item_flow import DISPENSE, NOT_GIVEN, ItemFlow
from terminal.journal.rows import RequestRow, RequestState
from terminal.limits import (
    ANSWER_WAIT_MS,
    CREATE_AGE_MS_MAX,
    ERROR_SHOWN_UNATTENDED_MS,
    PAID_SHOWN_UNATTENDED_MS,
    PAYER_POLL_MS,
    QR_LIFE_ASSUMED_MS,
    QUERY_GAPS_MS,
    REVERSE_NOT_BEFORE_MS,
)
from terminal.returning import Returning, Ways
from terminal.sale_facts import changes_of, check_money, create_body, receipt_facts

LOST, LATE, QUERY, UNDO, IDLE = "lost", "late", "query", "undo", "idle"
"""Timers: silence, too old to be made, next query, next close or reversal, back to the start."""

_S, _T = SaleState, Step
_ASKING = frozenset({_S.SHOWING_QR, _S.WAITING})


class SaleFlow:
    """All sales of one terminal that are in its journal."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._journal = desk.journal
        self._courier = desk.courier
        self._queries: dict[str, int] = {}
        self._ages = Ages(desk.clock)
        self.items = ItemFlow(desk, self.give_back)
        ways = Ways(self._move, self._send_create, self._query, self._is_in_doubt)
        self.returning = Returning(desk, ways)

    # The cashier, and the collected sale

    def submit(self, sale: Sale, **facts: Any) -> None:  # noqa: ANN401
        """Everything is collected: store the request, then let it go."""
        body = create_body(sale, self._desk.profile, **facts)
        sent_at_ms = self._desk.clock.now_ms()
        moved = self._move(sale, _T.SEND, error_code=None, sent_at_ms=sent_at_ms)
        self._age_from_now(moved)
        self._courier.post("payment.create", body, subject=moved.payment_id)
        self._desk.after((LOST, moved.payment_id), ANSWER_WAIT_MS)

    def decline_here(self, sale: Sale, code: str) -> None:
        """The till itself says no before anything was sent; journal and receipt say why."""
        self._move(sale, _T.DECLINE, error_code=code)

    def cancel(self, sale: Sale) -> None:
        """Give up. What may have been accepted is closed or reversed, which must be confirmed."""
        if sale.state is _S.SENDING and self._is_in_doubt(sale):
            self._move(sale, _T.REVERSE)
        elif sale.state is _S.SHOWING_QR:
            self._move(sale, _T.CLOSE)
        elif sale.state is _S.WAITING:
            self._move(sale, _T.REVERSE)
        else:
            self._move(sale, _T.CANCEL)

    def reverse(self, sale: Sale) -> None:
        """Undo a sale whose outcome is unknown, or a paid one whose item is."""
        if sale.state is _S.PAID and sale.delivery is Delivery.UNCERTAIN:
            self.items.deny(sale)
        elif sale.state is _S.SENDING and not self._is_in_doubt(sale):
            self.cancel(sale)
        else:
            self._move(sale, _T.REVERSE)

    def give_back(self, sale: Sale) -> None:
        """The item of a paid sale was not given. Money that is back already is left alone."""
        if sale.may(_T.GIVE_BACK):
            self._move(sale, _T.GIVE_BACK, error_code=NOT_GIVEN)

    def query_now(self, sale: Sale) -> None:
        """Ask how an open sale stands, without waiting for the timer."""
        if sale.state not in OPEN_STATES:
            raise CallerError("payment_state", f"query in {sale.state}")
        if sale.state in UNDOING:
            self._undo(sale)
        else:
            self._query(sale)

    # The backend's and the hub's words

    def on_result(self, result: PaymentResult, row: RequestRow | None) -> None:
        """A result that the backend signed for one of our payments."""
        sale = self._journal.sale(result.payment_id)
        if sale is None:
            raise CallerError("payment_not_found", "a result for a payment that is not ours")
        check_money(sale, result)
        if row is not None:
            self._courier.settle(row.request_id)
        if is_overtaken(sale, row):
            result = result.model_copy(update={"error": None})
        has_code = sale.method == "merchant_qr" and bool(result.code_url or sale.code_url)
        step = verdict.of_result(result.payment_state, has_code=has_code)
        if step is _T.PAY and result.error is not None and is_undo(row) and sale.may(_T.KEEP):
            step = _T.KEEP
        if sale.state in UNDOING and step is _T.LOSE_CONTACT:
            self._undo_later(sale)
            return
        if not sale.may(step) or (step is _T.PAY and sale.ended_as is not None):
            log.info("result_ignored", payment_id=sale.payment_id, state=sale.state, step=step)
            return
        self._move(sale, step, **changes_of(sale, result))

    def on_refusal(self, row: RequestRow, error: ErrorBody) -> None:
        """A request of ours was not carried out; see `domain.verdict` for what that says."""
        sale = self._journal.sale(row.subject)
        if sale is None or sale.state in FINAL_STATES:
            return
        code, kind = error.code, verdict.of_refusal(error.code, error.retry)
        if kind in {Refused.RETRY, Refused.FINAL}:
            self._journal.record_refusal(row.request_id)
        if row.message_type == "payment.create":
            self._create_refused(sale, row, code, kind)
        elif row.message_type == "payment.query":
            self._query_refused(sale, row, code, kind)
        else:
            self._undo_refused(sale, row, code, kind)

    def _create_refused(self, sale: Sale, row: RequestRow, code: str, kind: Refused) -> None:
        if kind in {Refused.RETRY, Refused.RETRY_IN_DOUBT}:
            if self._is_too_late(sale):
                self._give_up(sale)
                return
            if code in PUT_OFF and sale.may(_T.PUT_OFF):
                self._move(sale, _T.PUT_OFF, error_code=code)
            self._courier.resend_later(row)
        elif sale.state is _S.ACCEPTED and code.startswith("device_"):
            self._courier.resend_later(row)  # the money is due, whenever this till is heard again
        elif kind is Refused.FINAL and not self._is_in_doubt(sale):
            if sale.may(_T.DECLINE):
                self._move(sale, _T.DECLINE, error_code=code)
        elif sale.state is _S.SENDING:
            self._move(sale, _T.LOSE_CONTACT, error_code=code)

    def _query_refused(self, sale: Sale, row: RequestRow, code: str, kind: Refused) -> None:
        self._courier.settle(row.request_id)
        if code == "payment_not_found":
            self._create_again(sale, proof=row)
        elif kind is Refused.UNKNOWN and sale.state is _S.WAITING:
            self._move(sale, _T.LOSE_CONTACT, error_code=code)

    def _undo_refused(self, sale: Sale, row: RequestRow, code: str, kind: Refused) -> None:
        if code == "payment_not_found":
            self._courier.settle(row.request_id)
            if not self._create_again(sale, proof=row):
                self._undo_later(sale)
        elif code == "payment_state":
            # Too late to undo: the truth is asked for, and a paid sale is shown as paid.
            self._courier.settle(row.request_id)
            if not is_overtaken(sale, row):
                self._move(sale, _T.LOSE_CONTACT, error_code=code)
        elif kind is not Refused.FINAL or code.startswith("device_"):
            if sale.state in UNDOING:
                self._desk.undo_put_off = {row.request_id: row.sends}
                self._move(sale, _T.PUT_OFF, error_code=code)
            self._courier.resend_later(row)
        else:
            self._courier.settle(row.request_id)
            self._undo_later(sale)

    def _create_again(self, sale: Sale, *, proof: RequestRow) -> bool:
        """Rule 3, after the backend's word that it has nothing. Whether that ended the sale."""
        create = self._journal.latest_request(sale.payment_id, "payment.create")
        if create is None or create.body is None or (proof.counter or 0) <= (create.counter or 0):
            return False
        if self._desk.profile.hub_count == 1:
            self._journal.record_all_refused(create.request_id)
            if self._is_too_late(sale):
                self._give_up(sale)
                return True
        elif self._is_too_late(sale):
            if is_ended := sale.may(_T.REVERSE):  # else it is being undone already
                self._move(sale, _T.REVERSE, error_code="payment_too_late")
            return is_ended
        self._courier.send(create)
        return False

    # Time and the link

    def on_timer(self, kind: str, payment_id: str) -> None:
        """A deadline of this sale has come."""
        sale = self._journal.sale(payment_id)
        if sale is None:
            return
        if kind == LOST and sale.state is _S.SENDING and self._is_in_doubt(sale):
            self._move(sale, _T.LOSE_CONTACT, error_code="timeout")
        elif kind == LATE and sale.state is _S.SENDING:
            self._give_up(sale)
        elif kind == QUERY and sale.state in {_S.UNKNOWN, *_ASKING}:
            self._poll(sale)
        elif kind == QUERY and sale.state is _S.ACCEPTED:
            self.returning.on_timer(sale)
        elif kind == UNDO and sale.state in UNDOING:
            self._undo(sale)
        elif kind == DISPENSE:
            self.items.on_timer(payment_id)
        elif kind == IDLE and self._desk.current == payment_id and _is_leavable(sale):
            self._desk.current = None

    def on_link_up(self) -> None:
        """Send what never left, and ask about everything that is open."""
        for sale in self._journal.open_sales():
            if sale.state in {_S.SENDING, _S.ACCEPTED} and not self._is_in_doubt(sale):
                self._send_create(sale)
            elif sale.state is _S.ACCEPTED:
                self.returning.bring_back(sale)
            elif sale.state in {_S.UNKNOWN, *_ASKING}:
                self._query(sale)
            elif sale.state in UNDOING and not self._desk.timers.is_set((UNDO, sale.payment_id)):
                self._undo(sale)

    def recover(self) -> None:
        """After a restart: what may have been accepted is unknown until it is known."""
        for sale in self._journal.open_sales():
            create = self._journal.latest_request(sale.payment_id, "payment.create")
            self._age_from_now(sale)
            if sale.state is _S.SENDING and (create is None or create.sends == 0):
                self._move(sale, _T.CANCEL, is_recovered=True)
                continue
            moved = self._move(sale, _T.RESTART, is_recovered=True)
            if moved.state is not _S.ACCEPTED:
                self._desk.current = moved.payment_id

    def _age_from_now(self, sale: Sale) -> None:
        age_ms = self._ages.begin(sale)
        self._desk.after((LATE, sale.payment_id), max(CREATE_AGE_MS_MAX - age_ms, 0))

    def _is_too_late(self, sale: Sale) -> bool:
        return sale.state is not _S.ACCEPTED and self._ages.of_ms(sale) >= CREATE_AGE_MS_MAX

    def _give_up(self, sale: Sale) -> None:
        """Too late to make it: it ends, unless some envelope may have been accepted (Rule 3)."""
        if self._is_in_doubt(sale):
            if sale.state is _S.SENDING:
                self._move(sale, _T.LOSE_CONTACT, error_code="timeout")
        elif sale.may(_T.DECLINE):
            self._move(sale, _T.DECLINE, error_code="payment_too_late")

    def _send_create(self, sale: Sale) -> None:
        create = self._journal.latest_request(sale.payment_id, "payment.create")
        if self._is_too_late(sale):
            self._give_up(sale)
        elif create is not None:
            self._courier.send(create)
            self._desk.after((LOST, sale.payment_id), ANSWER_WAIT_MS)

    def resend(self, row: RequestRow) -> None:
        """The gap after a refusal or silence is over: the same request in a new envelope."""
        sale = self._journal.sale(row.subject)
        if sale is None or sale.state in FINAL_STATES or row.state is not RequestState.OPEN:
            return
        if row.message_type == "payment.create":
            if sale.state in {_S.SENDING, _S.UNKNOWN, _S.ACCEPTED}:
                self._send_create(sale)
        else:
            self._courier.resend_later(self._courier.send(row))

    def _poll(self, sale: Sale) -> None:
        now_ms = self._desk.clock.now_ms()
        if sale.state is _S.SHOWING_QR and not self._courier.is_link_up:
            ends_ms = sale.code_expires_at_ms or sale.created_at_ms + QR_LIFE_ASSUMED_MS
            if now_ms > ends_ms:
                self._move(sale, _T.LOSE_CONTACT, error_code="timeout")
                return
        self._query(sale)

    def _query(self, sale: Sale) -> None:
        tries = self._queries.get(sale.payment_id, 0)
        gap = PAYER_POLL_MS if sale.state in _ASKING else gap_ms(QUERY_GAPS_MS, tries)
        self._desk.after((QUERY, sale.payment_id), gap)
        if self._courier.is_link_up:
            self._queries[sale.payment_id] = tries + 1
            self._courier.abandon(sale.payment_id, "payment.query")
            body = {"payment_id": sale.payment_id}
            self._courier.post("payment.query", body, subject=sale.payment_id)

    def _undo(self, sale: Sale) -> None:
        """Close or reverse: the open request again, or a new one if that ended nothing."""
        message_type = UNDOING[sale.state]
        latest = self._journal.latest_request(sale.payment_id, message_type)
        if latest is not None and latest.state is RequestState.OPEN:
            row = self._courier.send(latest)
        else:
            body = {"payment_id": sale.payment_id}
            row = self._courier.post(message_type, body, subject=sale.payment_id)
        self._courier.resend_later(row)

    def _undo_later(self, sale: Sale) -> None:
        tries = self._queries.get(sale.payment_id, 0)
        self._queries[sale.payment_id] = tries + 1
        self._desk.after((UNDO, sale.payment_id), gap_ms(QUERY_GAPS_MS, tries))

    def _is_in_doubt(self, sale: Sale) -> bool:
        create = self._journal.latest_request(sale.payment_id, "payment.create")
        return create is not None and create.is_in_doubt

    def _move(self, sale: Sale, step: Step, **changes: Any) -> Sale:  # noqa: ANN401
        moved, event = sale.move(step, **changes)
        if moved.state in FINAL_STATES and moved.state is not sale.state:
            moved = replace(moved, settled_at_ms=self._desk.clock.now_ms())
        log.info(
            "sale_moved",
            payment_id=moved.payment_id,
            what=event,
            state=moved.state,
            code=moved.error_code,
        )
        self._journal.save_sale(moved)
        if moved.state in FINAL_STATES:
            if sale.state is not moved.state:
                self._finished(moved, event)
        elif sale.state is not moved.state or event is SaleEvent.RECOVERED:
            self._entered(moved)
        elif moved.state in UNDOING and event is not SaleEvent.PUT_OFF:
            self._undo_later(moved)
        return moved

    def _entered(self, sale: Sale) -> None:
        key = sale.payment_id
        age_ms = self._desk.clock.now_ms() - sale.created_at_ms
        self._desk.timers.drop((QUERY, key), (UNDO, key))
        self._queries.pop(key, None)
        if sale.state is _S.UNKNOWN:
            self._desk.after((QUERY, key), rest_ms(QUERY_GAPS_MS[0], age_ms))
            if not any(row.kind == "unknown" for row in self._journal.receipts_of(key)):
                self._print(sale, "unknown")
        elif sale.state in _ASKING:
            self._desk.after((QUERY, key), PAYER_POLL_MS)
        elif sale.state is _S.ACCEPTED:
            self.returning.wait(sale)
        elif sale.state is _S.CLOSING:
            self._undo(sale)
        elif sale.state is _S.REVERSING:
            self._desk.after((UNDO, key), rest_ms(REVERSE_NOT_BEFORE_MS, age_ms))
            if _is_leavable(sale) and not self._desk.profile.is_attended:
                self._desk.after((IDLE, key), ERROR_SHOWN_UNATTENDED_MS)

    def _finished(self, sale: Sale, event: SaleEvent) -> None:
        key = sale.payment_id
        self._desk.timers.drop((LOST, key), (LATE, key), (QUERY, key), (UNDO, key))
        self._queries.pop(key, None)
        is_late = self._is_too_late(sale)
        self._ages.end(sale)
        self._courier.finish(key)
        self._desk.settled[sale.state.value] += 1
        if event is SaleEvent.CANCELLED:
            if self._desk.current == key:
                self._desk.current = None
            return
        kind = {_S.PAID: "paid", _S.DECLINED: "declined"}.get(sale.state, sale.ended_as or "closed")
        if event is not SaleEvent.CAME_BACK:  # whoever paid has gone, with a receipt
            self._print(sale, kind)
        if not self._desk.profile.is_attended:
            is_paid = sale.state is _S.PAID
            shown = PAID_SHOWN_UNATTENDED_MS if is_paid else ERROR_SHOWN_UNATTENDED_MS
            self._desk.after((IDLE, key), shown)
        if sale.state is _S.PAID:
            is_there = event is SaleEvent.PAID and self._desk.current == key
            may_give = is_there and not is_late and not sale.is_recovered
            may_give = may_give or self._desk.profile.sells_once
            self.items.on_paid(sale, may_give=may_give)

    def _print(self, sale: Sale, kind: str) -> None:
        self._desk.print_receipt(sale.payment_id, kind, receipt_facts(sale))


def _is_leavable(sale: Sale) -> bool:
    """A machine's screen need not wait for its end: it is over, or goes on by itself."""
    return sale.state in FINAL_STATES or sale.delivery is Delivery.NOT_GIVEN
