"""The scenarios that can be run by name: those built in, and those of a folder.

Rule 1: what is run by a request runs in virtual time and starts no program: a scenario with
``time: real`` is for the command line. Rule 2: a scenario that came with a request names a
built-in board; it reads no file.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from firmware_sim.limits import SCENARIOS_LISTED_MAX, YAML_BYTES_MAX
from firmware_sim.scenario.form import Scenario, scenario_of
from firmware_sim.scenario.steps import PlacedStep, Repeat
from firmware_sim.yaml_file import parse_yaml, read_yaml
from protocol.errors import CallerError

BUILT_IN = Path(__file__).parents[1] / "scenarios"


@dataclass(frozen=True, slots=True)
class Listed:
    """A scenario of the shelf; ``wrong`` says why it cannot be run."""

    name: str
    title: str
    title_zh: str
    board: str = ""
    seed: int = 0
    steps: int = 0
    wrong: str = ""
    wrong_zh: str = ""


class Shelf:
    """Scenario files by their name without ``.yaml``; a folder's own stand before those built
    in."""

    def __init__(self, folder: Path | None) -> None:
        self._folders = [*([folder] if folder else []), BUILT_IN]

    def listed(self) -> list[Listed]:
        """All of them, the first ``SCENARIOS_LISTED_MAX``."""
        return [self._listed(path) for path in self._paths()]

    def source(self, name: str) -> str:
        """What a file says; raises ``CallerError`` that names those there are."""
        return self._content(name).decode("utf-8", errors="replace")

    def scenario(self, name: str) -> Scenario:
        """A scenario by name; raises ``CallerError``."""
        path = self._path(name)
        return _runnable(scenario_of(read_yaml(path), path.parent))

    def _content(self, name: str) -> bytes:
        with self._path(name).open("rb") as file:
            return file.read(YAML_BYTES_MAX)

    def _paths(self) -> list[Path]:
        found: dict[str, Path] = {}
        for folder in self._folders:
            for path in sorted(folder.glob("*.yaml")):
                found.setdefault(path.stem, path)
        return list(found.values())[:SCENARIOS_LISTED_MAX]

    def _path(self, name: str) -> Path:
        for path in self._paths():
            if path.stem == name:
                return path
        there = ", ".join(path.stem for path in self._paths())
        raise CallerError(
            "field_invalid",
            f"no scenario {name!r}; there are {there}",
            detail_zh=f"没有场景 {name!r}，有：{there}",
        )

    def _listed(self, path: Path) -> Listed:
        try:
            scenario = self.scenario(path.stem)
        except CallerError as error:
            zh = error.detail_zh or error.detail
            return Listed(path.stem, path.stem, path.stem, wrong=error.detail, wrong_zh=zh)
        return Listed(
            path.stem, scenario.name, scenario.name_zh or scenario.name,
            Path(scenario.board).stem, scenario.seed, count_steps(scenario.steps),
        )  # fmt: skip


def scenario_in(source: str) -> Scenario:
    """The scenario that came with a request; raises ``CallerError``."""
    return _runnable(scenario_of(parse_yaml(source.encode(), "scenario"), None))


def count_steps(steps: tuple[PlacedStep, ...]) -> int:
    """How many steps will be taken, those of repeats as often as they are."""
    return sum(_counted(steps))


def _counted(steps: tuple[PlacedStep, ...]) -> Iterator[int]:
    for placed in steps:
        if isinstance(placed.step, Repeat):
            yield placed.step.repeat * count_steps(placed.inner)
        else:
            yield 1


def _runnable(scenario: Scenario) -> Scenario:
    if not scenario.is_virtual:
        why = "'time: real' is run by 'tillway sim scenario' only"
        raise CallerError(
            "field_invalid", why, detail_zh="'time: real' 只能用 'tillway sim scenario' 运行"
        )
    return scenario
