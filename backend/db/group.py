"""One group of commands in one transaction: prefetch, decide, seal, flush, commit.

``GroupRunner.run`` does all of it. ``ask``, ``decide``, ``send`` and ``finish`` are one try in four
steps, between which another group may have its turn on another connection (``turns``).

Rule 1: no answer leaves before the commit has returned.
Rule 2: a refusal or a bug in one command undoes that command only.
Rule 3: what fails a group for one command's sake (a key that exists, a bad value, a bug in what
        is written) is found by halving: the others succeed in about log2(n) commits.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import structlog

from backend.db.command import Command, FollowingCommand, Outcome, Read, Seal
from backend.db.limits import FOLLOW_WAVES_MAX, KEPT_ROWS_MAX
from backend.db.retry import with_retries
from backend.db.store import Store, StoreError
from backend.db.working_set import Kept, WorkingSet
from protocol.clock import Clock
from protocol.errors import CallerError, OperatingError, TillwayError

_log = structlog.get_logger()
_answered: Callable[[tuple[Any, None]], Outcome] = partial(tuple.__new__, Outcome)
"""Half the cost of a call by the class."""

Observer = Callable[[WorkingSet], None]
"""Told, on the writer's thread, what a group has made durable. It must not raise or block."""


@dataclass(frozen=True, slots=True)
class Group:
    """A group that was decided and is not durable yet."""

    commands: Sequence[Command]
    ws: WorkingSet
    outcomes: list[Outcome]
    seals: Sequence[Callable[[], None]]
    """What is left of sealing it."""


