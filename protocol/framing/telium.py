"""Ingenico Telium "Protocol E": the cash register's line to a card PIN pad.

A side that wants to speak sends ENQ and waits for ACK; then ``STX message ETX LRC``, answered by
ACK or NAK; then EOT. The LRC is the XOR of all bytes after STX up to and with ETX: any value, so
that it can look like a control character. A message is printable ASCII.

Ask (34 characters): pos(2) amount in minor units(8) full answer?(1) mode(1) kind(1) currency(3)
private(10) delay(4) authorization(4). Answer (25 or, with the report, 80): pos(2) result(1)
amount(8) mode(1) [report(55)] currency(3) private(10).

An LRC sees each single flipped bit, not two in one column: whoever reads an answer compares it
with what was asked. The report holds a card number: ``masked_report`` is what may be shown.
"""

import re
from dataclasses import dataclass
from enum import Enum, IntEnum, StrEnum

from protocol.errors import CallerError, OperatingError
from protocol.framing.limits import TELIUM_MESSAGE_BYTES_MAX, TELIUM_NOISE_BYTES_MAX

STX, ETX = 0x02, 0x03
ASK_CHARS, REPORT_CHARS, SHORT_ANSWER_CHARS, FULL_ANSWER_CHARS = 34, 55, 25, 80
AMOUNT_MINOR_MIN, AMOUNT_MINOR_MAX = 100, 9_999_999
MODE_CARD, MODE_CHEQUE = "1", "C"
NO_PRIVATE = " " * 10

CURRENCY_NUMBERS = {
    "AUD": "036", "CAD": "124", "CHF": "756", "CNY": "156", "EUR": "978", "GBP": "826",
    "HKD": "344", "MOP": "446", "MYR": "458", "NZD": "554", "SGD": "702", "THB": "764",
    "USD": "840",
}  # fmt: skip
"""ISO 4217 numbers of the currencies with two decimals, the only ones this protocol can carry."""


class Control(IntEnum):
    """A character that is a message of its own."""

    EOT = 0x04
    ENQ = 0x05
    ACK = 0x06
    NAK = 0x15


_CONTROLS = frozenset(Control)


class Kind(StrEnum):
    """What is asked for."""

    DEBIT = "0"
    CREDIT = "1"
    REFUND = "2"
    AUTO = "4"


class Result(IntEnum):
    """How it ended."""

    APPROVED = 0
    REFUSED = 7
    UNVERIFIED = 9


class Delay(Enum):
    """Whether the answer comes when the card has paid, or at once and says nothing of it."""

    WAIT = "A010"
    AT_ONCE = "A011"


class Authorization(Enum):
    """Whether the pin pad may decide by itself, or must ask the bank."""

    FREE = "B010"
    FORCED = "B011"


@dataclass(frozen=True, slots=True)
class Message:
    """A message whose LRC held, without its frame."""

    text: bytes


@dataclass(frozen=True, slots=True)
class Damaged:
    """Bytes that were no message: ``noise`` between messages, else the way a message broke."""

    raw: bytes
    why: str


