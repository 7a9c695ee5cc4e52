"""Does a scenario fit its board? Asked of every step before the first is taken.

Rule 1: a step that its board can never do is wrong, by file and line, with what would be right.
Rule 2: what only a moment can say (does the pin pad want a card now?) is left to the run.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from firmware_sim.board_file import BoardDevice, BoardFile
from firmware_sim.kinds.kind import Kind, State
from firmware_sim.nearest import nearest
from firmware_sim.scenario.comparing import is_no_bound
from firmware_sim.scenario.steps import (
    Check,
    Do,
    Send,
    Step,
    Until,
    device_of,
    verb_of,
    words_of,
)
from firmware_sim.wrongs import Wrongs
from firmware_sim.yaml_file import Place, YamlFile


@dataclass(frozen=True, slots=True)
class Fitting:
    """One file's steps against its board; ``wrongs`` gathers what does not fit."""

    file: YamlFile
    board: BoardFile
    is_virtual: bool
    wrongs: Wrongs
    _states: dict[str, State] = field(default_factory=dict)

    def ask(self, step: Step, place: Place) -> None:
        """The step that stands at ``place``."""
        name, verb = device_of(step), verb_of(step)
        if name is None:
            return
        there = self.board.devices
        if name not in there:
            what, what_zh = f"no device {name!r}", f"没有器件 {name!r}"
            self._wrong((*place, verb), what, what_zh, name, there)
            return
        device = there[name]
        match step:
            case Do():
                self._ask_deed(step, device.kind, place)
            case Send() if not self.is_virtual:
                why = "a scenario in real time hears the lines; it does not send"
                why_zh = "真实时间的场景只听线路，不发送"
                self.wrongs.add(self.file.refusal((*place, verb), why, why_zh))
            case Check() | Until():
                self._ask_state(name, device, step.state, (*place, "state"))

    def _ask_deed(self, step: Do, kind: Kind, place: Place) -> None:
        name = step.do.partition(".")[2]
        act = kind.act(name)
        if act is None:
            there = [one.name for one in kind.acts]
            what, what_zh = f"{kind.name} has no act {name!r}", f"{kind.name} 没有动作 {name!r}"
            self._wrong((*place, "do"), what, what_zh, name, there)
            return
        with self.wrongs.gathered():
            self.file.validated(act.body, words_of(step), place)

    def _ask_state(
        self, name: str, device: BoardDevice, wanted: Mapping[str, JsonValue], place: Place
    ) -> None:
        if name not in self._states:
            self._states[name] = device.kind.state(device.kind.build(device.entry, b""))
        there = self._states[name]
        for word, said in wanted.items():
            if word not in there:
                what, what_zh = f"{name} has no {word!r}", f"{name} 没有 {word!r}"
                self._wrong((*place, word), what, what_zh, word, there)
            elif is_no_bound(there[word], said):
                why = f"{said!r} is no bound: a bound is >=, <=, >, < or != and a whole number"
                why_zh = f"{said!r} 不是界限：界限是 >=、<=、>、< 或 != 加一个整数"
                self.wrongs.add(self.file.refusal((*place, word), why, why_zh))

    def _wrong(
        self, place: Place, what: str, what_zh: str, word: str, there: Iterable[str]
    ) -> None:
        known = list(there)
        near = nearest(word, known)
        hint = f"did you mean {near!r}?" if near else f"there are {', '.join(known) or 'none'}"
        hint_zh = f"是不是 {near!r}？" if near else f"有：{'、'.join(known) or '无'}"
        self.wrongs.add(self.file.refusal(place, f"{what}; {hint}", f"{what_zh}；{hint_zh}"))
