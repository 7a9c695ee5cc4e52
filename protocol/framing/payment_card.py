"""The card number in a payment card's objects (EMV Book 3 4.3, annex A), and how it is kept secret.

Rule 1: a whole number leaves this file only by ``pan_in``. What is shown is ``mask_pan``; what is
recorded leaves out ``secret_spans``.
"""

import re

from protocol.framing import ber_tlv

TRACK_2, PAN = 0x57, 0x5A
PAN_DIGITS_MIN, PAN_DIGITS_MAX = 12, 19
"""ISO/IEC 7812-1, clause 4."""
_SHOWN_FIRST, _SHOWN_LAST = 6, 4
_BEFORE_EXPIRY = re.compile(r"(\d+)(?:D\d*)?F?\Z")
_OBJECT = re.compile(rb"([\x5a\x57])([\x06-\x13])", re.DOTALL)


def luhn_holds(digits: str) -> bool:
    """Whether the last digit checks the others (ISO/IEC 7812-1, annex B)."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0


def pan_in(objects: bytes) -> str | None:
    """The card number in a record or answer, from its own object or from track 2.

    ``ValueError`` for objects whose lengths lie or a number that its check digit denies.
    """
    packed = ber_tlv.find(objects, PAN) or ber_tlv.find(objects, TRACK_2)
    if packed is None:
        return None
    found = _BEFORE_EXPIRY.match(packed.hex().upper())
    digits = found.group(1) if found else ""
    if not PAN_DIGITS_MIN <= len(digits) <= PAN_DIGITS_MAX or not luhn_holds(digits):
        raise ValueError("not a card number")
    return digits


def mask_pan(digits: str) -> str:
    """The number as it may be shown: six digits, stars, four digits (PCI DSS 4.0, 3.4.1)."""
    hidden = len(digits) - _SHOWN_FIRST - _SHOWN_LAST
    return digits[:_SHOWN_FIRST] + "*" * hidden + digits[-_SHOWN_LAST:]


def secret_spans(data: bytes) -> list[tuple[int, int]]:
    """Where in ``data`` (start, end) the bytes lie that nobody may keep.

    That is the middle of a card number and all that track 2 says behind it.

    It looks for the objects anywhere: what comes in parts, or is damaged, is found as well.
    """
    spans: list[tuple[int, int]] = []
    for found in _OBJECT.finditer(data):
        begin, end = found.end(), min(found.end() + found.group(2)[0], len(data))
        digits = re.match(r"\d*", data[begin:end].hex())
        length = len(digits.group()) // 2 if digits else 0
        if length >= min(PAN_DIGITS_MIN // 2, end - begin):
            spans.append((begin + _SHOWN_FIRST // 2, begin + length - _SHOWN_LAST // 2))
            spans.append((begin + length, end))
    return [(start, end) for start, end in spans if start < end]
