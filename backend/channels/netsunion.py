"""The adapter to NetsUnion: ``ChannelPort`` in its XML over HTTP, signed both ways.

Rule 1: a transaction number is computed from our id (`epcc/ids.py`), so that a retry, a query and
        a reversal name the same transaction whatever was forgotten in between.
Rule 2: an answer counts only with the clearing house's signature and the digest of our request.
Rule 3: whatever goes wrong on the way, a system code that is not *ok*, and a status that we do not
        know are ``OperatingError``: the outcome is unknown.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from backend.channels.day_file import DayFile, DayRow, Spool
from backend.channels.epcc import day_text, frame, ids
from backend.channels.epcc.limits import MESSAGE_BYTES_MAX, SIGNATURE_LINE_BYTES_MAX
from backend.channels.epcc.model import (
    BUSINESS_OK,
    BUSINESS_TYPE,
    BUSINESS_UNKNOWN_TRX,
    DEBIT_CARD,
    FAILED,
    FROM_INSTITUTION,
    PAY_CATEGORY,
    PAYOUT_CATEGORY,
    REFUND_CATEGORY,
    RESERVE_ACCOUNT,
    REVERSAL_CATEGORY,
    REVERSED,
    SUCCEEDED,
    SYSTEM_OK,
    TO_INSTITUTION,
    AgreementAnswer,
    AgreementPay,
    AskBatch,
    AskDay,
    BatchTotals,
    DisputeBatch,
    DisputeRow,
    Header,
    Message,
    NetPosition,
    PayOut,
    Query,
    Refund,
    Reverse,
    SignAgreement,
    TrxAnswer,
    VerifyAccount,
)
from backend.channels.facts import DEFAULT_FACTS, ChannelFacts
from backend.channels.http_line import HttpLine
from backend.channels.limits import ANSWER_TEXT_CHARS_MAX
from backend.channels.model import (
    NUCC,
    ChannelAnswer,
    ChannelState,
    PayOrder,
    PayoutOrder,
    RefundOrder,
)
from protocol.clock import Clock
from protocol.crypto.keys import SigningKey, VerifyKey
from protocol.errors import CallerError, OperatingError
from protocol.money import Money

_STATES: dict[str, ChannelState] = {
    SUCCEEDED: "succeeded", FAILED: "refused", REVERSED: "reversed",
}  # fmt: skip
_TOPUP = "top_"
"""How the ids of payers' top-ups begin; to the clearing house they are payments like others."""
_Answer = TypeVar("_Answer", TrxAnswer, AgreementAnswer, BatchTotals, NetPosition, DisputeBatch)


@dataclass(frozen=True, slots=True)
class Reserve:
    """Our reserve account, as the messages name it, and the bank of payers without another."""

    bank: str = "G1000111000016"
    account: str = "RESERVE-TILLWAY"
    name: str = "Tillway"
    payers_bank: str = "C1010411000013"


