"""Tones as PCM. Rule 1: the same formula gives the same bytes on every machine.

A success is two rising tones, a refusal one low tone, an unknown outcome three short ones: told
apart without looking, and none of them sounds like another.
"""

import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

RATE_HZ = 16_000
_FULL = 32_767
_ATTACK_S = 0.004


@dataclass(frozen=True, slots=True)
class Tone:
    """A pitch (0 is silence) for so long; it dies away at ``decay`` per second."""

    pitch_hz: float
    seconds: float
    level: float = 0.5
    decay: float = 5.0


SOUNDS: dict[str, Sequence[Tone]] = {
    "tick": (Tone(1_800, 0.022, level=0.22, decay=160),),
    "paid": (Tone(784, 0.13), Tone(1_175, 0.42)),
    "declined": (Tone(196, 0.45, level=0.6, decay=4),),
    "unknown": tuple(tone for _ in range(3) for tone in (Tone(523, 0.11), Tone(0, 0.07))),
}


def wav(tones: Sequence[Tone]) -> bytes:
    """The tones after one another as a WAV file: 16 bit, one channel."""
    samples = [sample for tone in tones for sample in _samples(tone)]
    body = struct.pack(f"<{len(samples)}h", *samples)
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(body), b"WAVE", b"fmt ", 16, 1, 1,
                       RATE_HZ, RATE_HZ * 2, 2, 16, b"data", len(body))  # fmt: skip
    return head + body


def _samples(tone: Tone) -> Iterator[int]:
    count = round(tone.seconds * RATE_HZ)
    for index in range(count):
        at_s = index / RATE_HZ
        edge = min(1.0, at_s / _ATTACK_S, (count - index) / RATE_HZ / _ATTACK_S)
        swing = math.sin(2 * math.pi * tone.pitch_hz * at_s)
        swing += 0.25 * math.sin(4 * math.pi * tone.pitch_hz * at_s)
        yield round(_FULL * 0.8 * tone.level * edge * math.exp(-tone.decay * at_s) * swing)
