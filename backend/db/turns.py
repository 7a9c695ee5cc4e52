"""Two groups at a time, on a connection each: while the database makes one durable, the next one is
read, decided and hashed. With one store (SQLite) each group runs alone.

Rule 1: a group is chained and sent when the one before it is durable, and when the rows of the one
        after it have been asked for, if that waits already. So groups become durable in their
        order, and the database looks for those rows while we put the changes together.
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


@dataclass(slots=True)
class _Turn:
    """A group that is decided, and then on its way to the disk."""

    runner: GroupRunner
    group: Group
    answer: Answer
    is_sent: bool = False


class Turns:
    """Runs groups on one or two runners in turn, and tells their outcomes in order."""

    def __init__(self, runners: Sequence[GroupRunner]) -> None:
        self._runners = cycle(runners)
        self._is_alone = len(runners) == 1
        self._before: _Turn | None = None

    def run(
        self, commands: Sequence[Command], answer: Answer, *, is_followed: Callable[[], bool]
    ) -> None:
        """Run one group. If another one follows, the answer comes while that runs."""
        runner = next(self._runners)
        if self._is_alone:
            answer(runner.run(commands))
            return
        ws = runner.ask(commands)
        is_first = self._send(runner)
        group = runner.decide(commands, ws) if ws is not None and is_first else None
        if not self._finish(runner) or group is None:
            answer(runner.run(commands))
            return
        self._before = _Turn(runner, group, answer)
        if not is_followed():
            self._send(None)
        if not is_followed():
            self.finish()

    def finish(self) -> None:
        """Answer the group that is not answered yet, if there is one."""
        self._send(None)
        self._finish(None)

    def _send(self, following: GroupRunner | None) -> bool:
        """Send the group that is decided. False if it had to run again, as with ``_finish``."""
        turn = self._before
        if turn is None or turn.is_sent:
            return True
        turn.is_sent = turn.runner.send(turn.group)
        if not turn.is_sent:
            self._run_again(turn, following)
        return turn.is_sent

    def _finish(self, following: GroupRunner | None) -> bool:
        """False if the group had to run again, and the one that follows with it."""
        turn = self._before
        if turn is None:
            return True
        outcomes = turn.runner.finish(turn.group)
        if outcomes is None:
            self._run_again(turn, following)
            return False
        self._before = None
        turn.answer(outcomes)
        return True

    def _run_again(self, turn: _Turn, following: GroupRunner | None) -> None:
        self._before = None
        if following is not None:
            following.drop()
        turn.answer(turn.runner.run(turn.group.commands))