class NetsUnion:
    """``ChannelPort`` to the clearing house. Close it when done."""

    def __init__(
        self,
        *,
        url: Callable[[], str],
        key: SigningKey,
        peer: VerifyKey,
        clock: Clock,
        facts: ChannelFacts = DEFAULT_FACTS[NUCC],
        reserve: Reserve | None = None,
    ) -> None:
        self.facts = facts
        answer_bytes_max = MESSAGE_BYTES_MAX + SIGNATURE_LINE_BYTES_MAX
        self._line = HttpLine(url, answer_bytes_max=answer_bytes_max)
        self._key = key
        self._peer = peer
        self._clock = clock
        self._reserve = reserve or Reserve()

    async def close(self) -> None:
        """Close the connections."""
        await self._line.close()

    async def pay(self, order: PayOrder) -> ChannelAnswer:
        """``ChannelPort.pay``: 201."""
        reserve = self._reserve
        message = AgreementPay(
            payer_bank=reserve.payers_bank,
            payer_account_type=DEBIT_CARD,
            agreement=order.token,
            payee_issuer=ids.INSTITUTION,
            payee_account=reserve.account,
            payee_name=reserve.name,
            payee_account_type=RESERVE_ACCOUNT,
            reserve_bank=reserve.bank,
            reserve_account=reserve.account,
            reserve_name=reserve.name,
            trx_id=ids.trx_id(order.order_id, "pay"),
            at_ms=self._at_ms(order.at_ms),
            amount=order.amount,
            category=PAY_CATEGORY,
            business_type=BUSINESS_TYPE,
            order_id=order.order_id,
            batch=self._batch(),
        )
        return _sure(await self._told("201", message, order.order_id, message.trx_id))

    async def query(self, order: PayOrder) -> ChannelAnswer | None:
        """``ChannelPort.query``: 303."""
        return await self._asked(order.order_id, ids.trx_id(order.order_id, "pay"))

    async def reverse(self, order: PayOrder) -> ChannelAnswer:
        """``ChannelPort.reverse``: 207."""
        message = Reverse(
            trx_id=ids.trx_id(order.order_id, "reverse"),
            at_ms=self._at_ms(order.at_ms),
            category=REVERSAL_CATEGORY,
            original_trx_id=ids.trx_id(order.order_id, "pay"),
            original_order_id=order.order_id,
            batch=self._batch(),
        )
        said = _sure(await self._told("207", message, order.order_id, message.trx_id))
        if said.state == "succeeded":
            raise OperatingError("internal", "a reversal is reversed or refused")
        return said

    async def refund(self, order: RefundOrder) -> ChannelAnswer:
        """``ChannelPort.refund``: 205."""
        message = Refund(
            trx_id=ids.trx_id(order.refund_id, "refund"),
            at_ms=self._at_ms(order.at_ms),
            amount=order.amount,
            category=REFUND_CATEGORY,
            original_trx_id=_original(order),
            original_order_id=order.order_id,
            order_id=order.refund_id,
            batch=self._batch(),
        )
        return _one_way(await self._told("205", message, order.refund_id, message.trx_id))

    async def find(self, order: RefundOrder) -> ChannelAnswer | None:
        """``ChannelPort.find``: 303, whatever id of ours the clearing house has with the number."""
        return await self._asked("", _original(order))

    async def query_refund(self, order: RefundOrder) -> ChannelAnswer | None:
        """``ChannelPort.query_refund``: 303."""
        said = await self._asked(order.refund_id, ids.trx_id(order.refund_id, "refund"))
        return None if said is None else _one_way(said)

    async def payout(self, order: PayoutOrder) -> ChannelAnswer:
        """``ChannelPort.payout``: 211. One that is only accepted is unknown for the present."""
        message = PayOut(
            reserve_bank=self._reserve.bank,
            reserve_account=self._reserve.account,
            payer_issuer=ids.INSTITUTION,
            payee_account_type=DEBIT_CARD,
            payee_bank=self._reserve.payers_bank,
            payee_account=order.token,
            payee_name=order.holder,
            trx_id=ids.trx_id(order.payout_id, "payout"),
            at_ms=self._at_ms(order.at_ms),
            amount=order.amount,
            category=PAYOUT_CATEGORY,
            order_id=order.payout_id,
            batch=self._batch(),
        )
        return _one_way(await self._told("211", message, order.payout_id, message.trx_id))

    async def query_payout(self, order: PayoutOrder) -> ChannelAnswer | None:
        """``ChannelPort.query_payout``: 303."""
        said = await self._asked(order.payout_id, ids.trx_id(order.payout_id, "payout"))
        return None if said is None else _one_way(said)

    async def settle(self, day: date) -> None:
        """``DayPort.settle``: the clearing house closes a day by itself; this only hastens it."""
        await self._ask("333", AskDay(day=day), NetPosition)

    async def day_file(self, day: date) -> DayFile:
        """``DayPort.day_file``: 341."""
        request, headers = self._signed("341", AskDay(day=day))
        spool = await self._line.ask_file(frame.PATH, request, headers)
        return await asyncio.to_thread(open_day, spool, day=day, key=self._peer)

    async def verify_account(self, asked: VerifyAccount) -> bool:
        """101: whether the payer's bank has the account; then it sends the payer a code."""
        said = await self._ask("101", asked, AgreementAnswer)
        return said.business_code == BUSINESS_OK

    async def sign_agreement(self, asked: SignAgreement) -> str | None:
        """103: the agreement's number, which is a token for ``pay``; None for a wrong code."""
        said = await self._ask("103", asked, AgreementAnswer)
        return said.agreement if said.business_code == BUSINESS_OK else None

    async def send_code(self, own_id: str, *, account: str, name: str, phone: str) -> bool:
        """``AgreementPort.send_code``: 101."""
        return await self.verify_account(
            VerifyAccount(
                payer_bank=self._reserve.payers_bank,
                payer_account_type=DEBIT_CARD,
                payer_account=account,
                payer_name=name,
                phone=phone,
                trx_id=ids.trx_id(own_id, "verify"),
                at_ms=self._clock.now_ms(),
            )
        )

    async def agree(self, own_id: str, *, code: str) -> str | None:
        """``AgreementPort.agree``: 103."""
        return await self.sign_agreement(
            SignAgreement(
                payer_bank=self._reserve.payers_bank,
                trx_id=ids.trx_id(own_id, "sign"),
                at_ms=self._clock.now_ms(),
                verification_trx_id=ids.trx_id(own_id, "verify"),
                code=code,
            )
        )

    async def batch_totals(self, batch: str) -> BatchTotals:
        """321: what the clearing house has in a batch of ours."""
        return await self._ask("321", AskBatch(batch=batch), BatchTotals)

    async def positions(self, day: date) -> NetPosition:
        """331: every member's net of a day; ``file_rejected`` unless it sums to zero."""
        said = await self._ask("331", AskDay(day=day), NetPosition)
        rest = sum((row.net for row in said.members), start=Money(0, "CNY"))
        if said.day != day or rest.amount_minor:
            raise CallerError("file_rejected", "net position: another day, or a sum beside zero")
        return said

    async def net_position(self, day: date) -> int | None:
        """Our own net of a day; None while it is not fixed."""
        said = await self.positions(day)
        if said.business_code != BUSINESS_OK:
            return None
        ours = (row.net.amount_minor for row in said.members if row.issuer == ids.INSTITUTION)
        return sum(ours)

    async def disputes(self, day: date) -> tuple[DisputeRow, ...]:
        """323: a day's disputes; ``file_rejected`` unless count and sum are right."""
        said = await self._ask("323", AskDay(day=day), DisputeBatch)
        total = sum((row.amount for row in said.rows), start=Money(0, "CNY"))
        is_good = (said.count, said.total) == (len(said.rows), total)
        if not is_good or ids.batch_day(said.batch) != day:
            raise CallerError("file_rejected", "disputes: another day, count or sum")
        return said.rows

    async def _asked(self, own_id: str, trx_id: str) -> ChannelAnswer | None:
        return await self._told("303", Query(original_trx_id=trx_id), own_id, trx_id)

    async def _told(
        self, number: str, message: Message, own_id: str, trx_id: str
    ) -> ChannelAnswer | None:
        """The word on a transaction; None if it was never seen. ``own_id`` may be anybody's where
        it is empty."""
        said = await self._ask(number, message, TrxAnswer)
        if said.trx_id != trx_id:
            raise OperatingError("internal", "an answer about another transaction")
        if said.business_code == BUSINESS_UNKNOWN_TRX and not said.order_id:
            return None
        state = _STATES.get(said.status)
        if state is None or said.order_id != (own_id or said.order_id):
            raise OperatingError("internal", f"TrxStatus {said.status} says nothing")
        reason = said.business_text[:ANSWER_TEXT_CHARS_MAX]
        return ChannelAnswer(
            said.order_id, state, reason, said.trx_id, said.settlement_day.isoformat()
        )

    async def _ask(self, number: str, message: Message, wanted: type[_Answer]) -> _Answer:
        request, headers = self._signed(number, message)
        answer = await self._line.ask(frame.PATH, request, headers)
        key_of = frame.only(ids.CLEARING_HOUSE, self._peer)
        try:
            header, said = frame.read(answer, key_of=key_of, key=self._key)
        except CallerError as error:
            raise OperatingError("timeout", f"{number}: {error.code} {error.detail}") from error
        digest = getattr(said, "request_digest", "")
        if header.direction != TO_INSTITUTION or digest != frame.digest(request):
            raise OperatingError("timeout", f"{number}: the answer to another request")
        if not isinstance(said, wanted) or said.system_code != SYSTEM_OK:
            code = getattr(said, "system_code", "")
            raise OperatingError("internal", f"{number}: system code {code}")
        return said

    def _signed(self, number: str, message: Message) -> tuple[bytes, dict[str, str]]:
        header = Header(self._clock.now_ms(), number, ids.INSTITUTION, FROM_INSTITUTION)
        request = frame.write(header, message, key=self._key, receiver=self._peer)
        return request, frame.http_headers(header)

    def _batch(self) -> str:
        """The batch we expect; the answer says in which one it is."""
        return ids.batch_id(ids.china_day(self._clock.now_ms()))

    def _at_ms(self, planned_ms: int) -> int:
        return planned_ms or self._clock.now_ms()


