"""What the operator sends about rollouts."""

from typing import Annotated, Any, Literal

from pydantic import Field

from backend.devices.schemas import Chosen
from backend.rollouts.limits import (
    DEVICE_WAIT_MS,
    DEVICE_WAIT_MS_MAX,
    DEVICE_WAIT_MS_MIN,
    NAME_CHARS_MAX,
    PERSON_CHARS_MAX,
    REASON_CHARS_MAX,
    WAVES_MAX,
)
from backend.rollouts.model import WaveWish
from backend.wanted import Wanted
from protocol.clock import SECOND_MS
from protocol.errors import CallerError
from protocol.limits import IDENTIFIER_CHARS_MAX
from protocol.messages.base import RolloutIdText

_Word = Annotated[str, Field(max_length=IDENTIFIER_CHARS_MAX)]
_Percent = Annotated[int, Field(ge=0, le=100)]
_Person = Annotated[str, Field(min_length=1, max_length=PERSON_CHARS_MAX)]


class NewWave(Wanted):
    """A wave: the devices with a tag, or a share of all devices."""

    tag: _Word = ""
    percent: Annotated[int, Field(ge=0, le=100)] = 0

    def wish(self) -> WaveWish:
        """The same for the plan; ``field_invalid`` unless just one of the two is said."""
        if bool(self.tag) == bool(self.percent):
            raise CallerError("field_invalid", "waves: each has a tag or a percent")
        return WaveWish(tag=self.tag, percent=self.percent)


class PlannedRollout(Wanted):
    """``POST …/rollouts/plan``: what a rollout would do, under the id that it will have. Without
    waves all devices are in one; devices that no wave takes are the last one."""

    rollout_id: RolloutIdText
    kind: Literal["settings", "firmware"]
    content: Annotated[dict[str, Any], Field(min_length=1)]
    devices: Chosen
    waves: Annotated[list[NewWave], Field(max_length=WAVES_MAX - 1)] = Field(default_factory=list)
    success_percent: _Percent = 90
    error_percent: _Percent = 10
    rolls_back: bool = True
    device_wait_s: Annotated[
        int, Field(ge=DEVICE_WAIT_MS_MIN // SECOND_MS, le=DEVICE_WAIT_MS_MAX // SECOND_MS)
    ] = DEVICE_WAIT_MS // SECOND_MS


class NewRollout(PlannedRollout):
    """``POST …/rollouts``. The caller mints the id; the same again gives the same rollout."""

    name: Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX)]
    by: _Person


class StepWanted(Wanted):
    """``POST …/rollouts/{rollout_id}/{step}``."""

    by: _Person
    reason: Annotated[str, Field(max_length=REASON_CHARS_MAX)] = ""