class GroupRunner:
    """Runs groups on one store, one at a time."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock,
        seals: Sequence[Seal] = (),
        observers: Sequence[Observer] = (),
    ) -> None:
        self._store = store
        self._clock = clock
        self._seals = tuple(seals)
        self._observers = tuple(observers)
        self._kept: Kept = {}

    def run(self, commands: Sequence[Command]) -> list[Outcome]:
        """The outcome of each command, in order. Never raises for a database error.

        A command whose value no database takes is a ``CallerError``: trying again cannot help.
        """
        try:
            return with_retries(lambda: self._attempt(commands), is_transient=self._is_transient)
        except StoreError as error:
            if len(commands) > 1 and error.kind in {"collision", "refused"}:
                _log_failure(commands, error)
                return self._run_halves(commands)
            return _all_failed(commands, error)
        except Exception as error:  # noqa: BLE001  # outermost: one command or group
            if len(commands) > 1:
                _log.error("group_bug", size=len(commands), error=type(error).__name__)
                return self._run_halves(commands)
            _log.exception("command_bug", command=type(commands[0]).__name__, step="write")
            return [Outcome(None, OperatingError("internal", type(error).__name__))]

    def ask(self, commands: Sequence[Command]) -> WorkingSet | None:
        """Begin, and ask for the rows that the commands name. None if that failed and is undone:
        ``run`` finds out why."""
        try:
            return self._ask(commands)
        except Exception as error:  # noqa: BLE001  # outermost: one command or group
            _log.warning("group_again", step="ask", error=type(error).__name__)
            return None

    def decide(self, commands: Sequence[Command], ws: WorkingSet) -> Group | None:
        """Read and decide. None if that failed and is undone, as with ``ask``."""
        try:
            return self._decide(commands, ws)
        except Exception as error:  # noqa: BLE001  # outermost: one command or group
            _log.warning("group_again", step="decide", error=type(error).__name__)
            return None

    def send(self, group: Group) -> bool:
        """Seal, hand over all changes and start the commit. False if that failed and is undone."""
        try:
            self._write(group)
        except Exception as error:  # noqa: BLE001  # outermost: one command or group
            _log.warning("group_again", step="send", error=type(error).__name__)
            return False
        self._store.start_commit()
        return True

    def finish(self, group: Group) -> list[Outcome] | None:
        """Wait until the group is durable. None if it is not, and may run again."""
        try:
            return self._finish(group)
        except StoreError as error:
            if error.kind in {"full", "failed"}:
                return _all_failed(group.commands, error)
            _log.warning("group_again", step="commit", kind=error.kind)
            return None

    def drop(self) -> None:
        """Forget a group that was decided and not made durable."""
        self._kept.clear()
        self._store.rollback()

    def _run_halves(self, commands: Sequence[Command]) -> list[Outcome]:
        middle = len(commands) // 2
        return self.run(commands[:middle]) + self.run(commands[middle:])

    def _is_transient(self, error: BaseException) -> bool:
        kind = error.kind if isinstance(error, StoreError) else "failed"
        return kind == "conflict" or (kind == "collision" and self._store.has_rivals)

    def _attempt(self, commands: Sequence[Command]) -> list[Outcome]:
        group = self._decide(commands, self._ask(commands))
        self._write(group)
        return self._finish(group)

    def _ask(self, commands: Sequence[Command]) -> WorkingSet:
        self._store.begin()
        with self._undoing():
            if self._store.has_news() or sum(map(len, self._kept.values())) > KEPT_ROWS_MAX:
                self._kept.clear()
            ws = WorkingSet(self._store, self._kept)
            ws.ask(_reads(commands))
            return ws

    def _decide(self, commands: Sequence[Command], ws: WorkingSet) -> Group:
        with self._undoing():
            ws.receive()
            _follow_all(commands, ws)
            now_ms = self._clock.now_ms()
            outcomes = [_decide(command, ws, now_ms) for command in commands]
            return Group(commands, ws, outcomes, self._prepared(ws, now_ms))

    def _prepared(self, ws: WorkingSet, now_ms: int) -> list[Callable[[], None]]:
        if not ws.mark():
            return []
        prepared = [seal.prepare(ws, now_ms) for seal in self._seals]
        return [add for add in prepared if add is not None]

    def _write(self, group: Group) -> None:
        with self._undoing():
            for seal in group.seals:
                seal()
            group.ws.flush()

    def _finish(self, group: Group) -> list[Outcome]:
        with self._undoing():
            self._store.commit()
        self._tell(group.ws)
        return group.outcomes

    @contextmanager
    def _undoing(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.drop()
            raise

    def _tell(self, ws: WorkingSet) -> None:
        """The group is durable: whatever an observer does, it stays answered as it is."""
        for observe in self._observers:
            try:
                observe(ws)
            except Exception:  # noqa: BLE001  # outermost: one observer
                _log.exception("observer_bug")


def _all_failed(commands: Sequence[Command], error: StoreError) -> list[Outcome]:
    _log_failure(commands, error)
    return [Outcome(None, _answer_to(error)) for _ in commands]


def _log_failure(commands: Sequence[Command], error: StoreError) -> None:
    _log.error("group_failed", size=len(commands), kind=error.kind, detail=error.detail)


def _answer_to(error: StoreError) -> TillwayError:
    match error.kind:
        case "refused":
            return CallerError("field_invalid", "a value that cannot be stored")
        case "conflict" | "full":
            return OperatingError("busy", error.kind)
    return OperatingError("internal", error.kind)


def _reads(commands: Sequence[Command]) -> list[Read]:
    wanted: list[Read] = []
    for command in commands:
        try:
            wanted.extend(command.reads())
        except Exception:  # noqa: BLE001  # outermost: one command or group
            # Its decide will meet the same bug and answer for it.
            _log.exception("command_bug", command=type(command).__name__, step="reads")
    return wanted


def _follow_all(commands: Sequence[Command], ws: WorkingSet) -> None:
    following = [
        cast(FollowingCommand, command) for command in commands if hasattr(command, "follow")
    ]
    for _ in range(FOLLOW_WAVES_MAX if following else 0):
        if not ws.prefetch([read for command in following for read in _follow(command, ws)]):
            return


def _follow(command: FollowingCommand, ws: WorkingSet) -> Sequence[Read]:
    try:
        return tuple(command.follow(ws))
    except StoreError:
        raise
    except Exception:  # noqa: BLE001  # outermost: one command or group
        _log.exception("command_bug", command=type(command).__name__, step="follow")
        return ()


def _decide(command: Command, ws: WorkingSet, now_ms: int) -> Outcome:
    mark = ws.mark()
    try:
        return _answered((command.decide(ws, now_ms), None))
    except TillwayError as error:
        ws.undo(mark)
        return Outcome(None, error)
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001  # outermost: one command or group
        ws.undo(mark)
        _log.exception("command_bug", command=type(command).__name__, step="decide")
        return Outcome(None, OperatingError("internal", type(error).__name__))
