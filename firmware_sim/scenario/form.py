"""The scenario file: YAML in, steps out.

```yaml
name: a code is scanned although a byte is lost
name_zh: 丢了一个字节，仍扫到码
board: pos            # a built-in board, or a file beside this one
seed: 7
time: virtual         # or real: with ptys, for a driver of yours
steps:
  - do: scanner.present
    text: TILLWAY-0001
  - fault: scanner
    kind: drop
    at: 2
  - send: scanner
    hex: 7E 00 07 01 00 0A 01 EE 8A
  - expect: scanner
    frame: reply
    within: 500ms
```

Every step is one of the verbs of ``STEPS``. Durations are ``250ms``, ``2s``, ``10m``; a wait may
be a span, ``1s..3s``: the seed chooses.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, model_validator

from firmware_sim.board_file import is_board, no_board
from firmware_sim.fault_form import FaultForm
from firmware_sim.frames import Side
from firmware_sim.limits import (
    EXPECT_WITHIN_MS,
    SCENARIO_BYTES_MAX,
    SCENARIO_NOTE_CHARS_MAX,
    SCENARIO_REPEATS_MAX,
    SCENARIO_STEPS_MAX,
    SCENARIO_WAIT_MS_MAX,
)
from firmware_sim.yaml_file import HexNumber, Place, YamlFile, read_yaml

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


@dataclass(frozen=True, slots=True)
class PlacedStep:
    """A step and the line it stands on; of a repeat also the steps within."""

    step: Step
    line: int
    inner: tuple["PlacedStep", ...] = ()


class _ScenarioForm(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(min_length=1, max_length=200)]
    name_zh: Annotated[str, Field(max_length=200)] = ""
    board: Annotated[str, Field(min_length=1, max_length=400)] = "pos"
    seed: Annotated[int, Field(ge=0, lt=1 << 63)] = 0
    time: Literal["virtual", "real"] = "virtual"
    driver: Annotated[list[str], Field(max_length=100)] = Field(default_factory=list)
    exit_code: Annotated[int, Field(ge=0, le=255)] = 0
    steps: list[Any]  # as in the file; each is validated as its own step


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole scenario. ``driver`` is a command, started before the first step, in whose words
    ``{device}`` stands for that device's port; it has to end with ``exit_code``. ``name_zh`` is
    its name on a Chinese page, where it has one."""

    name: str
    board: str
    seed: int
    is_virtual: bool
    steps: tuple[PlacedStep, ...]
    driver: tuple[str, ...] = ()
    exit_code: int = 0
    name_zh: str = ""


def load_scenario(path: Path) -> Scenario:
    """Read a scenario; raises ``CallerError("config_invalid")`` with file, line and reason."""
    return scenario_of(read_yaml(path), path.parent)


def scenario_of(file: YamlFile, folder: Path) -> Scenario:
    """The scenario that a YAML file describes; a board's file is sought beside it."""
    form = file.validated(_ScenarioForm, file.value)
    if form.driver and form.time == "virtual":
        raise file.refusal(("driver",), "a driver needs 'time: real'", "驱动需要 'time: real'")
    steps = _steps(file, form.steps, ("steps",))
    beside = folder / form.board
    board = str(beside) if beside.is_file() else form.board
    if not is_board(board):
        raise file.refusal(("board",), *no_board(board))
    return Scenario(
        form.name, board, form.seed,
        form.time == "virtual", steps, tuple(form.driver), form.exit_code, form.name_zh,
    )  # fmt: skip


def _steps(file: YamlFile, rows: list[JsonValue], place: Place) -> tuple[PlacedStep, ...]:
    if len(rows) > SCENARIO_STEPS_MAX:
        most = SCENARIO_STEPS_MAX
        raise file.refusal(place, f"at most {most} steps", f"最多 {most} 步")
    return tuple(_step(file, row, (*place, number)) for number, row in enumerate(rows))


def _step(file: YamlFile, row: JsonValue, place: Place) -> PlacedStep:
    if not isinstance(row, dict) or not row:
        why = "a step is a verb with its object, such as 'wait: 200ms'"
        raise file.refusal(place, why, "一步是一个动词和它的宾语，例如 'wait: 200ms'")
    verbs = [word for word in row if word in STEPS]
    verb = verbs[0] if verbs else next(iter(row))
    if verb not in STEPS:
        raise file.unknown_key((*place, verb), list(STEPS))
    step = file.validated(STEPS[verb], row, place)
    inner = _steps(file, step.steps, (*place, "steps")) if isinstance(step, Repeat) else ()
    return PlacedStep(step, file.line_of(place), inner)


def words_of(step: Do) -> dict[str, Any]:
    """What the act is told."""
    return dict(step.model_extra or {})
