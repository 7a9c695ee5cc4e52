"""When each step of a group has its turn, and what becomes of the group behind one that fails."""

from collections.abc import Sequence
from typing import Any, cast

from backend.db.command import Command, Outcome
from backend.db.group import Group, GroupRunner
from backend.db.turns import Turns
from backend.db.working_set import WorkingSet


class Steps:
    """A runner that notes its steps; the groups are named by their only command."""

    def __init__(self, log: list[str], failing: set[str]) -> None:
        self._log, self._failing = log, failing

    def ask(self, commands: Sequence[str]) -> str | None:
        return self._note("ask", commands[0])

    def decide(self, commands: Sequence[str], ws: str) -> Group | None:
        assert ws == commands[0]
        if self._note("decide", ws) is None:
            return None
        return Group(cast(Sequence[Command], commands), cast(WorkingSet, ws), [], ())

    def send(self, group: Group) -> bool:
        return self._note("send", str(group.commands[0])) is not None

    def finish(self, group: Group) -> list[Outcome] | None:
        name = self._note("finish", str(group.commands[0]))
        return None if name is None else [Outcome(name, None)]

    def drop(self) -> None:
        self._log.append("drop")

    def run(self, commands: Sequence[str]) -> list[Outcome]:
        self._note("run", commands[0])
        return [Outcome(commands[0], None)]

    def _note(self, step: str, name: str) -> str | None:
        self._log.append(f"{step} {name}")
        return None if f"{step} {name}" in self._failing else name


def steps_of(groups: str, *failing: str, waiting: Sequence[bool] = ()) -> list[str]:
    """What happens to groups of these names, of which the next one waits each time it is asked
    about, unless it is said otherwise."""
    log: list[str] = []
    runners = [cast(GroupRunner, Steps(log, set(failing))) for _ in range(2)]
    turns, answers = Turns(runners), iter(waiting)
    for name in groups:
        turns.run(
            cast(Any, [name]),
            lambda outcomes: log.append(f"answer {outcomes[0].result}"),
            is_followed=lambda: next(answers, True),
        )
    turns.finish()
    return log


def test_rows_of_the_next_group_are_asked_for_before_the_changes_of_this_one_are_sent() -> None:
    assert steps_of("abc") == [
        "ask a", "decide a",
        "ask b", "send a", "decide b", "finish a", "answer a",
        "ask c", "send b", "decide c", "finish b", "answer b",
        "send c", "finish c", "answer c",
    ]  # fmt: skip


def test_a_group_that_nobody_waits_behind_is_sent_and_answered_at_once() -> None:
    assert steps_of("a", waiting=[False, False]) == [
        "ask a", "decide a", "send a", "finish a", "answer a",
    ]  # fmt: skip


def test_a_group_is_sent_at_once_and_answered_behind_one_that_comes_just_then() -> None:
    assert steps_of("ab", waiting=[False, True]) == [
        "ask a", "decide a", "send a",
        "ask b", "decide b", "finish a", "answer a",
        "send b", "finish b", "answer b",
    ]  # fmt: skip


def test_behind_a_group_that_cannot_be_sent_the_next_one_gives_its_locks_back_and_runs_after() -> (
    None
):
    assert steps_of("ab", "send a") == [
        "ask a", "decide a",
        "ask b", "send a", "drop", "run a", "answer a", "run b", "answer b",
    ]  # fmt: skip


def test_behind_a_group_that_is_not_durable_the_next_one_gives_its_locks_back_and_runs_after() -> (
    None
):
    assert steps_of("ab", "finish a") == [
        "ask a", "decide a",
        "ask b", "send a", "decide b", "finish a", "drop", "run a", "answer a", "run b", "answer b",
    ]  # fmt: skip


def test_a_group_that_cannot_be_read_runs_by_itself_when_the_one_before_is_answered() -> None:
    for step in ("ask b", "decide b"):
        steps = steps_of("ab", step)
        assert steps[-4:] == ["finish a", "answer a", "run b", "answer b"]
        assert steps.index("send a") < steps.index("finish a")
