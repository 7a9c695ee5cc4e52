"""The life of a red packet, and how a sum is cut into shares. Pure.

Rule 1: shares are whole minor units, at least one each, and their sum is the sum that was sent.
Rule 2: shares are cut when the packet is sent, and taken in their order: a claim draws nothing, so
        that nobody gains by repeating or delaying one.
"""

import hashlib
from enum import StrEnum

from backend.red_packets.limits import GIFT_MINOR_MIN, SHARE_MINOR_MAX, SHARES_MAX
from protocol.errors import CallerError


class RedPacketKind(StrEnum):
    """How the sum is cut."""

    EQUAL = "equal"
    """Alike; where it does not come out even, the first shares have one minor unit more."""
    LUCKY = "lucky"
    """By chance: each share is at most about twice the mean of what is left."""


class SenderKind(StrEnum):
    """Whose money it is."""

    PAYER = "payer"
    MERCHANT = "merchant"


class RedPacketState(StrEnum):
    """Where a red packet is."""

    OPEN = "open"
    TAKEN = "taken"
    """Every share has been claimed."""
    RETURNED = "returned"
    """Its time was over; what was left is the sender's again."""


class RedPacketStep(StrEnum):
    """What may end a red packet."""

    TAKE_LAST = "take_last"
    EXPIRE = "expire"


_S, _T = RedPacketState, RedPacketStep
TRANSITIONS: dict[tuple[RedPacketState, RedPacketStep], RedPacketState] = {
    (_S.OPEN, _T.TAKE_LAST): _S.TAKEN,
    (_S.OPEN, _T.EXPIRE): _S.RETURNED,
}


def check_gift(amount_minor: int) -> None:
    """Raise ``amount_invalid`` for a sum that a merchant may not give one payer."""
    if not GIFT_MINOR_MIN <= amount_minor <= SHARE_MINOR_MAX:
        raise CallerError("amount_invalid", "a merchant gives 100 to 20,000 minor units")


def check_split(total_minor: int, share_count: int) -> None:
    """Raise ``field_invalid`` or ``amount_invalid`` where a sum cannot be cut so."""
    if not 1 <= share_count <= SHARES_MAX:
        raise CallerError("field_invalid", "share_count")
    if not share_count <= total_minor <= share_count * SHARE_MINOR_MAX:
        raise CallerError("amount_invalid", "a share has at least 1 and at most 20,000 minor units")


def split(
    total_minor: int, share_count: int, kind: RedPacketKind, *, seed: bytes
) -> tuple[int, ...]:
    """The shares in the order in which they are taken; ``seed`` decides those of a lucky packet."""
    check_split(total_minor, share_count)
    if kind is RedPacketKind.EQUAL:
        each, more = divmod(total_minor, share_count)
        return tuple(each + (number < more) for number in range(share_count))
    shares: list[int] = []
    left_minor = total_minor
    for number in range(share_count - 1):
        left_count = share_count - number
        low = max(1, left_minor - (left_count - 1) * SHARE_MINOR_MAX)
        high = min(2 * left_minor // left_count, SHARE_MINOR_MAX, left_minor - left_count + 1)
        share = low + _draw(seed, number) % (high - low + 1)
        shares.append(share)
        left_minor -= share
    return (*shares, left_minor)


def _draw(seed: bytes, number: int) -> int:
    """128 bits: what the remainder favours is beyond measure."""
    digest = hashlib.sha256(b"tillway-red-packet-v1" + seed + number.to_bytes(2, "big")).digest()
    return int.from_bytes(digest[:16], "big")
