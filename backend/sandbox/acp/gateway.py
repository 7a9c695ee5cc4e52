"""What the gateway answers: the form checked, its signature, then its kind of transaction.

Rule 1: nothing happens before the merchant's signature held, under the certificate it names.
Rule 2: ``respCode`` is about the message; what became of a payment is ``origRespCode`` of a query.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from backend.channels.acp.day_file import write_zm_file
from backend.channels.acp.wire import holds, signed
from backend.channels.iso8583.dates import resolve_day
from backend.sandbox.acp import wire
from backend.sandbox.acp.days import Days, business_day
from backend.sandbox.acp.limits import AMOUNT_MINOR_MAX, RSA_BITS
from backend.sandbox.acp.transactions import Order, Transaction, Transactions, merchant
from backend.sandbox.acp.wire import DONE, RefusedError
from backend.sandbox.institution.house import House
from protocol.errors import CallerError

_FIXED = {"version": "5.1.0", "encoding": "UTF-8", "signMethod": "01"}
_SHAPES = {
    "certId": re.compile(r"\d{1,64}", re.ASCII),
    "txnType": re.compile(r"\d{2}", re.ASCII),
    "txnSubType": re.compile(r"\d{2}", re.ASCII),
    "bizType": re.compile(r"\d{6}", re.ASCII),
    "accessType": re.compile(r"\d", re.ASCII),
    "merId": re.compile(r"[A-Za-z0-9]{15}", re.ASCII),
    "orderId": re.compile(r"[A-Za-z0-9]{8,40}", re.ASCII),
    "txnTime": re.compile(r"\d{14}", re.ASCII),
    "signature": re.compile(r".{1,1024}", re.ASCII),
}
_ECHOED = (
    "version", "encoding", "signMethod", "txnType", "txnSubType", "bizType", "accessType", "merId",
    "orderId", "txnTime",
)  # fmt: skip
_WORD = re.compile(r"[A-Za-z0-9.-]{1,40}", re.ASCII)
Form = dict[str, str]
Desk = Literal["transactions", "queries", "files"]


@dataclass(frozen=True, slots=True)
class Seal:
    """With what the gateway signs, and who vouches for it."""

    key: RSAPrivateKey
    certificate: x509.Certificate
    root: x509.Certificate


class Gateway:
    """One gateway in its house."""

    def __init__(self, house: House, transactions: Transactions, seal: Seal, days: Days) -> None:
        self.house = house
        self.transactions = transactions
        transactions.booked = lambda _now_ms: house.booking_ms()
        self.days = days
        self.seal = seal
        self._kinds: dict[tuple[str, str], Callable[[Order, Form, int], Form]] = {
            ("01", "06"): self._pay,
            ("01", "07"): self._offer,
            ("04", "00"): self._refund,
            ("31", "00"): self._void,
            ("99", "01"): self._reverse,
        }

    def add_merchant(self, mer_id: str, certificate: bytes) -> str:
        """Let a merchant sign with a certificate's key (PEM); another takes its place. Returns the
        ``certId`` that its messages name."""
        found = _read_certificate(certificate)
        self.house.books.open_own_account(merchant(mer_id))
        self.house.books.db.execute(
            "INSERT INTO acp_merchant VALUES (?1, ?2)"
            " ON CONFLICT (mer_id) DO UPDATE SET certificate = ?2",
            (mer_id, certificate),
        )
        return str(found.serial_number)

    def answer(self, body: bytes, *, desk: Desk) -> bytes:
        """The signed answer to a message at one of the addresses, whatever it is."""
        form: Form = {}
        try:
            form = wire.read_form(body)
            self._check(form, is_order=desk != "files")
            order = Order(form["merId"], form.get("orderId", ""), form["txnTime"])
            said = self._said(desk, order, form)
            if self.house.faults.strikes("unknown_status"):
                raise RefusedError(wire.GENERAL)
        except RefusedError as refusal:
            said = {"respCode": refusal.code}
        said["respMsg"] = wire.MESSAGES[said["respCode"]]
        return self._signed(_echoed(form) | said)

    def _said(self, desk: Desk, order: Order, form: Form) -> Form:
        if desk == "files":
            return self._file(form)
        return self._query(order, form) if desk == "queries" else self._act(order, form)

    def _check(self, form: Form, *, is_order: bool) -> None:
        for name, shape in _SHAPES.items():
            if name == "orderId" and not is_order:
                continue
            if not form.get(name):
                raise RefusedError(wire.MISSING)
            if shape.fullmatch(form[name]) is None:
                raise RefusedError(wire.MALFORMED)
        if any(form.get(name) != value for name, value in _FIXED.items()):
            raise RefusedError(wire.MALFORMED)
        row = self.house.books.db.execute(
            "SELECT certificate FROM acp_merchant WHERE mer_id = ?", (form["merId"],)
        ).fetchone()
        if row is None:
            raise RefusedError(wire.BAD_SIGNATURE)
        certificate = _read_certificate(row[0])
        key = certificate.public_key()
        assert isinstance(key, RSAPublicKey), "checked when it was taken"
        if str(certificate.serial_number) != form["certId"] or not holds(key, form):
            raise RefusedError(wire.BAD_SIGNATURE)

    def _act(self, order: Order, form: Form) -> Form:
        act = self._kinds.get((form["txnType"], form["txnSubType"]))
        if act is None:
            raise RefusedError(wire.MALFORMED)
        return act(order, form, self.house.clock.now_ms())

    def _pay(self, order: Order, form: Form, now_ms: int) -> Form:
        amount, code = _amount(form), _named(form, "qrNo")
        made = self.transactions.pay(order, amount, code, now_ms)
        return _told(made) | {"respCode": made.state}

    def _offer(self, order: Order, form: Form, now_ms: int) -> Form:
        made = self.transactions.offer(order, _amount(form), now_ms)
        return _told(made) | {"respCode": DONE, "qrCode": made.qr_code}

    def _refund(self, order: Order, form: Form, now_ms: int) -> Form:
        amount, original = _amount(form), _named(form, "origQryId")
        return _told(self.transactions.refund(order, amount, original, now_ms)) | {"respCode": DONE}

    def _void(self, order: Order, form: Form, now_ms: int) -> Form:
        amount, original = _amount(form), _named(form, "origQryId")
        return _told(self.transactions.void(order, amount, original, now_ms)) | {"respCode": DONE}

    def _reverse(self, order: Order, form: Form, now_ms: int) -> Form:  # noqa: ARG002  # one shape
        made = self.transactions.reverse(order, now_ms)
        return {"respCode": DONE, "queryId": made.query_id}

    def _query(self, order: Order, form: Form) -> Form:
        if (form["txnType"], form["txnSubType"]) != ("00", "00"):
            raise RefusedError(wire.MALFORMED)
        found = self.transactions.find(order, self.house.clock.now_ms())
        if found is None:
            raise RefusedError(wire.UNKNOWN)
        original = {"origRespCode": found.state, "origRespMsg": wire.MESSAGES[found.state]}
        return _told(found) | original | {"respCode": DONE}

    def _file(self, form: Form) -> Form:
        """The list of a day that is over, the latest of its date (which has no year)."""
        if (form["txnType"], form["txnSubType"], form.get("fileType")) != ("76", "01", "00"):
            raise RefusedError(wire.MALFORMED)
        today = business_day(self.house.clock.now_ms())
        day = resolve_day(_named(form, "settleDate"), today)
        if day is None or day >= today:
            raise RefusedError(wire.NO_FILE)
        rows = self.days.rows(form["merId"], day, self.house.faults)
        return {
            "respCode": DONE,
            "settleDate": f"{day:%m%d}",
            "fileType": "00",
            "fileName": f"{form['merId']}_{day:%Y%m%d}.zip",
            "fileContent": write_zm_file(day, form["merId"], rows),
        }

    def _signed(self, answer: Form) -> bytes:
        certificate = self.seal.certificate.public_bytes(Encoding.PEM).decode()
        whole = {name: value for name, value in answer.items() if value}
        return wire.write_answer(signed(self.seal.key, whole | {"signPubKeyCert": certificate}))


def _echoed(form: Form) -> Form:
    """What an answer repeats. Of a message that was refused unread, only what is a plain word: an
    answer escapes nothing, and it is signed."""
    said = {name: form.get(name, "") for name in _ECHOED}
    return {name: value for name, value in said.items() if _WORD.fullmatch(value)}


def _read_certificate(content: bytes) -> x509.Certificate:
    try:
        certificate = x509.load_pem_x509_certificate(content)
        key = certificate.public_key()
    except ValueError:
        raise CallerError("field_invalid", "certificate") from None
    if not isinstance(key, RSAPublicKey) or key.key_size < RSA_BITS:
        raise CallerError("field_invalid", "certificate: RSA of 2048 bits")
    return certificate


def _named(form: Form, name: str) -> str:
    value = form.get(name, "")
    if not value:
        raise RefusedError(wire.MISSING)
    return value


def _amount(form: Form) -> int:
    text = _named(form, "txnAmt")
    if form.get("currencyCode") != "156" or re.fullmatch(r"\d{1,12}", text, re.ASCII) is None:
        raise RefusedError(wire.MALFORMED)
    if not 0 < int(text) <= AMOUNT_MINOR_MAX:
        raise RefusedError(wire.ABOVE_LIMIT)
    return int(text)


def _told(made: Transaction) -> Form:
    told = {"queryId": made.query_id, "txnAmt": str(made.amount_minor), "currencyCode": "156"}
    return told | ({"settleDate": made.day[5:].replace("-", "")} if made.day else {})
