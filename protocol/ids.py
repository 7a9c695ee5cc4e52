"""Typed, prefixed, time-ordered identifiers, minted by whoever starts the action.

An id is a prefix and 26 characters of Crockford base32 (the ULID layout): 48 bits of
milliseconds since the epoch, then 80 bits of randomness. Ids sort by time; the 16 bytes behind
them are what databases store.
"""

import re
from typing import NewType

from protocol.errors import CallerError

PaymentId = NewType("PaymentId", str)
AttemptId = NewType("AttemptId", str)
RefundId = NewType("RefundId", str)
TransferId = NewType("TransferId", str)
MandateId = NewType("MandateId", str)
NoticeId = NewType("NoticeId", str)
PayerId = NewType("PayerId", str)
RequestId = NewType("RequestId", str)
DisputeId = NewType("DisputeId", str)
CouponId = NewType("CouponId", str)
CaseId = NewType("CaseId", str)
ReportId = NewType("ReportId", str)
LabelId = NewType("LabelId", str)
RedPacketId = NewType("RedPacketId", str)
MerchantTransferId = NewType("MerchantTransferId", str)
OfflineVoucherId = NewType("OfflineVoucherId", str)

PAYMENT, ATTEMPT, REFUND, TRANSFER = "pay", "att", "rfd", "trf"
MANDATE, REQUEST, PAYOUT, EVENT = "mdt", "req", "pyo", "evt"
TOPUP, SWEEP, PAYER, NOTICE, INSTRUMENT = "top", "swp", "pyr", "ntc", "ins"
DISPUTE, COLLECTION, COUPON, WITHDRAWAL, CASE = "dsp", "cvr", "cpn", "wdr", "cas"
REPORT, LABEL, RED_PACKET, MERCHANT_TRANSFER = "rpt", "lbl", "rpk", "mtr"
OFFLINE_VOUCHER, ROLLOUT, RETURN = "ofv", "rol", "rtn"
PREFIXES = frozenset(
    {PAYMENT, ATTEMPT, REFUND, TRANSFER, MANDATE, REQUEST, PAYOUT, EVENT, TOPUP, SWEEP, PAYER}
    | {NOTICE, INSTRUMENT, DISPUTE, COLLECTION, COUPON, WITHDRAWAL, CASE, REPORT, LABEL, RED_PACKET}
    | {MERCHANT_TRANSFER, OFFLINE_VOUCHER, ROLLOUT, RETURN}
)

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_AS_DIGITS = str.maketrans(_ALPHABET, "0123456789abcdefghijklmnopqrstuv")
"""To the digits of ``int``."""
_BODY = re.compile(f"[0-7][{_ALPHABET}]{{25}}")
"""26 letters are 130 bits; the first two of them are 0."""
RANDOM_BYTES = 10
_TIME_MS_MAX = 2**48 - 1


def mint(prefix: str, *, time_ms: int, random_bytes: bytes) -> str:
    """Make an id from the caller's clock (ms) and ``RANDOM_BYTES`` bytes of its randomness."""
    if prefix not in PREFIXES:
        raise ValueError(f"unknown id prefix {prefix!r}")
    if len(random_bytes) != RANDOM_BYTES or not 0 <= time_ms <= _TIME_MS_MAX:
        raise ValueError("an id needs 10 random bytes and a time that fits 48 bits")
    return from_bytes(prefix, time_ms.to_bytes(6, "big") + random_bytes)


def from_bytes(prefix: str, raw: bytes) -> str:
    """The text form of 16 stored bytes."""
    if len(raw) != 16:
        raise ValueError("an id is 16 bytes")
    number = int.from_bytes(raw, "big")
    letters = [_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5)]
    return f"{prefix}_{''.join(letters)}"


def to_bytes(text: str, *, prefix: str) -> bytes:
    """The 16 bytes of an id; raises ``CallerError("id_invalid")`` for anything else."""
    if not is_id(text, prefix=prefix):
        raise CallerError("id_invalid")
    return int(text[len(prefix) + 1 :].translate(_AS_DIGITS), 32).to_bytes(16, "big")


def is_id(text: object, *, prefix: str) -> bool:
    """Whether the value is a well-formed id with this prefix."""
    if not isinstance(text, str):
        return False
    head, _, body = text.partition("_")
    return head == prefix and _BODY.fullmatch(body) is not None
