"""The adapter to UnionPay: ``ChannelPort`` in ISO 8583, as one POS terminal of ours.

Rule 1: an order's trace (batch, STAN, date) is stored before its message is sent, and kept: told
        again after a crash it is the same transaction, and the switch repeats its first answer.
Rule 2: this flavour has no question about an order: what is unknown is reversed, and a refund is
        sent again.
Rule 3: an answer counts only with a true MAC. A0, which has none, only makes us sign on again.
Rule 4: working keys live in memory; a new process signs on anew.
"""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Protocol

from backend.channels import unionpay_codes
from backend.channels.day_file import DayFile
from backend.channels.facts import DEFAULT_FACTS, ChannelFacts
from backend.channels.iso8583 import management
from backend.channels.iso8583.codec import Message, encode
from backend.channels.iso8583.crypto import unwrap_keys
from backend.channels.iso8583.dates import resolve_day
from backend.channels.iso8583.limits import UPLOADS_PER_MESSAGE_MAX
from backend.channels.iso8583.messages import (
    Answer,
    Kind,
    Original,
    Reason,
    Trace,
    Transaction,
    read_answer,
    write_transaction,
)
from backend.channels.iso8583.sealing import check_seal, seal
from backend.channels.limits import EXCHANGE_TIMEOUT_S
from backend.channels.model import (
    CUP,
    ChannelAnswer,
    ChannelState,
    PayOrder,
    PayoutOrder,
    RefundOrder,
)
from backend.channels.ports import NotSentError
from backend.channels.unionpay_line import Line
from backend.channels.unionpay_ports import KeptTrace, TraceStore, TraceWish, TraceWord
from protocol.clock import CHINA, Clock
from protocol.errors import CallerError, OperatingError

