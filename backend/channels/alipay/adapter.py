"""The adapter to Alipay: ``ChannelPort`` for buyers whose code was scanned at a till of ours.

Rule 1: a trade's number is computed from our id, so that a retry, a query and a cancellation name
        the same trade whatever was forgotten in between.
Rule 2: an answer counts only with Alipay's signature over its node. Only a refusal that is
        documented as final is one; any other is nobody's word, and asked about.
Rule 3: an order that is known to be paid or closed (asked for twice) is answered by a query, and
        counts only if it is about the same amount.
Rule 4: Alipay takes a cancellation on the trade's own day only; after it a refund is wanted.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from backend.channels.alipay import wire
from backend.channels.alipay.bill import open_bill
from backend.channels.alipay.certificates import CertificateNumbers
from backend.channels.alipay.codes import (
    CANCEL_TOO_LATE,
    NO_BILL,
    NO_TRADE,
    OVER,
    REFUND_REFUSALS,
    REFUSALS,
)
from backend.channels.alipay.limits import ANSWER_BYTES_MAX, TRADE_LIFE_MINUTES
from backend.channels.day_file import DayFile
from backend.channels.facts import DEFAULT_FACTS, ChannelFacts
from backend.channels.http_line import HttpLine, is_address
from backend.channels.limits import ANSWER_TEXT_CHARS_MAX
from backend.channels.model import (
    ALIPAY,
    ChannelAnswer,
    ChannelState,
    OpenCode,
    PayOrder,
    PayoutOrder,
    RefundOrder,
)
from protocol.clock import CHINA, Clock
from protocol.errors import CallerError, OperatingError

PATH = "/gateway.do"
_TIME = "%Y-%m-%d %H:%M:%S"
_STATES: dict[object, ChannelState] = {
    "TRADE_SUCCESS": "succeeded",
    "TRADE_FINISHED": "succeeded",
    "TRADE_CLOSED": "refused",
    "WAIT_BUYER_PAY": "waiting",
}
Fields = dict[str, object]


@dataclass(frozen=True, slots=True)
class App:
    """Our application there: its number, the key that signs for it, and Alipay's. With ``numbers``
    it is in certificate mode."""

    app_id: str
    key: RSAPrivateKey = field(repr=False)
    peer: RSAPublicKey = field(repr=False)
    numbers: CertificateNumbers | None = None


class Alipay:
    """``ChannelPort`` to the gateway. Close it when done."""

    def __init__(
        self,
        *,
        find: Callable[[], str],
        app: App,
        clock: Clock,
        open_code: OpenCode,
        facts: ChannelFacts = DEFAULT_FACTS[ALIPAY],
    ) -> None:
        self.facts = facts
        self._line = HttpLine(find, answer_bytes_max=ANSWER_BYTES_MAX)
        self._app = app
        self._clock = clock
        self._open_code = open_code

    async def close(self) -> None:
        """Close the connections."""
        await self._line.close()

    async def pay(self, order: PayOrder) -> ChannelAnswer:
        """``ChannelPort.pay``: ``alipay.trade.pay``; without a token ``precreate``."""
        if not order.token:
            return await self._show(order)
        said = await self._ask(
            "alipay.trade.pay",
            {
                "out_trade_no": number_of(order.order_id),
                "scene": "bar_code",
                "auth_code": self._open_code(order.order_id, order.token),
                "subject": order.order_id,
                "total_amount": wire.yuan(order.amount.amount_minor),
                "timeout_express": f"{TRADE_LIFE_MINUTES}m",
            },
        )
        match said["code"]:
            case wire.DONE:
                return _answer(order.order_id, "succeeded", said, said.get("gmt_payment"))
            case wire.WAITS_FOR_BUYER:
                return _answer(order.order_id, "waiting", said, None)
        sub_code = _sub_code(said)
        if sub_code in OVER:
            found = await self.query(order)
            if found is not None:
                return found
        if said["code"] == wire.REFUSED and sub_code in REFUSALS:
            return ChannelAnswer(order.order_id, "refused", sub_code, "", "")
        raise _unknown(said)

    async def _show(self, order: PayOrder) -> ChannelAnswer:
        """The same number has the same code, however often it is asked for."""
        said = await self._ask(
            "alipay.trade.precreate",
            {
                "out_trade_no": number_of(order.order_id),
                "subject": order.order_id,
                "total_amount": wire.yuan(order.amount.amount_minor),
                "timeout_express": f"{TRADE_LIFE_MINUTES}m",
            },
        )
        code = said.get("qr_code")
        if said["code"] == wire.DONE and isinstance(code, str) and is_address(code):
            return ChannelAnswer(order.order_id, "waiting", "", "", "", shown_code=code)
        if _sub_code(said) in OVER:
            found = await self.query(order)
            if found is not None:
                return found
        raise _unknown(said)

    async def query(self, order: PayOrder) -> ChannelAnswer | None:
        """``ChannelPort.query``: ``alipay.trade.query``. A shown code that nobody has scanned yet
        is no trade there, and waits."""
        said = await self._ask("alipay.trade.query", {"out_trade_no": number_of(order.order_id)})
        if _sub_code(said) == NO_TRADE:
            waiting = ChannelAnswer(order.order_id, "waiting", "", "", "")
            return None if order.token else waiting
        state = _STATES.get(said.get("trade_status"))
        if said["code"] != wire.DONE or state is None:
            raise _unknown(said)
        is_paid = state == "succeeded"
        if is_paid and wire.fen(said.get("total_amount")) != order.amount.amount_minor:
            raise OperatingError("internal", "a trade of this number with another amount")
        reason = "TRADE_CLOSED" if state == "refused" else ""
        paid_at = said.get("send_pay_date") if is_paid else None
        return _answer(order.order_id, state, said, paid_at, reason)

    async def reverse(self, order: PayOrder) -> ChannelAnswer:
        """``ChannelPort.reverse``: ``alipay.trade.cancel``."""
        said = await self._ask("alipay.trade.cancel", {"out_trade_no": number_of(order.order_id)})
        if said["code"] == wire.DONE and said.get("retry_flag") == "N":
            return _answer(order.order_id, "reversed", said, None)
        if _sub_code(said) == CANCEL_TOO_LATE:
            found = await self.query(order)
            if found is not None and found.settlement_date:
                return ChannelAnswer(
                    order.order_id, "refused", CANCEL_TOO_LATE, found.reference,
                    found.settlement_date,
                )  # fmt: skip
        raise _unknown(said)

    async def refund(self, order: RefundOrder) -> ChannelAnswer:
        """``ChannelPort.refund``: ``alipay.trade.refund``; whether it moved, a query tells."""
        said = await self._ask(
            "alipay.trade.refund",
            _named(order)
            | {
                "out_request_no": number_of(order.refund_id),
                "refund_amount": wire.yuan(order.amount.amount_minor),
            },
        )
        sub_code = _sub_code(said)
        if said["code"] == wire.REFUSED and sub_code in REFUND_REFUSALS:
            return ChannelAnswer(order.refund_id, "refused", sub_code, "", "")
        if said["code"] != wire.DONE:
            raise _unknown(said)
        found = await self.query_refund(order)
        if found is None:
            raise OperatingError("internal", "a refund that was taken and is not known")
        return found

    async def find(self, order: RefundOrder) -> ChannelAnswer | None:
        """``ChannelPort.find``: ``alipay.trade.query`` by Alipay's own number."""
        said = await self._ask("alipay.trade.query", _named(order))
        if _sub_code(said) == NO_TRADE:
            return None
        state = _STATES.get(said.get("trade_status"))
        if said["code"] != wire.DONE or state is None:
            raise _unknown(said)
        paid_at = said.get("send_pay_date") if state == "succeeded" else None
        return _answer(order.order_id, state, said, paid_at)

    async def query_refund(self, order: RefundOrder) -> ChannelAnswer | None:
        """``ChannelPort.query_refund``: ``alipay.trade.fastpay.refund.query``."""
        said = await self._ask(
            "alipay.trade.fastpay.refund.query",
            _named(order)
            | {
                "out_request_no": number_of(order.refund_id),
                "query_options": ["gmt_refund_pay"],
            },
        )
        if said["code"] != wire.DONE:
            raise _unknown(said)
        if "refund_amount" not in said:
            return None
        if wire.fen(said["refund_amount"]) != order.amount.amount_minor:
            raise OperatingError("internal", "a refund of this number with another amount")
        if said.get("refund_status") != "REFUND_SUCCESS":
            return _answer(order.refund_id, "waiting", said, None)
        return _answer(order.refund_id, "succeeded", said, said.get("gmt_refund_pay"))

    async def payout(self, order: PayoutOrder) -> ChannelAnswer:
        """``ChannelPort.payout``: not offered."""
        raise CallerError("channel_unavailable", f"no payout: {order.payout_id}")

    async def query_payout(self, order: PayoutOrder) -> ChannelAnswer | None:
        """``ChannelPort.query_payout``: not offered."""
        raise CallerError("channel_unavailable", f"no payout: {order.payout_id}")

    async def settle(self, day: date) -> None:
        """``DayPort.settle``: Alipay pays a day's net by itself; its bill says that the day is
        over."""
        await self._bill_address(day)

    async def day_file(self, day: date) -> DayFile:
        """``DayPort.day_file``: the trade bill."""
        file = open_bill(await self._line.fetch(await self._bill_address(day)), own_id)
        if file.day != day:
            file.close()
            raise CallerError("file_rejected", f"the day of {file.day}, not of {day}")
        return file

    async def _bill_address(self, day: date) -> str:
        said = await self._ask(
            "alipay.data.dataservice.bill.downloadurl.query",
            {"bill_type": "trade", "bill_date": day.isoformat()},
        )
        if _sub_code(said) == NO_BILL:
            raise CallerError("day_not_closed", day.isoformat())
        url = said.get("bill_download_url")
        if said["code"] != wire.DONE or not isinstance(url, str):
            raise _unknown(said)
        return url

    async def _ask(self, method: str, asked: Fields) -> Fields:
        at = datetime.fromtimestamp(self._clock.now_ms() // 1000, UTC).astimezone(CHINA)
        form = {
            "app_id": self._app.app_id,
            "method": method,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": at.strftime(_TIME),
            "version": "1.0",
            "biz_content": json.dumps(asked, separators=(",", ":")),
        }
        numbers = self._app.numbers
        if numbers is not None:
            form |= {"app_cert_sn": numbers.app, "alipay_root_cert_sn": numbers.root}
        form["sign"] = wire.signature_of(self._app.key, wire.sign_text(form))
        content = await self._line.ask(PATH, form)
        signed_by = "" if numbers is None else numbers.alipay
        return wire.read_answer(self._app.peer, method, content, certificate=signed_by)


def _named(order: RefundOrder) -> Fields:
    """The trade that a refund is about: by our number, or by Alipay's."""
    if order.is_by_reference:
        return {"trade_no": order.order_reference}
    return {"out_trade_no": number_of(order.order_id)}


def number_of(own_id: str) -> str:
    """The number at Alipay of an id of ours: letters, digits, ``_`` and ``-`` are allowed there."""
    return own_id.replace(".", "-")


def own_id(number: str) -> str:
    """The id of ours behind a number; our ids have no ``-``."""
    return number.replace("-", ".")


def _answer(
    own: str, state: ChannelState, said: Fields, at: object, reason: str = ""
) -> ChannelAnswer:
    """An answer with its business day, which money that has moved always has."""
    number, payer = said.get("trade_no", ""), said.get("buyer_logon_id", "")
    if not isinstance(number, str) or not isinstance(payer, str) or not _is_short(number, payer):
        raise OperatingError("internal", "the gateway's answer makes no sense")
    return ChannelAnswer(
        own, state, reason, number, _day(at) if state == "succeeded" else "", payer
    )


def _day(at: object) -> str:
    try:
        return datetime.strptime(str(at), _TIME).replace(tzinfo=CHINA).date().isoformat()
    except ValueError:
        raise OperatingError("internal", "the gateway says no time of it") from None


def _sub_code(said: Fields) -> str:
    return str(said.get("sub_code", ""))[:ANSWER_TEXT_CHARS_MAX]


def _unknown(said: Fields) -> OperatingError:
    return OperatingError("timeout", f"{said['code']} {_sub_code(said)}")


def _is_short(*texts: str) -> bool:
    """Whether these are words that we can keep."""
    return all(len(text) <= ANSWER_TEXT_CHARS_MAX and text.isprintable() for text in texts)
