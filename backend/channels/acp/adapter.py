"""The adapter to UnionPay's QR gateway: ``ChannelPort`` for payers whose code a till scanned.

Rule 1: a transaction's number and time are computed from our id and from when it was planned, so
        that a retry, a query and a reversal name the same whatever was forgotten in between.
Rule 2: an answer counts only under a certificate of the known root. Only a code that is documented
        as final is one; any other is nobody's word, and asked about.
Rule 3: what the gateway calls a duplicate is asked about, and counts only with the same amount.
Rule 4: a reversal is taken until its payment's day is settled; after that a refund is wanted.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from backend.channels.acp import codes, wire
from backend.channels.acp.day_file import open_zm_file
from backend.channels.acp.limits import ANSWER_BYTES_MAX, ORDER_ID_CHARS_MAX
from backend.channels.acp.wire import Form
from backend.channels.day_file import DayFile
from backend.channels.days import channel_day
from backend.channels.facts import DEFAULT_FACTS, ChannelFacts
from backend.channels.http_line import HttpLine, is_address
from backend.channels.iso8583.dates import resolve_day
from backend.channels.model import (
    CUP_QR,
    ChannelAnswer,
    ChannelState,
    OpenCode,
    PayOrder,
    PayoutOrder,
    RefundOrder,
)
from protocol.clock import CHINA, Clock
from protocol.errors import CallerError, OperatingError

TRANSACT, QUERY, FILES = "/gateway/api/backTransReq.do", "/gateway/api/queryTrans.do", "/"
_TIME = "%Y%m%d%H%M%S"
CUT_OFF_MINUTE = 23 * 60
"""Of China's day, where the gateway's ends."""
_NO_NOTICE = "http://www.specialUrl.com"
"""``backUrl`` of a merchant that wants no notification, as the documents have it."""
_ID_CHARS = 26
_QUERY_ID = re.compile(r"\d{21}", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class Merchant:
    """We as the gateway knows us: our number and terminal, the key that signs with its
    certificate's number, and the root of the gateway's certificates."""

    mer_id: str
    term_id: str
    cert_id: str
    key: RSAPrivateKey = field(repr=False)
    root: x509.Certificate


class UnionPayQr:
    """``ChannelPort`` to the gateway. Close it when done."""

    def __init__(
        self,
        *,
        find: Callable[[], str],
        find_files: Callable[[], str],
        merchant: Merchant,
        clock: Clock,
        open_code: OpenCode,
        facts: ChannelFacts = DEFAULT_FACTS[CUP_QR],
    ) -> None:
        self.facts = facts
        self._line = HttpLine(find, answer_bytes_max=ANSWER_BYTES_MAX)
        self._files = HttpLine(find_files, answer_bytes_max=ANSWER_BYTES_MAX)
        self._merchant = merchant
        self._clock = clock
        self._open_code = open_code

    async def close(self) -> None:
        """Close the connections."""
        await self._line.close()
        await self._files.close()

    async def pay(self, order: PayOrder) -> ChannelAnswer:
        """``ChannelPort.pay``: 01/06; without a token 01/07, whose code is told once."""
        if not order.token:
            return await self._show(order)
        said = await self._ask(
            "0106",
            order.order_id,
            order.at_ms,
            txnAmt=str(order.amount.amount_minor),
            currencyCode="156",
            qrNo=self._open_code(order.order_id, order.token),
            termId=self._merchant.term_id,
            backUrl=_NO_NOTICE,
        )
        code = said["respCode"]
        if code == codes.DUPLICATE:
            found = await self.query(order)
            if found is not None:
                return found
        return self._answer(order.order_id, code, said)

    async def _show(self, order: PayOrder) -> ChannelAnswer:
        said = await self._ask(
            "0107", order.order_id, order.at_ms, txnAmt=str(order.amount.amount_minor),
            currencyCode="156", termId=self._merchant.term_id, backUrl=_NO_NOTICE,
        )  # fmt: skip
        code = said.get("qrCode", "")
        if said["respCode"] == codes.DONE and is_address(code):
            return ChannelAnswer(order.order_id, "waiting", "", "", "", shown_code=code)
        if said["respCode"] == codes.DUPLICATE:
            found = await self.query(order)
            if found is not None:
                return found
        raise _unknown(said)

    async def query(self, order: PayOrder) -> ChannelAnswer | None:
        """``ChannelPort.query``: 00/00."""
        return await self._query(order.order_id, order.at_ms, order.amount.amount_minor)

    async def reverse(self, order: PayOrder) -> ChannelAnswer:
        """``ChannelPort.reverse``: 99/01."""
        said = await self._ask(
            "9901", order.order_id, order.at_ms, txnAmt=str(order.amount.amount_minor),
            currencyCode="156", backUrl=_NO_NOTICE,
        )  # fmt: skip
        if said["respCode"] == codes.DONE:
            return ChannelAnswer(order.order_id, "reversed", "", _reference(said), "")
        if said["respCode"] == codes.OVER:
            found = await self.query(order)
            if found is not None and found.settlement_date:
                why, day = codes.reason(codes.OVER), found.settlement_date
                return ChannelAnswer(order.order_id, "refused", why, found.reference, day)
        raise _unknown(said)

    async def refund(self, order: RefundOrder) -> ChannelAnswer:
        """``ChannelPort.refund``: 04/00, which always names the payment by the gateway's number."""
        said = await self._ask(
            "0400",
            order.refund_id,
            order.at_ms,
            txnAmt=str(order.amount.amount_minor),
            currencyCode="156",
            origQryId=order.order_reference,
            backUrl=_NO_NOTICE,
        )
        code = said["respCode"]
        if code == codes.DUPLICATE:
            found = await self.query_refund(order)
            if found is not None:
                return found
        if code in {codes.NO_SUCH, codes.OVER}:  # of the payment that it names
            return ChannelAnswer(order.refund_id, "refused", codes.reason(code), "", "")
        return self._answer(order.refund_id, code, said)

    async def find(self, order: RefundOrder) -> ChannelAnswer | None:
        """``ChannelPort.find``: not offered; 00/00 asks by our number and time."""
        raise CallerError("channel_unavailable", f"no query: {order.order_reference}")

    async def query_refund(self, order: RefundOrder) -> ChannelAnswer | None:
        """``ChannelPort.query_refund``: 00/00."""
        return await self._query(order.refund_id, order.at_ms, order.amount.amount_minor)

    async def payout(self, order: PayoutOrder) -> ChannelAnswer:
        """``ChannelPort.payout``: not offered."""
        raise CallerError("channel_unavailable", f"no payout: {order.payout_id}")

    async def query_payout(self, order: PayoutOrder) -> ChannelAnswer | None:
        """``ChannelPort.query_payout``: not offered."""
        raise CallerError("channel_unavailable", f"no payout: {order.payout_id}")

    async def settle(self, day: date) -> None:
        """``DayPort.settle``: UnionPay pays a day's net by itself, once the day is over."""
        if channel_day(self._clock.now_ms(), CUT_OFF_MINUTE) <= day:
            raise CallerError("day_not_closed", day.isoformat())

    async def day_file(self, day: date) -> DayFile:
        """``DayPort.day_file``: 76/01."""
        return open_zm_file(await self._file(day), day, own_id)

    async def _file(self, day: date) -> str:
        form = self._form("7601", "", self._clock.now_ms())
        form |= {"settleDate": f"{day:%m%d}", "fileType": "00"}
        said = await self._say(self._files, FILES, form)
        if said["respCode"] == codes.NO_FILE:
            raise CallerError("day_not_closed", day.isoformat())
        if said["respCode"] != codes.DONE:
            raise _unknown(said)
        if said.get("settleDate") != form["settleDate"]:
            raise CallerError("file_rejected", "a file of another day")
        return said.get("fileContent", "")

    async def _query(self, own: str, at_ms: int, amount_minor: int) -> ChannelAnswer | None:
        said = await self._say(self._line, QUERY, self._form("0000", own, at_ms))
        if said["respCode"] == codes.NO_SUCH:
            return None
        if said["respCode"] != codes.DONE:
            raise _unknown(said)
        code = said.get("origRespCode", "")
        if code == codes.DONE and said.get("txnAmt") != str(amount_minor):
            raise OperatingError("internal", "a transaction of this number with another amount")
        return self._answer(own, code, said)

    def _answer(self, own: str, code: str, said: Form) -> ChannelAnswer:
        """What a transaction's code says of it; money that has moved always has its day."""
        state: ChannelState
        if code == codes.DONE:
            near = datetime.fromtimestamp(self._clock.now_ms() // 1000, UTC).astimezone(CHINA)
            day = resolve_day(said.get("settleDate", ""), near.date())
            if day is None or not _reference(said):
                raise OperatingError("internal", "the gateway's answer makes no sense")
            return ChannelAnswer(own, "succeeded", "", _reference(said), day.isoformat())
        if code in codes.ACCEPTED:
            state, why = "waiting", ""
        elif code in codes.REFUSALS:
            state, why = "refused", codes.reason(code)
        else:
            raise _unknown(said)
        return ChannelAnswer(own, state, why, _reference(said), "")

    async def _ask(self, kind: str, own: str, at_ms: int, **more: str) -> Form:
        return await self._say(self._line, TRANSACT, self._form(kind, own, at_ms) | more)

    def _form(self, kind: str, own: str, at_ms: int) -> Form:
        at = datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(CHINA)
        form = {
            "version": "5.1.0",
            "encoding": "UTF-8",
            "signMethod": "01",
            "certId": self._merchant.cert_id,
            "txnType": kind[:2],
            "txnSubType": kind[2:],
            "bizType": "000000",
            "accessType": "0",
            "channelType": "08",
            "merId": self._merchant.mer_id,
            "txnTime": at.strftime(_TIME),
        }
        return form | ({"orderId": number_of(own)} if own else {})

    async def _say(self, line: HttpLine, path: str, form: Form) -> Form:
        content = await line.ask(path, wire.signed(self._merchant.key, form))
        return wire.read_answer(
            self._merchant.root, content, asked=form, now_ms=self._clock.now_ms()
        )


def number_of(own_id: str) -> str:
    """The order's number there of an id of ours: letters and digits only. ``pay_…`` is ``pay…``,
    ``pay_….back2`` is ``pay…B2``."""
    number = own_id.replace("_", "", 1).replace(".back", "B")
    assert number.isalnum(), "our ids are letters, digits and these marks"
    assert len(number) <= ORDER_ID_CHARS_MAX
    return number


def own_id(number: str) -> str:
    """The id of ours behind a number; a stranger's number comes back as something that is none."""
    prefix, rest = number[:3], number[3 + _ID_CHARS :]
    return f"{prefix}_{number[3 : 3 + _ID_CHARS]}{rest.replace('B', '.back', 1)}"


def _reference(said: Form) -> str:
    number = said.get("queryId", "")
    return number if _QUERY_ID(number) else ""


def _unknown(said: Form) -> OperatingError:
    return OperatingError("timeout", f"respCode {said['respCode'][:8]}")