_APPROVED, _UNBALANCED = "00", "2"
_STATES: dict[str, ChannelState] = {
    "done": "succeeded", "refused": "refused", "reversed": "reversed"
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TerminalKey:
    """The key under which the switch wraps this terminal's working keys."""

    master: bytes = field(repr=False)


class DayFiles(Protocol):
    """Where the switch lays its day files."""

    async def fetch(self, day: date) -> DayFile:
        """A day's file, verified whole."""
        ...


class UnionPay:
    """``ChannelPort`` over a line. Close it when done."""

    def __init__(
        self,
        *,
        line: Line,
        traces: TraceStore,
        key: TerminalKey,
        clock: Clock,
        files: DayFiles,
        facts: ChannelFacts = DEFAULT_FACTS[CUP],
    ) -> None:
        self.facts = facts
        self._line = line
        self._traces = traces
        self._key = key
        self._clock = clock
        self._files = files
        self._mac_key: bytes | None = None
        self._signing_on = asyncio.Lock()

    async def close(self) -> None:
        """End the line."""
        await self._line.close()

    async def pay(self, order: PayOrder) -> ChannelAnswer:
        """``ChannelPort.pay``."""
        kept = await self._taken(order)
        try:
            answer = await self._told(kept, _transaction(kept))
        except NotSentError as error:
            if kept.is_new:
                raise
            # An earlier try may have left us.
            raise OperatingError("timeout", error.detail) from error
        return self._answer(kept, answer)

    async def query(self, order: PayOrder) -> ChannelAnswer | None:
        """``ChannelPort.query``: not offered."""
        raise CallerError("channel_unavailable", f"no query: {order.order_id}")

    async def reverse(self, order: PayOrder) -> ChannelAnswer:
        """``ChannelPort.reverse``: the original once more, as 0400."""
        kept = await self._taken(order)
        reversal = replace(_transaction(kept), reason=Reason.NO_ANSWER)
        answer = await self._ask_sealed(write_transaction(reversal))
        match unionpay_codes.outcome(answer.code):
            case "done":
                state: ChannelState = "reversed"
            case "refused":
                state = "refused"
            case _:
                raise _unknown(answer)
        if state == "reversed":
            await self._note(kept, answer, counts=False)
        reason = unionpay_codes.reason(answer.code)
        return ChannelAnswer(order.order_id, state, reason, answer.rrn, self._settled_on(answer))

    async def refund(self, order: RefundOrder) -> ChannelAnswer:
        """``ChannelPort.refund``: the original by its trace; what no terminal of ours has sent by
        the switch's retrieval reference number, and no batch."""
        token, original = order.token, _by_number(order)
        if not order.is_by_reference:
            paid = await self._traces.find(order.order_id)
            if paid is None:
                raise OperatingError("internal", "an order that this terminal has not sent")
            trace, rrn = paid.trace, order.order_reference or paid.rrn
            token, original = paid.token, Original(trace.batch, trace.stan, trace.date, rrn)
        wish = TraceWish(
            own_id=order.refund_id,
            kind=Kind.REFUND,
            amount_minor=order.amount.amount_minor,
            token=token,
            at_ms=order.at_ms or self._clock.now_ms(),
        )
        kept = _same(await self._traces.take(wish), wish)
        answer = await self._told(kept, replace(_transaction(kept), original=original))
        return self._answer(kept, answer)

    async def find(self, order: RefundOrder) -> ChannelAnswer | None:
        """``ChannelPort.find``: not offered."""
        raise CallerError("channel_unavailable", f"no query: {order.order_reference}")

    async def query_refund(self, order: RefundOrder) -> ChannelAnswer | None:
        """``ChannelPort.query_refund``: not offered."""
        raise CallerError("channel_unavailable", f"no query: {order.refund_id}")

    async def payout(self, order: PayoutOrder) -> ChannelAnswer:
        """``ChannelPort.payout``: not offered."""
        raise CallerError("channel_unavailable", f"no payout: {order.payout_id}")

    async def query_payout(self, order: PayoutOrder) -> ChannelAnswer | None:
        """``ChannelPort.query_payout``: not offered."""
        raise CallerError("channel_unavailable", f"no payout: {order.payout_id}")

    async def settle(self, day: date) -> None:
        """``DayPort.settle``: compare the batches' totals, tell one by one where they differ. The
        switch pays a day's net by itself once the day is over."""
        await self._traces.next_number()  # so that there is a batch, also on a day of nothing
        for number in await self._traces.open_batches():
            await self._settle_batch(number, day)

    async def _settle_batch(self, number: int, day: date) -> None:
        totals, rows = await self._traces.batch(number)
        answer = await self._managed(management.settlement(await self._next(number), totals))
        if self._business_day(answer) <= day:
            raise CallerError("day_not_closed", day.isoformat())
        if answer.balance == _UNBALANCED:
            for start in range(0, len(rows), UPLOADS_PER_MESSAGE_MAX):
                part = rows[start : start + UPLOADS_PER_MESSAGE_MAX]
                await self._managed(management.upload(await self._next(number), part))
            await self._managed(management.upload_end(await self._next(number), len(rows)))
        await self._traces.close_batch(number)

    async def _next(self, batch: int) -> Trace:
        """A number for a message about a batch, which need not be the one in use."""
        return replace(await self._traces.next_number(), batch=batch)

    async def day_file(self, day: date) -> DayFile:
        """``DayPort.day_file``."""
        return await self._files.fetch(day)

    async def echo(self) -> None:
        """Ask for a sign of life; ``OperatingError`` where none comes."""
        await self._managed(management.echo(await self._traces.next_number()))

    async def sign_off(self) -> None:
        """End the session at the switch."""
        await self._managed(management.sign_off(await self._traces.next_number()))
        self._mac_key = None

    async def _taken(self, order: PayOrder) -> KeptTrace:
        wish = TraceWish(
            own_id=order.order_id,
            kind=Kind.SALE,
            amount_minor=order.amount.amount_minor,
            token=order.token,
            at_ms=order.at_ms or self._clock.now_ms(),
        )
        return _same(await self._traces.take(wish), wish)

    async def _told(self, kept: KeptTrace, transaction: Transaction) -> Answer:
        answer = await self._ask_sealed(write_transaction(transaction))
        outcome = unionpay_codes.outcome(answer.code)
        if outcome is None:
            raise _unknown(answer)
        await self._note(kept, answer, counts=outcome == "done")
        return answer

    async def _note(self, kept: KeptTrace, answer: Answer, *, counts: bool) -> None:
        word = TraceWord(
            own_id=kept.own_id,
            code=answer.code,
            rrn=answer.rrn,
            settlement_date=self._settled_on(answer),
            counts=counts,
        )
        await self._traces.note(word)

    async def _managed(self, question: Message) -> Answer:
        answer = await self._ask_sealed(question)
        if answer.code != _APPROVED:
            raise _unknown(answer)
        return answer

    async def _ask_sealed(self, question: Message) -> Answer:
        """The answer with a true MAC; signs on first where there is no session, and once again
        where the switch has forgotten ours."""
        try:
            async with asyncio.timeout(EXCHANGE_TIMEOUT_S):
                return await self._ask_in_session(question)
        except TimeoutError:
            raise OperatingError("timeout", "the switch takes too long") from None

    async def _ask_in_session(self, question: Message) -> Answer:
        key = self._mac_key
        if key is None:
            try:
                key = await self._sign_on(None)
            except OperatingError as error:
                raise NotSentError(f"no session: {error.detail}") from error
        answer = await self._ask_once(question, key)
        if answer is None:
            answer = await self._ask_anew(question, key)
        if answer is None:
            raise OperatingError("timeout", "the switch does not know our MAC")
        return answer

    async def _ask_anew(self, question: Message, key: bytes) -> Answer | None:
        """Sign on for new keys and ask again. The message was sent once already: if this fails, its
        outcome is still unknown."""
        try:
            return await self._ask_once(question, await self._sign_on(key))
        except NotSentError as error:
            raise OperatingError("timeout", error.detail) from error

    async def _ask_once(self, question: Message, key: bytes) -> Answer | None:
        message, body = await self._line.ask(question, seal(question, key))
        if message.fields.get(39) == unionpay_codes.BAD_MAC:
            return None
        try:
            _check_answer(message, body, (key, self._mac_key or key))
            return read_answer(message)
        except CallerError as error:
            raise OperatingError("timeout", f"an answer that counts for nothing: {error}") from None

    async def _sign_on(self, known: bytes | None) -> bytes:
        """The session's MAC key: a newer one than ``known``, from somebody else or from now."""
        async with self._signing_on:
            if self._mac_key is not None and self._mac_key != known:
                return self._mac_key
            question = management.sign_on(await self._traces.next_number())
            message, _ = await self._line.ask(question, encode(question))
            try:
                answer = read_answer(message)
                if answer.code != _APPROVED:
                    raise _unknown(answer)
                self._mac_key = unwrap_keys(self._key.master, answer.keys).mac
            except CallerError as error:
                raise OperatingError("timeout", f"sign-on: {error}") from None
            return self._mac_key

    def _answer(self, kept: KeptTrace, answer: Answer) -> ChannelAnswer:
        outcome = unionpay_codes.outcome(answer.code)
        assert outcome is not None
        reason = unionpay_codes.reason(answer.code)
        settled_on = self._settled_on(answer)
        return ChannelAnswer(kept.own_id, _STATES[outcome], reason, answer.rrn, settled_on)

    def _settled_on(self, answer: Answer) -> str:
        return self._business_day(answer).isoformat()

    def _business_day(self, answer: Answer) -> date:
        now = datetime.fromtimestamp(self._clock.now_ms() // 1000, UTC)
        day = resolve_day(answer.settlement_date, now.astimezone(CHINA).date())
        if day is None:
            raise OperatingError("timeout", "an answer without a settlement date")
        return day


def _check_answer(message: Message, body: bytes, keys: tuple[bytes, bytes]) -> None:
    """True under the key of the question, or under one that came in the meantime."""
    try:
        check_seal(message, body, keys[0])
    except CallerError:
        check_seal(message, body, keys[1])


def _transaction(kept: KeptTrace) -> Transaction:
    return Transaction(
        kind=kept.kind,
        trace=kept.trace,
        amount_minor=kept.amount_minor,
        own_id=kept.own_id,
        token=kept.token,
    )


def _by_number(order: RefundOrder) -> Original:
    """The original in fields 37 and 61 where only the switch's number and day are known."""
    month_day = order.order_settlement_date[5:].replace("-", "")
    return Original(0, 0, month_day, order.order_reference)


def _same(kept: KeptTrace, wish: TraceWish) -> KeptTrace:
    said = (wish.kind, wish.amount_minor, wish.token)
    if (kept.kind, kept.amount_minor, kept.token) != said:
        raise OperatingError("idempotency_conflict", kept.own_id)
    return kept


def _unknown(answer: Answer) -> OperatingError:
    return OperatingError("timeout", f"the switch says {answer.code}")
