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

Every step is one of the verbs of ``STEPS``, and can be done on the board: a wrong file is refused
before its first step.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from firmware_sim.board_file import built_in, is_board, load_board, no_board
from firmware_sim.limits import SCENARIO_STEPS_MAX
from firmware_sim.scenario.fitting import Fitting
from firmware_sim.scenario.steps import STEPS, PlacedStep, Repeat
from firmware_sim.wrongs import Wrongs
from firmware_sim.yaml_file import Place, YamlFile, read_yaml


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
    """Read a scenario; raises ``FileWrongError`` with file, lines and reasons."""
    return scenario_of(read_yaml(path), path.parent)


def scenario_of(file: YamlFile, folder: Path | None) -> Scenario:
    """The scenario that a YAML file describes; a board's file is sought beside it. Without a
    folder no other file is read: the board is one that is built in."""
    wrongs = Wrongs()
    form, board, fitting = None, "", None
    with wrongs.gathered():
        form = file.validated(_ScenarioForm, file.value)
    told = file.value if isinstance(file.value, dict) else {}
    is_virtual = told.get("time") != "real"
    if told.get("driver") and is_virtual:
        why, why_zh = "a driver needs 'time: real'", "驱动需要 'time: real'"
        wrongs.add(file.refusal(("driver",), why, why_zh))
    named = told.get("board", "pos")
    if isinstance(named, str) and named:
        with wrongs.gathered():
            board = _board(file, named, folder)
            fitting = Fitting(file, load_board(board), is_virtual, wrongs)
    steps = _Steps(file, wrongs, fitting).read(told.get("steps"), ("steps",))
    wrongs.end()
    assert form is not None
    return Scenario(
        form.name, board, form.seed,
        is_virtual, steps, tuple(form.driver), form.exit_code, form.name_zh,
    )  # fmt: skip


def _board(file: YamlFile, named: str, folder: Path | None) -> str:
    if folder is None:
        if named not in built_in():
            raise file.refusal(("board",), *no_board(named))
        return named
    beside = folder / named
    board = str(beside) if beside.is_file() else named
    if not is_board(board):
        raise file.refusal(("board",), *no_board(named))
    return board


@dataclass(frozen=True, slots=True)
class _Steps:
    """Reads the steps of one file; without a board none is asked whether it fits."""

    file: YamlFile
    wrongs: Wrongs
    fitting: Fitting | None

    def read(self, rows: JsonValue, place: Place) -> tuple[PlacedStep, ...]:
        """Those that are right; the form has told of what is no list."""
        if not isinstance(rows, list):
            return ()
        if len(rows) > SCENARIO_STEPS_MAX:
            most = SCENARIO_STEPS_MAX
            self.wrongs.add(self.file.refusal(place, f"at most {most} steps", f"最多 {most} 步"))
            return ()
        placed: list[PlacedStep] = []
        for number, row in enumerate(rows):
            with self.wrongs.gathered():
                placed.append(self._step(row, (*place, number)))
        return tuple(placed)

    def _step(self, row: JsonValue, place: Place) -> PlacedStep:
        if not isinstance(row, dict) or not row:
            why = "a step is a verb with its object, such as 'wait: 200ms'"
            raise self.file.refusal(place, why, "一步是一个动词和它的宾语，例如 'wait: 200ms'")
        verb = next((word for word in row if word in STEPS), next(iter(row)))
        if verb not in STEPS:
            raise self.file.unknown_key((*place, verb), list(STEPS))
        is_repeat = STEPS[verb] is Repeat
        inner = self.read(row.get("steps"), (*place, "steps")) if is_repeat else ()
        step = self.file.validated(STEPS[verb], row, place)
        if self.fitting is not None:
            self.fitting.ask(step, place)
        return PlacedStep(step, self.file.line_of(place), inner)
