"""The steps of a scenario: each verb with its words.

Durations are ``250ms``, ``2s``, ``10m``; a wait may be a span, ``1s..3s``: the seed chooses.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, model_validator

from faces.words import Words
from firmware_sim.fault_form import FaultForm
from firmware_sim.frames import Side
from firmware_sim.limits import (
    EXPECT_WITHIN_MS,
    SCENARIO_BYTES_MAX,
    SCENARIO_NOTE_CHARS_MAX,
    SCENARIO_REPEATS_MAX,
    SCENARIO_WAIT_MS_MAX,
)
from firmware_sim.words.faults import SHORT_FAULTS
from firmware_sim.yaml_file import HexNumber

_DURATION = re.compile(r"([0-9]{1,9})(ms|s|m|h)")
_UNIT_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}\s*)+")


def _milliseconds(value: object) -> int:
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("a duration is a whole number with ms, s, m or h, such as 250ms")
    duration = int(found[1]) * _UNIT_MS[found[2]]
    if duration > SCENARIO_WAIT_MS_MAX:
        raise ValueError("a duration is at most seven days")
    return duration


def _span(value: object) -> tuple[int, int]:
    first, dots, last = value.partition("..") if isinstance(value, str) else (value, "", "")
    low = _milliseconds(first)
    high = _milliseconds(last) if dots else low
    if high < low:
        raise ValueError("a span begins with the shorter duration")
    return low, high


def _bytes(value: object) -> bytes:
    digits = str(value) if isinstance(value, int) else value  # a plain 12 is two digits, too
    if isinstance(value, HexNumber) or not isinstance(digits, str) or not _HEX.fullmatch(digits):
        raise ValueError("bytes are written as pairs of hexadecimal digits, no 0x")
    return bytes.fromhex(digits)


Milliseconds = Annotated[int, BeforeValidator(_milliseconds)]
Span = Annotated[tuple[int, int], BeforeValidator(_span)]
Hex = Annotated[bytes, BeforeValidator(_bytes), Field(max_length=SCENARIO_BYTES_MAX)]
States = Annotated[dict[str, JsonValue], Field(min_length=1)]


class Step(BaseModel):
    """One step; its first key is its verb."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Do(Step):
    """A person does something to a device: ``do: scanner.present`` and the act's words."""

    model_config = ConfigDict(extra="allow", frozen=True)
    do: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]


class Wait(Step):
    """Time passes."""

    wait: Span


class Send(Step):
    """The scenario, as the device's host, says something."""

    send: str
    hex: Hex | None = None
    text: Annotated[str, Field(max_length=SCENARIO_BYTES_MAX)] | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.hex is None) == (self.text is None):
            raise ValueError("give either hex or text")
        return self

    @property
    def data(self) -> bytes:
        """The bytes."""
        return self.hex if self.hex is not None else (self.text or "").encode()


class Expect(Step):
    """A frame comes that is so: of this name, with these fields, with these bytes."""

    expect: str
    frame: str | None = None
    fields: dict[str, str | int] = Field(default_factory=dict)
    hex: Hex | None = None
    side: Side = Side.DEVICE
    within: Milliseconds = EXPECT_WITHIN_MS


class ExpectSilence(Step):
    """The device says nothing for so long."""

    silence: str
    during: Milliseconds


class Until(Step):
    """Wait until a device is so; a value is compared, or ``">= 3"``, or ``contains words``."""

    until: str
    state: States
    within: Milliseconds = EXPECT_WITHIN_MS


class Check(Step):
    """A device is so now."""

    check: str
    state: States


class FaultStep(FaultForm, Step):
    """The line of a device becomes faulty, beside the faults it has."""

    fault: str

    def wanted(self, seed: int) -> FaultForm:
        """The fault, by the scenario's seed where it has none of its own."""
        words = {name: getattr(self, name) for name in FaultForm.model_fields}
        return FaultForm(**{**words, "seed": self.seed or seed})


class Heal(Step):
    """The line of a device is sound again."""

    heal: str


class CutPower(Step):
    """A device loses its power."""

    cut_power: str


class GivePower(Step):
    """A device gets its power back."""

    give_power: str


class Unplug(Step):
    """A device's plug is pulled."""

    unplug: str


class Plug(Step):
    """A device is plugged in again."""

    plug: str


class Note(Step):
    """Words for the report."""

    note: Annotated[str, Field(max_length=SCENARIO_NOTE_CHARS_MAX)]


class Repeat(Step):
    """Steps again and again."""

    repeat: Annotated[int, Field(ge=1, le=SCENARIO_REPEATS_MAX)]
    steps: list[Any]  # as in the file; each is validated as its own step


STEPS: dict[str, type[Step]] = {
    "do": Do, "wait": Wait, "send": Send, "expect": Expect, "silence": ExpectSilence,
    "until": Until, "check": Check, "fault": FaultStep, "heal": Heal, "cut_power": CutPower,
    "give_power": GivePower, "unplug": Unplug, "plug": Plug, "note": Note, "repeat": Repeat,
}  # fmt: skip


_VERBS_ZH = {
    "do": "人做", "wait": "等", "send": "发送给", "expect": "该听到", "silence": "该安静",
    "until": "等到", "check": "核对", "fault": "线路故障", "heal": "修好线路", "cut_power": "断电",
    "give_power": "上电", "unplug": "拔下插头", "plug": "插回插头", "note": "说明",
    "repeat": "重复",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlacedStep:
    """A step and the line it stands on; of a repeat also the steps within."""

    step: Step
    line: int
    inner: tuple["PlacedStep", ...] = ()


def verb_of(step: Step) -> str:
    """The word that a step begins with."""
    return next(verb for verb, form in STEPS.items() if isinstance(step, form))


def title_of(step: Step) -> Words:
    """The step in a few words; what is told to an act or sent is in what follows of it."""
    verb = verb_of(step)
    match step:
        case Wait(wait=(low, high)):
            span = f"{low}" if low == high else f"{low}..{high}"
            return Words(f"{_VERBS_ZH[verb]} {span} 毫秒", f"wait {span} ms")
        case Expect(frame=frame) if frame is not None:
            what, what_zh = f"{step.expect}: {frame}", f"{step.expect}：{frame}"
        case FaultStep():
            what = f"{step.fault}: {step.kind}"
            what_zh = f"{step.fault}：{SHORT_FAULTS[step.kind].zh}"
        case _:
            what = what_zh = str(getattr(step, verb))
    return Words(f"{_VERBS_ZH[verb]} {what_zh}", f"{verb} {what}")


def device_of(step: Step) -> str | None:
    """The device that a step is about, if it is about one."""
    if isinstance(step, Wait | Note | Repeat):
        return None
    name: str = getattr(step, verb_of(step))
    return name.partition(".")[0]


def words_of(step: Do) -> dict[str, Any]:
    """What the act is told."""
    return dict(step.model_extra or {})
