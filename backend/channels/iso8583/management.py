"""Sign-on, sign-off, echo, the settlement of a batch, and its upload: values to messages and back.

A settlement's totals are 62 digits: debits and credits of domestic cards, then of foreign ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from backend.channels.iso8583.codec import Message
from backend.channels.iso8583.limits import UPLOADS_PER_MESSAGE_MAX
from backend.channels.iso8583.messages import Trace, need, rejected, traced

SIGN_ON, SIGN_OFF, ECHO = "0800", "0820", "0820"
DOUBLE_LENGTH = "003"
_SIGN_OFF, _ECHO = "002", "301"
SETTLEMENT, UPLOAD = "0500", "0320"
_SETTLEMENT = "201"
UPLOAD_ROWS, UPLOAD_END, UPLOAD_END_UNBALANCED = "201", "207", "202"
_FOREIGN_NONE = "0" * 31
_ROW_DIGITS = 20
KIND_DEBIT, KIND_CREDIT = "00", "01"


@dataclass(frozen=True, slots=True)
class Totals:
    """What a terminal counts of a batch: money it took and money it gave."""

    debit_minor: int = 0
    debit_count: int = 0
    credit_minor: int = 0
    credit_count: int = 0


@dataclass(frozen=True, slots=True)
class UploadRow:
    """One transaction of a batch that does not balance."""

    kind: str
    stan: int
    amount_minor: int


def sign_on(trace: Trace) -> Message:
    """The request for this session's keys, of double length."""
    return traced(SIGN_ON, trace, DOUBLE_LENGTH, {63: "01 "})


def sign_off(trace: Trace) -> Message:
    """The end of a session."""
    return traced(SIGN_OFF, trace, _SIGN_OFF)


def echo(trace: Trace) -> Message:
    """A sign of life, to be answered."""
    return traced(ECHO, trace, _ECHO)


def is_sign_off(network: str) -> bool:
    """Whether an 0820 of this network code ends the session; the others are echoes."""
    return network == _SIGN_OFF


def settlement(trace: Trace, totals: Totals) -> Message:
    """The request to compare a batch's totals."""
    counted = (
        f"{totals.debit_minor:012d}{totals.debit_count:03d}"
        f"{totals.credit_minor:012d}{totals.credit_count:03d}0"
    )
    return traced(SETTLEMENT, trace, _SETTLEMENT, {48: counted + _FOREIGN_NONE, 49: "156"})


def read_totals(message: Message) -> Totals:
    """The totals of a settlement."""
    text = need(message, 48)
    if len(text) != 62 or text[31:61].strip("0"):
        raise rejected(48, "62 digits of totals, and no foreign cards")
    return Totals(int(text[:12]), int(text[12:15]), int(text[15:27]), int(text[27:30]))


def upload(trace: Trace, rows: Sequence[UploadRow]) -> Message:
    """Some of a batch's transactions, one by one."""
    assert 0 < len(rows) <= UPLOADS_PER_MESSAGE_MAX
    text = "".join(f"{row.kind}{row.stan:06d}{row.amount_minor:012d}" for row in rows)
    return traced(UPLOAD, trace, UPLOAD_ROWS, {48: f"{len(rows):02d}{text}"})


def upload_end(trace: Trace, count: int) -> Message:
    """No more of the batch's transactions follow."""
    return traced(UPLOAD, trace, UPLOAD_END, {48: f"{count:04d}"})


def read_upload(message: Message) -> tuple[UploadRow, ...]:
    """The transactions of an upload."""
    text = need(message, 48)
    if len(text) < 2 or len(text) != 2 + _ROW_DIGITS * int(text[:2]):
        raise rejected(48, "count and rows")
    starts = range(2, len(text), _ROW_DIGITS)
    return tuple(
        UploadRow(text[at : at + 2], int(text[at + 2 : at + 8]), int(text[at + 8 : at + 20]))
        for at in starts
    )
