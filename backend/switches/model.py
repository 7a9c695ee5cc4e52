"""What can be stopped, and what is said to whoever asks for a payment meanwhile. Pure.

Rule: a switch keeps new payments away and nothing else. Refunds, queries, reversals and what is
      under way at a channel go on: money that moves must come to an end.
"""

from enum import StrEnum

from backend.switches.limits import REASON_CHARS_MAX, REASON_CHARS_MIN
from protocol.errors import CallerError


class SwitchKind(StrEnum):
    """What a switch is of."""

    MERCHANT = "merchant"
    DEVICE = "device"
    CHANNEL = "channel"


class StopReason(StrEnum):
    """Why something is stopped, as its merchant is told; the operators' own words are inside."""

    COMPLAINTS = "complaints"
    RISK = "risk"
    PAPERS = "papers"
    """Something that the merchant must hand in."""
    FAULT = "fault"
    """A machine or a line."""
    OTHER = "other"


REFUSALS: dict[SwitchKind, str] = {
    SwitchKind.MERCHANT: "merchant_stopped",
    SwitchKind.DEVICE: "device_stopped",
    SwitchKind.CHANNEL: "channel_stopped",
}
"""The code of the refusal."""


def check_reason(reason: str) -> str:
    """The reason without spaces around; ``field_invalid`` for one that says nothing."""
    said = reason.strip()
    if not REASON_CHARS_MIN <= len(said) <= REASON_CHARS_MAX or not said.isprintable():
        detail = f"reason: {REASON_CHARS_MIN} to {REASON_CHARS_MAX} characters"
        raise CallerError("field_invalid", detail)
    return said
