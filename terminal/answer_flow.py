"""Answers that arrive: opened, checked, kept as evidence, and handed to the flow they are about.

Rule 1: bytes that claim to be an answer and are not are counted, logged and forgotten.
Rule 2: a new answer of the backend makes the journal forget a few that nobody can need any more, by
        the backend's time where this device's clock is ahead of it.
"""

from collections import Counter

from protocol.answers import Answer
from protocol.errors import CallerError
from protocol.messages import ErrorBody, PaymentResult, RefundResult, Refusal
from protocol.trust import PROOFS, Trust, TrustedAnswer
from terminal.desk import Desk, log
from terminal.effects import TryOtherHub
from terminal.journal.forgetting import has_requests
from terminal.journal.rows import RequestRow, RequestState
from terminal.limits import DAY_MS
from terminal.offline_flow import OfflineFlow
from terminal.refund_flow import RefundFlow
from terminal.sale_flow import SaleFlow
from terminal.timing import ahead_ms
from terminal.upkeep import WISHES, Upkeep

_OF_THE_HUB = frozenset({"envelope_stale", "spool_unwritable"})
"""What may be wrong with this hub alone: its clock, its disk."""
_SUBJECTS = {"payment.result": "payment_id", "refund.result": "refund_id"}


class AnswerFlow:
    """What the hub and the backend say to one terminal."""

    def __init__(
        self,
        desk: Desk,
        trust: Trust,
        sales: SaleFlow,
        refunds: RefundFlow,
        upkeep: Upkeep,
        offline: OfflineFlow,
    ) -> None:
        self._desk = desk
        self._journal = desk.journal
        self._trust = trust
        self._sales = sales
        self._refunds = refunds
        self._upkeep = upkeep
        self._offline = offline
        self.refused: Counter[str] = Counter()

    def take(self, data: bytes) -> None:
        """Bytes that claim to be a signed answer."""
        try:
            self._take(data)
        except CallerError as refused:
            self.refused[refused.code] += 1
            log.warning("answer_refused", code=refused.code, detail=refused.detail)

    def _take(self, data: bytes) -> None:
        trusted = self._trust.open(data)
        answer = trusted.answer
        row = self._journal.request(answer.request_id) if answer.request_id else None
        if row is None and not (trusted.is_backend and self._is_ours(answer)):
            raise CallerError("identity_mismatch", "an answer to a request that is not ours")
        self._compare_clocks(row, trusted)
        match answer.message_type:
            case "payment.result":
                result = PaymentResult.from_map(answer.body)
                self._check_subject(row, result.payment_id)
                if self._keep(data, trusted, result.payment_id):
                    self._sales.on_result(result, row)
            case "refund.result":
                refund = RefundResult.from_map(answer.body)
                self._check_subject(row, refund.refund_id)
                if self._keep(data, trusted, refund.refund_id):
                    self._refunds.on_result(refund, row)
            case message_type if message_type in WISHES:
                if row is not None:
                    self._desk.courier.settle(row.request_id)
                self._upkeep.wanted(message_type, answer.body)
            case "refusal" if row is not None:
                self._take_refusal(data, trusted, row)
            case _:
                if row is not None:
                    self._desk.courier.settle(row.request_id)

    def _is_ours(self, answer: Answer) -> bool:
        """Of an answer without a request: a push, or the late word about a payment or refund whose
        requests were forgotten (`journal.forgetting`)."""
        subject = str(answer.body.get(_SUBJECTS.get(answer.message_type, ""), ""))
        return not answer.request_id or (
            bool(subject) and not has_requests(self._journal.database, subject)
        )

    def _compare_clocks(self, row: RequestRow | None, trusted: TrustedAnswer) -> None:
        if row is None or row.sent_at_ms is None or not trusted.is_backend:
            return
        found = ahead_ms(
            sent_at_ms=row.sent_at_ms,
            arrived_at_ms=self._desk.clock.now_ms(),
            answered_at_ms=trusted.answer.answered_at_ms,
        )
        if found is not None:
            self._desk.clock_ahead_ms = found

    def _take_refusal(self, data: bytes, trusted: TrustedAnswer, row: RequestRow) -> None:
        error = Refusal.from_map(trusted.answer.body).error
        if error.code in PROOFS and not trusted.is_backend:
            raise CallerError("signature_invalid", "only the backend knows what it has")
        if row.state is RequestState.ANSWERED and not trusted.is_backend:
            return  # The backend has answered by the store's other hub.
        if error.code in _OF_THE_HUB and not trusted.is_backend:
            self._desk.effects.append(TryOtherHub())
        if self._keep(data, trusted, row.subject):
            self._refused(row, error)

    def _check_subject(self, row: RequestRow | None, subject: str) -> None:
        if row is not None and row.subject != subject:
            raise CallerError("identity_mismatch", "an answer about something else")

    def _keep(self, data: bytes, trusted: TrustedAnswer, subject: str) -> bool:
        now_ms = self._desk.clock.now_ms()
        if trusted.is_backend:
            self._journal.forget_answers(
                now_ms=min(now_ms, trusted.answer.answered_at_ms),
                kept_ms=self._desk.profile.answers_kept_days * DAY_MS,
            )
        return self._journal.add_answer(
            data,
            request_id=trusted.answer.request_id,
            subject=subject,
            message_type=trusted.answer.message_type,
            kid=trusted.kid,
            at_ms=now_ms,
        )

    def _refused(self, row: RequestRow, error: ErrorBody) -> None:
        log.info("request_refused", request_id=row.request_id, subject=row.subject, code=error.code)
        if row.message_type.startswith("payment."):
            self._sales.on_refusal(row, error)
        elif row.message_type.startswith("refund."):
            self._refunds.on_refusal(row, error)
        else:
            self._desk.courier.settle(row.request_id)

    def take_hub_state(self, data: bytes) -> None:
        """Bytes that claim to be the hub's word about itself."""
        try:
            state = self._trust.hub_state(data)
        except CallerError as refused:
            self.refused[refused.code] += 1
            log.warning("hub_state_refused", code=refused.code, detail=refused.detail)
            return
        was_online, self._desk.is_hub_online = self._desk.is_hub_online, state.mode == "online"
        self._offline.hear(state, data)
        if not self._desk.is_hub_online:
            self._desk.effects.append(TryOtherHub())
        if self._desk.is_hub_online and not was_online:
            self._sales.returning.on_backend_back()