def _original(order: RefundOrder) -> str:
    """The number of the transaction that is given back."""
    if order.is_by_reference:
        return ids.check_trx_id(order.order_reference)
    return ids.trx_id(order.order_id, "pay")


def _sure(said: ChannelAnswer | None) -> ChannelAnswer:
    if said is None:
        raise OperatingError("internal", "the clearing house knows nothing of it")
    return said


def _one_way(said: ChannelAnswer | None) -> ChannelAnswer:
    """A refund or a pay-out is never reversed."""
    sure = _sure(said)
    if sure.state == "reversed":
        raise OperatingError("internal", "reversed says nothing of it")
    return sure


def open_day(spool: Spool, *, day: date, key: VerifyKey) -> DayFile:
    """The clearing house's list of our day, verified whole; a spool that is refused is closed."""
    try:
        lines = (line for _, line in spool.lines())
        count = day_text.check(lines, day=day, issuer=ids.INSTITUTION, key=key)
    except BaseException:
        spool.close()
        raise
    return DayFile(spool, day=day, count=count, read=_rows)


def _rows(spool: Spool) -> Iterator[DayRow]:
    for line in day_text.rows(line for _, line in spool.lines()):
        own_id, kind = line.own_id, line.kind
        if kind == "chargeback":
            own_id = ids.dispute_id(own_id)
        if kind == "payment" and own_id.startswith(_TOPUP):
            kind = "topup"
        # Its cost is billed for the day as a whole: the fee of a row says nothing.
        yield DayRow(
            kind, own_id, line.account, line.amount,
            channel_reference=line.trx_id, settlement_date=line.settlement_day,
        )  # fmt: skip
