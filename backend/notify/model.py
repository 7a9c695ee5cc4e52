"""Callbacks, pure: what is signed, when a failed one is tried again, and where one may go.

The signature is over ``timestamp LF nonce LF body LF`` with the body's exact bytes. A merchant
checks it with the platform's public key, named by the serial, and refuses a timestamp more than
five minutes off.
"""

import base64
import binascii
import hashlib
import ipaddress
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backend.notify.limits import (
    CALLBACK_GAPS_MS,
    CALLBACK_SKEW_MS_MAX,
    CALLBACKS_AT_ONCE_MAX,
    CALLBACKS_PER_MERCHANT_MAX,
    PLACE_DIGITS_MAX,
)
from protocol.crypto.keys import SigningKey, VerifyKey
from protocol.errors import CallerError
from protocol.ids import EVENT, RANDOM_BYTES, mint

TIMESTAMP, NONCE, SERIAL = "Tillway-Timestamp", "Tillway-Nonce", "Tillway-Serial"
SIGNATURE, SIGNATURE_TYPE = "Tillway-Signature", "Tillway-Signature-Type"


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one try."""

    error: str = ""
    """Empty: the merchant's server took it."""
    status: int | None = None
    """What it answered with; None where it did not."""
    duration_ms: int | None = None
    """How long that took; None where nothing was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackFilter:
    """Which callbacks are meant; what is empty or None does not matter. Times are when they were
    written, ``until_ms`` not included."""

    merchant_id: str | None = None
    state: str = ""
    event_type: str = ""
    from_ms: int | None = None
    until_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterFilter:
    """Which dead letters are meant; what is None does not matter. Times are when they were given
    up, ``until_ms`` not included."""

    merchant_id: str | None = None
    event_type: str | None = None
    from_ms: int | None = None
    until_ms: int | None = None

    @property
    def is_all(self) -> bool:
        """Whether nothing narrows it."""
        return self == DeadLetterFilter()


@dataclass(frozen=True, slots=True)
class Place:
    """A callback's place in a list, the latest first: by the time at which it was given up, or
    written. As text it is a page's end."""

    at_ms: int
    callback_id: str

    def __str__(self) -> str:
        return f"{self.at_ms}.{self.callback_id}"

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Place":
        """Where a list of what was written has this row."""
        return cls(row["created_at_ms"], row["callback_id"])

    @classmethod
    def read(cls, text: str) -> "Place":
        """The place that ``str`` wrote; ``CallerError("field_invalid")`` for anything else."""
        died, _, callback = text.partition(".")
        if not (died.isdecimal() and died.isascii() and len(died) <= PLACE_DIGITS_MAX and callback):
            raise CallerError("field_invalid", "after")
        return cls(int(died), callback)


def next_try_ms(
    failed_tries: int, now_ms: int, gaps_ms: Sequence[int] = CALLBACK_GAPS_MS
) -> int | None:
    """When to try again after so many failed tries (one or more); None means give up."""
    gap = failed_tries - 1
    return now_ms + gaps_ms[gap] if gap < len(gaps_ms) else None


def fitting(merchants: Sequence[str], being_tried: Mapping[str, int]) -> list[int]:
    """Of callbacks of these merchants in this order, the places of those that get a slot: few of
    each merchant, so that one whose server hangs delays nobody else."""
    taken: list[int] = []
    counts = Counter(being_tried)
    free = CALLBACKS_AT_ONCE_MAX - counts.total()
    for place, merchant_id in enumerate(merchants):
        if len(taken) < free and counts[merchant_id] < CALLBACKS_PER_MERCHANT_MAX:
            counts[merchant_id] += 1
            taken.append(place)
    return taken


def crowded(being_tried: Mapping[str, int]) -> list[str]:
    """The merchants that have no slot free."""
    return [one for one, count in being_tried.items() if count >= CALLBACKS_PER_MERCHANT_MAX]


def callback_id(subject_id: str, event_type: str, number: int, *, at_ms: int) -> str:
    """The callback's id: the same for the same event, however often its command runs."""
    digest = hashlib.sha256(f"{subject_id}|{event_type}|{number}".encode()).digest()
    return mint(EVENT, time_ms=at_ms, random_bytes=digest[:RANDOM_BYTES])


def signed_headers(body: bytes, *, key: SigningKey, now_ms: int, nonce: str) -> dict[str, str]:
    """The headers that prove a callback is ours."""
    timestamp = str(now_ms // 1000)
    signature = key.sign(_signed(timestamp, nonce, body))
    return {
        TIMESTAMP: timestamp,
        NONCE: nonce,
        SERIAL: key.kid.hex(),
        SIGNATURE: base64.b64encode(signature).decode("ascii"),
        SIGNATURE_TYPE: key.suite.name,
    }


def is_genuine(headers: Mapping[str, str], body: bytes, *, key: VerifyKey, now_ms: int) -> bool:
    """Whether the platform sent this callback just now. False, never an exception, otherwise."""
    found = {name.lower(): value for name, value in headers.items()}
    timestamp = found.get(TIMESTAMP.lower(), "")
    if found.get(SERIAL.lower()) != key.kid.hex() or not timestamp.isdecimal():
        return False
    if len(timestamp) > 12 or abs(now_ms - int(timestamp) * 1000) > CALLBACK_SKEW_MS_MAX:
        return False
    try:
        signature = base64.b64decode(found.get(SIGNATURE.lower(), ""), validate=True)
    except (binascii.Error, ValueError):
        return False
    return key.verify(signature, _signed(timestamp, found.get(NONCE.lower(), ""), body))


def is_public_address(address: str) -> bool:
    """Whether a callback may go to this IP address when only the open internet is allowed."""
    try:
        found = ipaddress.ip_address(address.split("%", 1)[0])
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_global and not (mapped or found).is_multicast


def _signed(timestamp: str, nonce: str, body: bytes) -> bytes:
    return f"{timestamp}\n{nonce}\n".encode() + body + b"\n"
