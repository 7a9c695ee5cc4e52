"""What is done about staff, as it is written down for good."""

from dataclasses import dataclass
from enum import StrEnum


class StaffDeed(StrEnum):
    """What may be done about somebody."""

    HIRED = "hired"
    PIN_RENEWED = "pin_renewed"
    """By somebody else."""
    PIN_CHOSEN = "pin_chosen"
    """By the person."""
    LEFT = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffAct:
    """What was done about whom, and who signed for it."""

    at_ms: int
    act: StaffDeed
    name: str
    by_name: str
