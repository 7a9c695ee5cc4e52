"""What a payment's judgement learns of the device that asks for it. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

Fact = str | int | float | None


class Binding(StrEnum):
    """How a request hangs together with what its device said of itself."""

    NONE = "none"
    """The request names no reading: an older program, or one that has said nothing yet."""
    JUDGED = "judged"
    """It names the reading that the verdict is about."""
    PENDING = "pending"
    """It names a reading that has arrived and is not judged yet."""
    OTHER = "other"
    """It names one that never arrived, or an older one."""


def device_facts(
    row: Mapping[str, Any] | None, *, fingerprint: bytes, now_ms: int
) -> dict[str, Fact]:
    """``device.trust`` (0 to 1), ``device.verdict``, ``device.reading_age_s``, ``device.binding``
    and ``device.readings``, from the row of ``DEVICE_TRUST``; None is unknown, and never good."""
    if row is None or not row["verdict"]:
        trust, verdict, age_s = None, None, None
    else:
        trust, verdict = row["trust_ppm"] / 1_000_000, row["verdict"]
        age_s = max(now_ms - row["judged_received_at_ms"], 0) // 1000
    return {
        "device.trust": trust,
        "device.verdict": verdict,
        "device.reading_age_s": age_s,
        "device.binding": _binding(row, fingerprint).value,
        "device.readings": 0 if row is None else row["reading_count"],
    }


def _binding(row: Mapping[str, Any] | None, fingerprint: bytes) -> Binding:
    if not fingerprint:
        return Binding.NONE
    if row is not None and fingerprint == row["judged_digest"]:
        return Binding.JUDGED
    is_latest = row is not None and fingerprint == row["digest"]
    return Binding.PENDING if is_latest else Binding.OTHER
