"""Messages in, answers out: what the clearing house says to each kind of request."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from backend.channels.epcc import ids
from backend.channels.epcc.model import (
    BUSINESS_OK,
    BUSINESS_OPEN_DAY,
    BUSINESS_UNKNOWN_TRX,
    FAILED,
    IN_PROGRESS,
    REVERSED,
    SUCCEEDED,
    SYSTEM_MALFORMED,
    SYSTEM_OK,
    AgreementAnswer,
    AgreementPay,
    AskBatch,
    AskDay,
    BatchTotals,
    DisputeBatch,
    DisputeRow,
    MemberNet,
    Message,
    NetPosition,
    PayOut,
    Query,
    Refund,
    Reverse,
    SignAgreement,
    SystemAnswer,
    TrxAnswer,
    VerifyAccount,
)
from backend.channels.model import ChannelAnswer, PayOrder, PayoutOrder, RefundOrder
from backend.sandbox.institution.orders import CURRENCY
from backend.sandbox.netsunion.clearing_house import ACCEPTED, ClearingHouse
from protocol.errors import CallerError
from protocol.money import Money

_STATUS = {
    "succeeded": SUCCEEDED, "refused": FAILED, "reversed": REVERSED, ACCEPTED: IN_PROGRESS,
}  # fmt: skip
_REFUSED, _WRONG_AGREEMENT, _NEVER_SEEN = "PB000001", "PB003001", ""
_NO_STATUS = "99"
"""What the fault ``unknown_status`` says: a status that nobody knows."""
WRITING = frozenset({"101", "103", "201", "205", "207", "211"})
"""The requests that change something."""


class Desk:
    """Answers requests; a request that cannot be taken is answered by a system code."""

    def __init__(self, house: ClearingHouse) -> None:
        self._house = house

    def answer(self, number: str, message: Message, digest: str) -> tuple[str, Message]:
        """The answer's number and content."""
        self._house.close_days()
        acts: dict[type, Callable[[Any, str], Message]] = {
            VerifyAccount: self._verify, SignAgreement: self._sign, AgreementPay: self._pay,
            Refund: self._refund, Reverse: self._reverse, PayOut: self._pay_out,
            Query: self._query, AskBatch: self._batch,
        }  # fmt: skip
        try:
            if isinstance(message, AskDay):
                return str(int(number) + 1), self._day(number, message, digest)
            act = acts.get(type(message))
            if act is None:
                raise CallerError("message_type_unknown")
            answer = act(message, digest)
        except CallerError as error:
            return "900", refusal(SYSTEM_MALFORMED, error.code, digest)
        if isinstance(answer, TrxAnswer) and self._house.house.faults.strikes("unknown_status"):
            answer = replace(answer, status=_NO_STATUS)
        return str(int(number) + 1), answer

    def _verify(self, asked: VerifyAccount, digest: str) -> AgreementAnswer:
        is_good = self._house.customers.verify(
            asked.trx_id, bank=asked.payer_bank, account=asked.payer_account, name=asked.payer_name
        )
        code = BUSINESS_OK if is_good else _WRONG_AGREEMENT
        return AgreementAnswer(
            system_code=SYSTEM_OK, request_digest=digest, business_code=code, trx_id=asked.trx_id
        )

    def _sign(self, asked: SignAgreement, digest: str) -> AgreementAnswer:
        agreement = self._house.customers.sign(asked.verification_trx_id, asked.code)
        return AgreementAnswer(
            system_code=SYSTEM_OK,
            request_digest=digest,
            business_code=BUSINESS_OK if agreement else _WRONG_AGREEMENT,
            trx_id=asked.trx_id,
            agreement=agreement,
        )

    def _pay(self, asked: AgreementPay, digest: str) -> TrxAnswer:
        house = self._house
        house.know(asked.trx_id, "pay", asked.order_id)
        order = PayOrder(asked.order_id, asked.agreement, asked.amount)
        refuse = house.house.faults.strikes("refuse_order")
        day = house.booking_day()  # once a request: the fault of the cut-off counts requests
        said = house.book.pay(order, day=day, refuse=refuse)
        if said.state == "succeeded":
            for order_id in house.book.overcharge(order, house.house.faults, day=day):
                house.know(ids.of_own_making(order_id, day), "pay", order_id)
        return self._told(asked.trx_id, said, digest)

    def _refund(self, asked: Refund, digest: str) -> TrxAnswer:
        house = self._house
        house.know(asked.trx_id, "refund", asked.order_id)
        known = house.known(asked.original_trx_id)
        original = known[1] if known and known[0] == "pay" else asked.original_order_id
        order = RefundOrder(asked.order_id, original, asked.amount)
        refuse = house.house.faults.strikes("refuse_refund")
        said = house.book.refund(order, day=house.booking_day(), refuse=refuse)
        return self._told(asked.trx_id, said, digest)

    def _reverse(self, asked: Reverse, digest: str) -> TrxAnswer:
        house = self._house
        house.know(asked.original_trx_id, "pay", asked.original_order_id)
        said = house.book.reverse(asked.original_order_id, day=house.booking_day())
        return self._told(asked.trx_id, said, digest)

    def _pay_out(self, asked: PayOut, digest: str) -> TrxAnswer:
        house = self._house
        house.know(asked.trx_id, "payout", asked.order_id)
        order = PayoutOrder(asked.order_id, asked.payee_account, asked.payee_name, asked.amount)
        said = house.pay_out(order, trx_id=asked.trx_id, day=house.booking_day())
        return self._told(asked.trx_id, said, digest)

    def _query(self, asked: Query, digest: str) -> TrxAnswer:
        house = self._house
        found: ChannelAnswer | None = None
        match house.known(asked.original_trx_id):
            case ("pay", own_id):
                found = house.book.order(own_id)
            case ("refund", own_id):
                found = house.book.refund_result(own_id)
            case ("payout", own_id):
                found = house.payout(own_id)
        return self._told(asked.original_trx_id, found, digest)

    def _told(self, trx_id: str, said: ChannelAnswer | None, digest: str) -> TrxAnswer:
        day = self._house.today()
        if said is None:
            return TrxAnswer(
                system_code=SYSTEM_OK, request_digest=digest, business_code=BUSINESS_UNKNOWN_TRX,
                trx_id=trx_id, finished_at_ms=self._now(), status=_NEVER_SEEN,
                settlement_day=day, batch=ids.batch_id(day),
            )  # fmt: skip
        day = date.fromisoformat(said.settlement_date)
        return TrxAnswer(
            system_code=SYSTEM_OK,
            request_digest=digest,
            business_code=_REFUSED if said.state == "refused" else BUSINESS_OK,
            business_text=said.reason,
            trx_id=trx_id,
            order_id=said.order_id,
            finished_at_ms=self._now(),
            status=_STATUS[said.state],
            settlement_day=day,
            batch=ids.batch_id(day),
        )

    def _batch(self, asked: AskBatch, digest: str) -> BatchTotals:
        lines = list(self._house.lines(ids.batch_day(asked.batch)))
        received = [line for line in lines if line.kind in {"payment", "topup"}]
        paid = [line for line in lines if line.kind not in {"payment", "topup"}]
        return BatchTotals(
            system_code=SYSTEM_OK,
            request_digest=digest,
            batch=asked.batch,
            received_count=len(received),
            received=_sum(line.amount for line in received),
            paid_count=len(paid),
            paid=_sum(line.amount for line in paid),
        )

    def _day(self, number: str, asked: AskDay, digest: str) -> Message:
        if number == "323":
            return self._disputes(asked, digest)
        if number == "333":
            self._house.close_day(asked.day)
        is_closed = self._house.is_closed(asked.day)
        nets = self._house.position(asked.day)
        return NetPosition(
            system_code=SYSTEM_OK,
            request_digest=digest,
            business_code=BUSINESS_OK if is_closed else BUSINESS_OPEN_DAY,
            day=asked.day,
            members=tuple(
                MemberNet(issuer=member, net=Money(net, CURRENCY)) for member, net in nets.items()
            ),
        )

    def _disputes(self, asked: AskDay, digest: str) -> DisputeBatch:
        rows = tuple(
            DisputeRow(
                case_id=case,
                original_trx_id=self._house.trx_of("pay", order_id),
                original_order_id=order_id,
                amount=amount,
                reason=reason,
            )
            for case, order_id, amount, reason in self._house.disputes(asked.day)
        )
        return DisputeBatch(
            system_code=SYSTEM_OK,
            request_digest=digest,
            batch=ids.batch_id(asked.day, letter="D"),
            count=len(rows),
            total=_sum(row.amount for row in rows),
            rows=rows,
        )

    def _now(self) -> int:
        return self._house.house.clock.now_ms()


def refusal(code: str, text: str, digest: str) -> SystemAnswer:
    """The message was not taken."""
    return SystemAnswer(system_code=code, system_text=text[:128], request_digest=digest)


def _sum(amounts: Iterable[Money]) -> Money:
    return sum(amounts, start=Money(0, CURRENCY))
