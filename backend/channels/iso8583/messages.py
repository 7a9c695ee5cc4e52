"""What a terminal and UnionPay's switch say to each other, by name: values to messages and back.

Rule 1: a transaction is known by terminal, batch, STAN and local date; a repetition says the same.
Rule 2: a reversal is its original once more as 0400, with its STAN and a reason in field 39.
Rule 3: no card number of ours exists. Private use, agreed with the sandbox's switch: field 62 holds
        the channel's token of the card (``TK`` and the token), field 63 our own id of the order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from backend.channels.iso8583.codec import Message
from backend.channels.iso8583.limits import (
    AMOUNT_MINOR_MAX,
    REFERENCE_CHARS_MAX,
    TOKEN_CHARS_MAX,
)
from protocol.errors import CallerError

CURRENCY = "156"
_TOKEN_TAG = "TK"  # noqa: S105  # a tag, no secret


class Kind(StrEnum):
    """The transactions that move or hold money."""

    SALE = "sale"
    VOID = "void"
    REFUND = "refund"
    PREAUTH = "preauth"
    PREAUTH_VOID = "preauth_void"
    COMPLETION = "completion"
    COMPLETION_VOID = "completion_void"


# kind: message type, field 3, field 60.1
_KINDS: dict[Kind, tuple[str, str, str]] = {
    Kind.SALE: ("0200", "000000", "22"),
    Kind.VOID: ("0200", "200000", "23"),
    Kind.REFUND: ("0220", "200000", "25"),
    Kind.PREAUTH: ("0100", "030000", "10"),
    Kind.PREAUTH_VOID: ("0100", "200000", "11"),
    Kind.COMPLETION: ("0200", "000000", "20"),
    Kind.COMPLETION_VOID: ("0200", "200000", "21"),
}
_BY_CODES = {(processing, code): kind for kind, (_, processing, code) in _KINDS.items()}
OF_AN_ORIGINAL = frozenset(Kind) - {Kind.SALE, Kind.PREAUTH}
"""Transactions that name another one in field 61."""
REVERSAL = "0400"


class Reason(StrEnum):
    """Why a transaction is reversed."""

    NO_ANSWER = "98"
    FAULT = "96"
    BAD_MAC = "A0"
    OTHER = "06"


@dataclass(frozen=True, slots=True)
class Trace:
    """What a transaction is known by. ``date`` is MMDD and ``time`` hhmmss, in China."""

    tid: str
    mid: str
    batch: int
    stan: int
    date: str
    time: str


@dataclass(frozen=True, slots=True)
class Original:
    """The transaction that another one is about."""

    batch: int
    stan: int
    date: str
    rrn: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """A request that moves or holds money; with a ``reason`` it is the reversal of that request."""

    kind: Kind
    trace: Trace
    amount_minor: int
    own_id: str
    token: str = ""
    original: Original | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The switch's answer to a transaction, a reversal, or anything else with a trace."""

    mti: str
    trace: Trace
    code: str
    rrn: str = ""
    settlement_date: str = ""
    """MMDD of the switch's business day."""
    network_code: str = ""
    keys: bytes = b""
    """Of a sign-on: the wrapped working keys."""
    balance: str = ""
    """Of a settlement: 1 the totals agree, 2 they do not, 3 error."""


def write_transaction(transaction: Transaction) -> Message:
    """The request, without its MAC."""
    mti, processing, code = _KINDS[transaction.kind]
    trace = transaction.trace
    fields = _traced(trace, code) | {
        3: processing,
        4: _number(transaction.amount_minor, 12),
        12: trace.time,
        13: trace.date,
        22: "012",
        25: "00",
        49: CURRENCY,
        63: transaction.own_id,
    }
    if transaction.token:
        fields[62] = (_TOKEN_TAG + transaction.token).encode("ascii").hex().upper()
    if transaction.original is not None:
        original = transaction.original
        fields[61] = f"{original.batch:06d}{original.stan:06d}{original.date}"
        if original.rrn:
            fields[37] = original.rrn
    if transaction.reason is not None:
        fields[39] = transaction.reason.value
    return Message(REVERSAL if transaction.reason else mti, fields)


