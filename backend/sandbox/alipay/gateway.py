"""What the gateway answers: the request checked in the order of the real one, then its method.

Rule 1: nothing happens before the seller's signature held.
Rule 2: a buyer is told masked; a pay code is never told.
"""

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key

from backend.channels.alipay.certificates import number_of
from backend.channels.alipay.wire import holds, sign_text, yuan
from backend.sandbox.alipay import wire
from backend.sandbox.alipay.authority import Authority
from backend.sandbox.alipay.days import Days, Tickets
from backend.sandbox.alipay.limits import (
    NUMBER_CHARS_MAX,
    RSA_BITS,
    SUBJECT_CHARS_MAX,
    URL_CHARS_MAX,
)
from backend.sandbox.alipay.notices import Notices
from backend.sandbox.alipay.trades import PAID, Tell, Trade, Trades, seller
from backend.sandbox.alipay.wire import Fields, GatewayError, minor, said
from backend.sandbox.institution.house import House
from backend.sandbox.institution.own_clock import china_day
from protocol.errors import CallerError

_REQUIRED = ("method", "app_id", "sign_type", "sign", "timestamp", "version", "biz_content")
_BILL = "alipay.data.dataservice.bill.downloadurl.query"
_NOTIFY = "notify_url"
"""A parameter beside the content, and handed on with it."""
_CHINA = timedelta(hours=8)
_TIMESTAMP = "%Y-%m-%d %H:%M:%S"
_NUMBER = re.compile(rf"[A-Za-z0-9_-]{{1,{NUMBER_CHARS_MAX}}}", re.ASCII)


