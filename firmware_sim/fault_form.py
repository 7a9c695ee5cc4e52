"""A fault as people write it: in scenarios, over the control API, on the command line."""

from dataclasses import asdict
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from firmware_sim.faults import PPM, Fault, FaultKind
from firmware_sim.frames import Side
from firmware_sim.limits import (
    FAULT_AT_BYTE_MAX,
    FAULT_DELAY_MS_MAX,
    FAULT_WINDOW_MS_MAX,
    SLOW_BYTE_MS_MAX,
)


class FaultForm(BaseModel):
    """``Fault``'s fields, each with its range."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: FaultKind
    at: Annotated[int, Field(ge=0, le=FAULT_AT_BYTE_MAX)] = 0
    slow_byte_ms: Annotated[int, Field(ge=0, le=SLOW_BYTE_MS_MAX)] = 50
    repeat: bool = False
    side: Side = Side.DEVICE
    rate_ppm: Annotated[int, Field(ge=0, le=PPM)] = 0
    delay_ms: Annotated[int, Field(ge=0, le=FAULT_DELAY_MS_MAX)] = 500
    from_ms: Annotated[int, Field(ge=0, le=FAULT_WINDOW_MS_MAX)] = 0
    for_ms: Annotated[int, Field(ge=0, le=FAULT_WINDOW_MS_MAX)] = 0
    seed: Annotated[int, Field(ge=0, lt=1 << 63)] = 0

    def to_fault(self) -> Fault:
        """The fault it says."""
        return Fault(**dict(self))

    @classmethod
    def of(cls, fault: Fault) -> Self:
        """The form of a fault."""
        return cls(**asdict(fault))