def read_transaction(message: Message) -> Transaction:
    """The request in a message; ``frame_rejected`` names the field that is missing or wrong."""
    fields = message.fields
    code, _ = _reserved(fields)
    kind = _BY_CODES.get((_need(fields, 3), code))
    if kind is None or message.mti not in {REVERSAL, _KINDS[kind][0]}:
        raise rejected(60, "no such transaction")
    if _need(fields, 49) != CURRENCY:
        raise rejected(49, "not yuan")
    amount_minor, own_id = int(_need(fields, 4)), _need(fields, 63)
    if not amount_minor or len(own_id) > REFERENCE_CHARS_MAX:
        raise rejected(63 if amount_minor else 4, "out of range")
    return Transaction(
        kind=kind,
        trace=read_trace(message),
        amount_minor=amount_minor,
        own_id=own_id,
        token=_read_token(fields.get(62, "")),
        original=_read_original(fields) if 61 in fields else None,
        reason=_read_reason(fields) if message.mti == REVERSAL else None,
    )


def answer_message(request: Message, answer: Answer) -> Message:
    """The answer to a request, which it repeats where the terminal looks for itself."""
    fields = {
        number: value
        for number, value in request.fields.items()
        if number in {3, 4, 11, 12, 13, 41, 42, 49, 60}
    }
    fields[39] = answer.code
    if answer.trace.date:
        fields |= {12: answer.trace.time, 13: answer.trace.date}
    if answer.rrn:
        fields[37] = answer.rrn
    if answer.settlement_date:
        fields[15] = answer.settlement_date
    if answer.keys:
        fields[62] = answer.keys.hex().upper()
    if answer.balance:
        fields[48] = _need(request.fields, 48)[:30] + answer.balance + "0" * 30 + answer.balance
    return Message(f"{int(request.mti) + 10:04d}", fields)


def read_answer(message: Message) -> Answer:
    """The answer in a message."""
    fields = message.fields
    _, network = _reserved(fields)
    balance = fields.get(48, "")
    return Answer(
        mti=message.mti,
        trace=read_trace(message),
        code=_need(fields, 39),
        rrn=fields.get(37, ""),
        settlement_date=fields.get(15, ""),
        network_code=network,
        keys=bytes.fromhex(fields.get(62, "")),
        balance=balance[30] if len(balance) > 30 else "",
    )


def read_trace(message: Message) -> Trace:
    """What a message is known by; requests that move no money have no date of their own."""
    fields = message.fields
    batch = int(_need(fields, 60)[2:8])
    return Trace(
        tid=_need(fields, 41),
        mid=_need(fields, 42),
        batch=batch,
        stan=int(_need(fields, 11)),
        date=fields.get(13, ""),
        time=fields.get(12, ""),
    )


def network_code(message: Message) -> str:
    """Field 60.3: what a management or settlement message is about."""
    return _reserved(message.fields)[1]


def _traced(trace: Trace, code: str, network: str = "000") -> dict[int, str]:
    return {
        11: _number(trace.stan, 6),
        41: trace.tid,
        42: trace.mid,
        60: f"{code}{_number(trace.batch, 6)}{network}",
    }


def traced(mti: str, trace: Trace, network: str, more: Mapping[int, str] | None = None) -> Message:
    """A message of management or settlement."""
    return Message(mti, _traced(trace, "00", network) | dict(more or {}))


def rejected(field: int, reason: str) -> CallerError:
    """Why a message is refused, and for which field."""
    return CallerError("frame_rejected", f"field {field}: {reason}")


def need(message: Message, field: int) -> str:
    """A field that must be there."""
    return _need(message.fields, field)


def _need(fields: Mapping[int, str], number: int) -> str:
    value = fields.get(number)
    if value is None:
        raise rejected(number, "is missing")
    return value


def _reserved(fields: Mapping[int, str]) -> tuple[str, str]:
    text = _need(fields, 60)
    if len(text) < 8:
        raise rejected(60, "too short")
    return text[:2], text[8:11]


def _number(value: int, digits: int) -> str:
    assert 0 <= value <= min(AMOUNT_MINOR_MAX, 10**digits - 1)
    return f"{value:0{digits}d}"


def _read_token(value: str) -> str:
    text = bytes.fromhex(value).decode("ascii", "replace")
    if not value:
        return ""
    if not text.startswith(_TOKEN_TAG) or not text.isprintable() or not text.isascii():
        raise rejected(62, "not a token")
    if len(text) > TOKEN_CHARS_MAX:
        raise rejected(62, "too long")
    return text[len(_TOKEN_TAG) :]


def _read_original(fields: Mapping[int, str]) -> Original:
    text = fields[61]
    if len(text) != 16:
        raise rejected(61, "batch, STAN and date")
    return Original(int(text[:6]), int(text[6:12]), text[12:], fields.get(37, ""))


def _read_reason(fields: Mapping[int, str]) -> Reason:
    try:
        return Reason(_need(fields, 39))
    except ValueError:
        raise rejected(39, "no reason of a reversal") from None