class Gateway:
    """One gateway in its house. ``key`` signs its answers."""

    def __init__(
        self,
        house: House,
        trades: Trades,
        key: RSAPrivateKey,
        days: Days,
        tickets: Tickets,
        authority: Authority,
    ) -> None:
        self.house = house
        self.trades = trades
        trades.booked = lambda _now_ms: house.booking_ms()
        self.days = days
        self._key = key
        self.authority = authority
        self.tickets = tickets
        self._methods: dict[str, Callable[[str, Fields, int], Fields]] = {
            "alipay.trade.pay": self._pay,
            "alipay.trade.precreate": self._precreate,
            "alipay.trade.query": self._query,
            "alipay.trade.cancel": self._cancel,
            "alipay.trade.close": self._close,
            "alipay.trade.refund": self._refund,
            "alipay.trade.fastpay.refund.query": self._refund_query,
            _BILL: self._bill,
            "alipay.open.app.alipaycert.download": self._certificate,
        }

    @property
    def public_key(self) -> RSAPublicKey:
        """Whose signature the answers bear."""
        return self._key.public_key()

    def add_app(self, app_id: str, public_key: bytes, *, with_certificate: bool = False) -> bytes:
        """Let a seller's application sign with a key (DER); another key takes its place. In
        certificate mode it gets the certificate (PEM) that it must name; else nothing."""
        key = _read_key(public_key)
        self.house.books.open_own_account(seller(app_id))
        made = self.authority.issue(app_id, key) if with_certificate else None
        self.house.books.db.execute(
            "INSERT INTO alipay_app VALUES (?1, ?2, ?3)"
            " ON CONFLICT (app_id) DO UPDATE SET public_key = ?2, cert_sn = ?3",
            (app_id, public_key, "" if made is None else number_of(made)),
        )
        return b"" if made is None else made.public_bytes(Encoding.PEM)

    def answer(self, query: bytes, body: bytes) -> bytes:
        """The signed answer to a request, whatever it is."""
        method, parameters = "", dict[str, str]()
        try:
            parameters = wire.read_parameters(query, body)
            wanted = parameters.get("method", "")
            method = wanted if wanted in self._methods else ""
            content = self._checked(parameters)
            now_ms = self.house.clock.now_ms()
            content[_NOTIFY] = _address(parameters.get(_NOTIFY, ""))
            fields = self._methods[method](parameters["app_id"], content, now_ms)
            if self.house.faults.strikes("unknown_status"):
                raise GatewayError("20000", "isp.unknow-error")
        except GatewayError as error:
            fields = wire.refused(error)
        by = self.authority.numbers.alipay if parameters.get("app_cert_sn") else ""
        return wire.signed_answer(self._key, method, fields, certificate=by)

    def _checked(self, parameters: dict[str, str]) -> Fields:
        """The content of a request whose signature holds."""
        for name in _REQUIRED:
            if not parameters.get(name):
                raise GatewayError("40001", f"isv.missing-{name.replace('_', '-')}")
        if parameters["method"] not in self._methods:
            raise GatewayError("40002", "isv.invalid-method")
        if parameters["sign_type"] != "RSA2":
            raise GatewayError("40002", "isv.invalid-signature-type")
        if parameters.get("charset", "utf-8").lower() != "utf-8":
            raise GatewayError("40002", "isv.invalid-charset")
        if parameters.get("format", "JSON").upper() != "JSON":
            raise GatewayError("40002", "isv.invalid-format")
        key = self._key_of(parameters)
        text = sign_text(parameters)
        if not holds(key, text, parameters["sign"]):
            raise GatewayError("40002", "isv.invalid-signature")
        try:
            datetime.strptime(parameters["timestamp"], _TIMESTAMP).replace(tzinfo=UTC)
            content = json.loads(parameters["biz_content"])
        except (ValueError, RecursionError):
            raise GatewayError("40002", "isv.invalid-parameter") from None
        if not isinstance(content, dict):
            raise GatewayError("40002", "isv.invalid-parameter")
        return content

    def _key_of(self, parameters: dict[str, str]) -> RSAPublicKey:
        """Whose signature a request must bear; in certificate mode it names both certificates."""
        row = self.house.books.db.execute(
            "SELECT public_key, cert_sn FROM alipay_app WHERE app_id = ?", (parameters["app_id"],)
        ).fetchone()
        if row is None:
            raise GatewayError("40002", "isv.invalid-app-id")
        public_key, cert_sn = row
        if cert_sn and parameters.get("app_cert_sn") != cert_sn:
            raise GatewayError("40002", "isv.invalid-app-cert-sn")
        root = self.authority.numbers.root
        if cert_sn and parameters.get("alipay_root_cert_sn") != root:
            raise GatewayError("40002", "isv.invalid-alipay-root-cert-sn")
        return _read_key(public_key)

    def _pay(self, app_id: str, content: Fields, now_ms: int) -> Fields:
        if content.get("scene") != "bar_code":
            raise GatewayError("40004", "ACQ.INVALID_PARAMETER")
        _check_subject(content)
        number, amount = _number(content, "out_trade_no"), minor(content.get("total_amount"))
        code = content.get("auth_code")
        if not isinstance(code, str):
            raise GatewayError("40004", "ACQ.INVALID_PARAMETER")
        notify_url = str(content[_NOTIFY])
        trade = self.trades.pay(app_id, number, amount, code, now_ms, notify_url=notify_url)
        if trade.status != PAID:
            return said("10003", **_named(trade), buyer_logon_id=_masked(trade.buyer))
        return said("10000", **_named(trade), **_paid(trade), gmt_payment=_time(trade.paid_at_ms))

    def _precreate(self, app_id: str, content: Fields, now_ms: int) -> Fields:
        _check_subject(content)
        number, amount = _number(content, "out_trade_no"), minor(content.get("total_amount"))
        notify_url = str(content[_NOTIFY])
        trade = self.trades.offer(app_id, number, amount, now_ms, notify_url=notify_url)
        return said("10000", out_trade_no=trade.out_trade_no, qr_code=trade.qr_code)

    def _query(self, app_id: str, content: Fields, now_ms: int) -> Fields:
        trade = self._trade(app_id, content, now_ms)
        paid = _paid(trade) if trade.paid_at_ms else {"total_amount": yuan(trade.amount_minor)}
        if trade.paid_at_ms:
            paid["send_pay_date"] = _time(trade.paid_at_ms)
        return said("10000", **_named(trade), trade_status=trade.status, **paid)

    def _cancel(self, app_id: str, content: Fields, now_ms: int) -> Fields:
        name = "out_trade_no" if content.get("out_trade_no") else "trade_no"
        number = _number(content, name)
        if name == "trade_no" and self.trades.find(app_id, number, now_ms) is None:
            raise GatewayError("40004", "ACQ.TRADE_NOT_EXIST")
        trade = self.trades.cancel(app_id, number, now_ms)
        action = {"action": trade.cancel_action} if trade.cancel_action else {}
        return said("10000", **_named(trade), retry_flag="N", **action)

    def _close(self, app_id: str, content: Fields, now_ms: int) -> Fields:
        trade = self._trade(app_id, content, now_ms)
        self.trades.close(trade)
        return said("10000", **_named(trade))

    def _refund(self, app_id: str, content: Fields, now_ms: int) -> Fields:
        trade = self._trade(app_id, content, now_ms)
        amount = minor(content.get("refund_amount"))
        if "out_request_no" not in content and amount != trade.amount_minor:
            raise GatewayError("40004", "ACQ.INVALID_PARAMETER")
        request = _number({"no": content.get("out_request_no", trade.out_trade_no)}, "no")
        has_moved = self.trades.refund(trade, request, amount, now_ms)
        return said(
            "10000",
            **_named(trade),
            buyer_logon_id=_masked(trade.buyer),
            fund_change="Y" if has_moved else "N",
            refund_fee=yuan(self.trades.refunded(trade)),
        )

    def _refund_query(self, app_id: str, content: Fields, now_ms: int) -> Fields:
        trade = self._trade(app_id, content, now_ms)
        request = _number(content, "out_request_no")
        known = self.trades.refund_of(trade, request)
        if known is None:
            return said("10000")  # the documents: no refund, no word of one
        amount, made_at_ms = known
        options = content.get("query_options")
        is_time_asked = isinstance(options, list) and "gmt_refund_pay" in options
        return said(
            "10000",
            **_named(trade),
            out_request_no=request,
            total_amount=yuan(trade.amount_minor),
            refund_amount=yuan(amount),
            refund_status="REFUND_SUCCESS",
            **({"gmt_refund_pay": _time(made_at_ms)} if is_time_asked else {}),
        )

    def _bill(self, app_id: str, content: Fields, now_ms: int) -> Fields:
        """Where the trade bill of a day that is over is fetched."""
        if content.get("bill_type") != "trade":
            raise GatewayError("40004", "isv.invalid-arguments")
        try:
            day = date.fromisoformat(str(content.get("bill_date")))
        except ValueError:
            raise GatewayError("40004", "isv.invalid-arguments") from None
        if day >= china_day(now_ms):
            raise GatewayError("40004", "isp.bill_not_exist")
        return said("10000", bill_download_url=self.tickets.address(app_id, day))

    def _certificate(self, app_id: str, content: Fields, now_ms: int) -> Fields:  # noqa: ARG002  # one shape
        """Our own certificate, by its number."""
        if content.get("alipay_cert_sn") != self.authority.numbers.alipay:
            raise GatewayError("40004", "isv.invalid-arguments")
        pem = self.authority.certificate.public_bytes(Encoding.PEM)
        return said("10000", alipay_cert_content=base64.b64encode(pem).decode())

    def _trade(self, app_id: str, content: Fields, now_ms: int) -> Trade:
        """The trade that is named; by Alipay's number where both stand."""
        name = "trade_no" if content.get("trade_no") else "out_trade_no"
        trade = self.trades.find(app_id, _number(content, name), now_ms)
        if trade is None:
            raise GatewayError("40004", "ACQ.TRADE_NOT_EXIST")
        return trade


