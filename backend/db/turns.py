"""Two groups at a time, on a connection each: while the database makes one durable, the next one is
read, decided and hashed. With one store (SQLite) each group runs alone.

Rule 1: a group is chained and sent when the one before it is durable. So groups become durable in
        their order, and what the database works on never waits for us.
Rule 2: what has been read meanwhile is what any rival would have read: rows that may change are
        locked by the read, sums are refused by their floor, a key that exists collides. Whoever has
        had an answer finds it in every group that is begun after.
Rule 3: a group that fails runs again by itself (``GroupRunner.run``), and the next one, which may
        hold locks that it needs, is dropped before and runs after it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle

from backend.db.command import Command, Outcome
from backend.db.group import Group, GroupRunner

Answer = Callable[[list[Outcome]], None]


@dataclass(frozen=True, slots=True)
class _Sent:
    """A group that is on its way to the disk."""

    runner: GroupRunner
    group: Group
    answer: Answer


class Turns:
    """Runs groups on one or two runners in turn, and tells their outcomes in order."""

    def __init__(self, runners: Sequence[GroupRunner]) -> None:
        self._runners = cycle(runners)
        self._is_alone = len(runners) == 1
        self._sent: _Sent | None = None

    def run(
        self, commands: Sequence[Command], answer: Answer, *, is_followed: Callable[[], bool]
    ) -> None:
        """Run one group. If another one follows, the answer comes while that runs."""
        runner = next(self._runners)
        if self._is_alone:
            answer(runner.run(commands))
            return
        group = runner.decide(commands)
        if not self._finish(runner):
            group = None
        if group is None or not runner.send(group):
            answer(runner.run(commands))
            return
        self._sent = _Sent(runner, group, answer)
        if not is_followed():
            self.finish()

    def finish(self) -> None:
        """Answer the group that is on its way, if there is one."""
        self._finish(None)

    def _finish(self, following: GroupRunner | None) -> bool:
        """False if the group had to run again, and the one that follows with it."""
        sent, self._sent = self._sent, None
        if sent is None:
            return True
        outcomes = sent.runner.finish(sent.group)
        if outcomes is not None:
            sent.answer(outcomes)
            return True
        if following is not None:
            following.drop()
        sent.answer(sent.runner.run(sent.group.commands))
        return False
