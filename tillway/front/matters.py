"""What keeps the guide's next press waiting: parts that it needs and that are not well just now."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tillway.front.parts import Part
from tillway.revival import Phase, Revival


@dataclass(frozen=True, slots=True)
class Matter:
    """One program; ``state`` is its phase, or how it answers while nobody says that it ended."""

    name: str
    state: str
    tries: int = 0


def matters(
    needs: Iterable[str], parts: Iterable[Part], revivals: Mapping[str, Revival]
) -> Iterator[Matter]:
    """What is the matter with the programs that are needed."""
    answers = {name: part.state for part in parts for name in part.programs}
    for name in needs:
        revival = revivals.get(name)
        if revival is not None and revival.phase is not Phase.RUNNING:
            yield Matter(name, revival.phase, revival.tries + (revival.phase is Phase.WAITING))
        elif answers.get(name, "ready") != "ready":
            yield Matter(name, answers[name])
