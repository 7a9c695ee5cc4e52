"""The staff's fingers on a terminal's sensor: who is enrolled, who comes, who goes.

Rule 1: a finger is a slot. Whose it is stands in the shop's own list, not here, and nothing
biometric leaves the sensor.
"""

import sys
from dataclasses import asdict, dataclass

from terminal.adapters.ef01_fingerprint import Ef01FingerprintSensor, EnrolStep

WORDS = {
    EnrolStep.PLACE: "请按手指。Place the finger.",
    EnrolStep.LIFT: "请抬起手指。Lift the finger.",
    EnrolStep.PLACE_AGAIN: "请再按同一手指。Place the same finger again.",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be done before the slots are listed; ``slot`` is for the finger that comes."""

    enrols: bool = False
    slot: int | None = None
    deletes: int | None = None


async def tend_fingers(
    port: str, wish: Wish, *, password: int, limit_s: float
) -> dict[str, object]:
    """Delete, then enrol, then list; each touch has ``limit_s``. As the sensor's driver raises."""
    sensor = Ef01FingerprintSensor(port, password=password)
    done: dict[str, object] = {}
    try:
        if wish.deletes is not None:
            done["deleted"] = await sensor.delete(wish.deletes)
        if wish.enrols:
            done["enrolled"] = await sensor.enrol(slot=wish.slot, timeout_s=limit_s, tell=_tell)
        return done | asdict(await sensor.library())
    finally:
        await sensor.aclose()


def _tell(step: EnrolStep) -> None:
    sys.stderr.write(WORDS[step] + "\n")
    sys.stderr.flush()