def _read_key(public_key: bytes) -> RSAPublicKey:
    try:
        key = load_der_public_key(public_key)
    except ValueError:
        raise CallerError("field_invalid", "public_key") from None
    if not isinstance(key, RSAPublicKey) or key.key_size < RSA_BITS:
        raise CallerError("field_invalid", "public_key: RSA of 2048 bits")
    return key


def _address(text: str) -> str:
    """Where a seller wants to be told; empty: nowhere."""
    if text and (len(text) > URL_CHARS_MAX or not text.startswith(("http://", "https://"))):
        raise GatewayError("40002", "isv.invalid-parameter")
    return text


def notice_of(trades: Trades, notices: Notices) -> Tell:
    """What a seller is told of a trade, as the gateway names it."""

    def tell(trade: Trade, request: str, now_ms: int) -> None:
        amount = yuan(trade.amount_minor)
        told = {
            "trade_no": trade.trade_no,
            "out_trade_no": trade.out_trade_no,
            "buyer_logon_id": _masked(trade.buyer),
            "trade_status": trade.status,
            "total_amount": amount,
            "receipt_amount": amount,
            "buyer_pay_amount": amount,
            "gmt_create": _time(trade.made_at_ms),
            "gmt_payment": _time(trade.paid_at_ms),
        }
        if request:
            told |= {
                "out_biz_no": request,
                "refund_fee": yuan(trades.refunded(trade)),
                "gmt_refund": _time(now_ms),
            }
        notices.add(trade.notify_url, trade.app_id, told)

    return tell


def _check_subject(content: Fields) -> None:
    subject = content.get("subject")
    if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_CHARS_MAX:
        raise GatewayError("40004", "ACQ.INVALID_PARAMETER")


def _number(content: Fields, name: str) -> str:
    value = content.get(name)
    if not isinstance(value, str) or _NUMBER.fullmatch(value) is None:
        raise GatewayError("40004", "ACQ.INVALID_PARAMETER")
    return value


def _named(trade: Trade) -> Fields:
    return {"trade_no": trade.trade_no, "out_trade_no": trade.out_trade_no}


def _paid(trade: Trade) -> Fields:
    amount = yuan(trade.amount_minor)
    return {
        "buyer_logon_id": _masked(trade.buyer),
        "total_amount": amount,
        "receipt_amount": amount,
        "buyer_pay_amount": amount,
        "fund_bill_list": [{"amount": amount, "fund_channel": "ALIPAYACCOUNT"}],
    }


def _masked(buyer: str) -> str:
    """``159****5620``, ``csq***@sandbox.com``: as the real one shows a buyer."""
    name, at, place = buyer.partition("@")
    return f"{name[:3]}***{at}{place}" if at else f"{name[:3]}****{name[-4:]}"


def _time(at_ms: int) -> str:
    return (datetime.fromtimestamp(at_ms / 1000, UTC) + _CHINA).strftime(_TIMESTAMP)
