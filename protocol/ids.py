"""Typed, prefixed, time-ordered identifiers, minted by whoever starts the action.

An id is a prefix and 26 characters of Crockford base32 (the ULID layout): 48 bits of
milliseconds since the epoch, then 80 bits of randomness. Ids sort by time; the 16 bytes behind
them are what databases store.
"""

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
_VALUE = {letter: value for value, letter in enumerate(_ALPHABET)}
_BODY_LENGTH = 26
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
    head, _, body = text.partition("_")
    if head != prefix or len(body) != _BODY_LENGTH:
        raise CallerError("id_invalid")
    number = 0
    for letter in body:
        value = _VALUE.get(letter)
        if value is None:
            raise CallerError("id_invalid")
        number = number << 5 | value
    if number >> 128:
        raise CallerError("id_invalid")
    return number.to_bytes(16, "big")


def is_id(text: object, *, prefix: str) -> bool:
    """Whether the value is a well-formed id with this prefix."""
    if not isinstance(text, str):
        return False
    try:
        to_bytes(text, prefix=prefix)
    except CallerError:
        return False
    return True