Item = Control | Message | Damaged


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a cash register asks of a pin pad. ``pos`` is the register's number, 1..99."""

    amount_minor: int
    currency_number: str
    pos: int = 1
    is_full: bool = True
    mode: str = MODE_CARD
    kind: Kind = Kind.DEBIT
    private: str = NO_PRIVATE
    delay: Delay = Delay.WAIT
    authorization: Authorization = Authorization.FREE


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the pin pad says of it. ``report`` is None in a short answer."""

    pos: int
    result: Result
    amount_minor: int
    mode: str
    report: str | None
    currency_number: str
    private: str


def lrc(data: bytes) -> int:
    """The XOR of ``data``: all after STX, up to and with ETX."""
    found = 0
    for value in data:
        found ^= value
    return found


def encode(text: bytes) -> bytes:
    """The frame of a message of printable ASCII."""
    if len(text) > TELIUM_MESSAGE_BYTES_MAX or not all(map(_is_printable, text)):
        raise CallerError("field_invalid", "telium: not printable, or too long")
    body = text + bytes([ETX])
    return bytes([STX]) + body + bytes([lrc(body)])


def encode_ask(ask: Ask) -> bytes:
    """The frame of an ask; ``amount_invalid`` where the protocol cannot carry the amount."""
    if not AMOUNT_MINOR_MIN <= ask.amount_minor <= AMOUNT_MINOR_MAX:
        raise CallerError("amount_invalid", "telium: from 1.00 to 99999.99")
    text = (
        f"{ask.pos:02d}{ask.amount_minor:08d}{int(ask.is_full)}{ask.mode}{ask.kind.value}"
        f"{ask.currency_number}{ask.private}{ask.delay.value}{ask.authorization.value}"
    )
    if len(text) != ASK_CHARS:
        raise CallerError("field_invalid", f"telium: an ask of {len(text)} characters")
    return encode(text.encode("ascii"))


def encode_answer(answer: Answer) -> bytes:
    """The frame of an answer."""
    report = "" if answer.report is None else answer.report.ljust(REPORT_CHARS)
    text = (
        f"{answer.pos:02d}{answer.result.value}{answer.amount_minor:08d}{answer.mode}"
        f"{report}{answer.currency_number}{answer.private}"
    )
    if len(text) != (SHORT_ANSWER_CHARS if answer.report is None else FULL_ANSWER_CHARS):
        raise CallerError("field_invalid", f"telium: an answer of {len(text)} characters")
    return encode(text.encode("ascii"))


_ASK = re.compile(
    rb"(\d\d)(\d{8})([01])([\x20-\x7e])([0124])(\d{3})([\x20-\x7e]{10})(A01[01])(B01[01])"
)
_ANSWER = re.compile(
    rb"(\d\d)([079])(\d{8})([\x20-\x7e])([\x20-\x7e]{55})?(\d{3})([\x20-\x7e]{10})"
)


def parse_ask(text: bytes) -> Ask:
    """The ask in a message; ``device_bad_frame`` where it is none."""
    if (found := _ASK.fullmatch(text)) is None:
        raise OperatingError("device_bad_frame", "telium: no ask")
    pos, amount, full, mode, kind, currency, private, delay, authorization = (
        part.decode("ascii") for part in found.groups()
    )
    return Ask(
        amount_minor=int(amount),
        currency_number=currency,
        pos=int(pos),
        is_full=full == "1",
        mode=mode,
        kind=Kind(kind),
        private=private,
        delay=Delay(delay),
        authorization=Authorization(authorization),
    )


def parse_answer(text: bytes) -> Answer:
    """The answer in a message; ``device_bad_frame`` where it is none."""
    if (found := _ANSWER.fullmatch(text)) is None:
        raise OperatingError("device_bad_frame", "telium: no answer")
    pos, result, amount, mode, report, currency, private = (
        part.decode("ascii") for part in found.groups(default=b"")
    )
    return Answer(
        pos=int(pos),
        result=Result(int(result)),
        amount_minor=int(amount),
        mode=mode,
        report=report or None,
        currency_number=currency,
        private=private,
    )


def masked_report(report: str) -> str:
    """The card number that a report begins with: first six and last four digits, or nothing."""
    number = report.partition(" ")[0]
    if not number.isascii() or not number.isdigit() or not 13 <= len(number) <= 19:
        return ""
    return number[:6] + "*" * (len(number) - 10) + number[-4:]


class LineParser:
    """Either side's ear: bytes in, control characters and messages out.

    A message that a control character breaks off is damaged, and that character counts as the
    first of what follows. Other bytes between messages are noise.
    """

    def __init__(self) -> None:
        self._message = bytearray()
        self._noise = bytearray()
        self._has_lrc_next = False

    @property
    def unfinished(self) -> bytes:
        """What has come of a message that is not complete."""
        return bytes(self._message)

    @property
    def is_mid_message(self) -> bool:
        """Whether a message has begun and is not complete."""
        return bool(self._message)

    def clear(self) -> None:
        """Forget what has begun."""
        self._message.clear()
        self._noise.clear()
        self._has_lrc_next = False

    def feed(self, data: bytes) -> list[Item]:
        """The items that ``data`` completes, and the noise in it."""
        found: list[Item] = []
        for value in data:
            if self._has_lrc_next:
                found.append(self._end(value))
            elif self._message:
                found += self._inside(value)
            else:
                found += self._between(value)
        return found + self._heard_noise()

    def _between(self, value: int) -> list[Item]:
        if value != STX and value not in _CONTROLS:
            self._noise.append(value)
            return self._heard_noise() if len(self._noise) >= TELIUM_NOISE_BYTES_MAX else []
        noise = self._heard_noise()
        if value != STX:
            return [*noise, Control(value)]
        self._message.append(value)
        return noise

    def _inside(self, value: int) -> list[Item]:
        if value == ETX:
            self._message.append(value)
            self._has_lrc_next = True
            return []
        if not _is_printable(value):
            return [self._broken("broken_off"), *self._between(value)]
        self._message.append(value)
        return [self._broken("length")] if len(self._message) > TELIUM_MESSAGE_BYTES_MAX else []

    def _end(self, value: int) -> Item:
        body = bytes(self._message[1:])
        self._message.append(value)
        if lrc(body) != value:
            return self._broken("lrc")
        self.clear()
        return Message(body[:-1])

    def _broken(self, why: str) -> Damaged:
        raw = bytes(self._message)
        self.clear()
        return Damaged(raw, why)

    def _heard_noise(self) -> list[Item]:
        if not self._noise:
            return []
        raw = bytes(self._noise)
        self._noise.clear()
        return [Damaged(raw, "noise")]


def _is_printable(value: int) -> bool:
    return 0x20 <= value <= 0x7E
