"""The one writer: commands wait in a bounded queue, a thread takes whatever has arrived, and one
transaction makes all of it durable (ADR: group commit).

Rule 1: the thread owns the store and its twin from ``start`` to ``stop``; ``apply`` is for
        programs without it.
Rule 2: a full queue refuses at once with ``busy``: the caller tries again with the same id.
Rule 3: every command that was taken is answered. ``_gate`` makes "are we stopping?" and the put one
        step, so that the stop mark is the last thing that ever enters the queue.
"""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

import structlog

from backend.db.command import Command, Outcome, Seal
from backend.db.group import GroupRunner, Observer
from backend.db.limits import (
    COMMANDS_PER_GROUP_MAX,
    COMMANDS_PER_HALF_MIN,
    COMMANDS_PER_TURN_MIN,
    COMMANDS_WAITING_MAX,
)
from backend.db.store import Store
from backend.db.turns import Turns
from protocol.clock import Clock
from protocol.errors import OperatingError

_log = structlog.get_logger()


@dataclass(slots=True)
class _Asked:
    """Commands that are answered together: one future for all of them, which costs a loop as much
    as one for each."""

    future: asyncio.Future[list[Outcome]]
    loop: asyncio.AbstractEventLoop
    outcomes: list[Outcome]
    """Filled in order by the writer's thread alone."""
    number: int


_Item = tuple[Command, _Asked]


class GroupCommitWriter:
    """Submits commands to the writer thread; or applies them in place with the same code."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock,
        seals: Sequence[Seal] = (),
        observers: Sequence[Observer] = (),
        commands_per_group_max: int = COMMANDS_PER_GROUP_MAX,
        commands_waiting_max: int = COMMANDS_WAITING_MAX,
    ) -> None:
        self._store = store
        self._new_runner = partial(GroupRunner, clock=clock, seals=seals, observers=observers)
        self._runner = self._new_runner(store)
        self._twin: Store | None = None
        self._group_max = commands_per_group_max
        self._waiting_max = commands_waiting_max
        self._queue: SimpleQueue[_Item | None] = SimpleQueue()
        self._gate = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_stopping = False

    def start(self) -> None:
        """Start the thread. The writer can be started once."""
        assert self._thread is None
        assert not self._is_stopping
        self._twin = self._store.twin()
        self._thread = threading.Thread(target=self._work, name="ledger-writer", daemon=True)
        self._thread.start()

    async def submit(self, command: Command) -> Any:  # noqa: ANN401
        """The command's answer, after its commit. Raises its ``CallerError`` or ``OperatingError``;
        ``busy`` when the queue is full or the writer is stopping."""
        [outcome] = await self._ask([command])
        return outcome.value()

    async def submit_all(self, commands: Sequence[Command]) -> list[Outcome]:
        """The outcome of each command, in order, after the commit of the last. Each is decided for
        itself. ``OperatingError("busy")``, and none is taken, when the queue has no room for all of
        them or the writer is stopping."""
        if not commands:
            return []
        return await self._ask(commands)

    def _ask(self, commands: Sequence[Command]) -> asyncio.Future[list[Outcome]]:
        loop = asyncio.get_running_loop()
        asked = _Asked(loop.create_future(), loop, [], len(commands))
        with self._gate:
            if self._is_stopping or self._queue.qsize() + len(commands) > self._waiting_max:
                raise OperatingError("busy")
            assert self._thread is not None, "start the writer first"
            for command in commands:
                self._queue.put((command, asked))
        return asked.future

    def apply(self, commands: Sequence[Command]) -> list[Outcome]:
        """Run the commands now, in groups, on the caller's thread. For simulations and the CLI."""
        assert self._thread is None, "the writer's thread owns the store"
        outcomes: list[Outcome] = []
        for start in range(0, len(commands), self._group_max):
            outcomes.extend(self._runner.run(commands[start : start + self._group_max]))
        return outcomes

    def waiting(self) -> int:
        """How many commands wait. For metrics."""
        return self._queue.qsize()

    async def stop(self) -> None:
        """Refuse new commands, finish those that wait, close the store."""
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """As ``stop``, for programs without a loop."""
        with self._gate:
            if self._is_stopping:
                return
            self._is_stopping = True
            self._queue.put(None)
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._twin is not None:
            self._twin.close()
        self._store.close()

    def _work(self) -> None:
        twins = [self._new_runner(self._twin)] if self._twin is not None else []
        turns = Turns([self._runner, *twins])
        is_open = True
        while is_open:
            items, is_open = self._take()
            if items:
                turns.run(
                    [item[0] for item in items],
                    partial(_settle, items),
                    is_followed=self._is_followed,
                )
        turns.finish()

    def _is_followed(self) -> bool:
        return self._queue.qsize() >= COMMANDS_PER_TURN_MIN

    def _take(self) -> tuple[list[_Item], bool]:
        """Wait for one command, then take those that have arrived, up to the group's share or the
        stop mark, which is the last thing in the queue."""
        item = self._queue.get()
        items: list[_Item] = []
        most = self._share()
        while item is not None:
            items.append(item)
            if len(items) >= most:
                return items, True
            try:
                item = self._queue.get_nowait()
            except Empty:
                return items, True
        return items, False

    def _share(self) -> int:
        """How many commands this group may have."""
        if self._twin is None:
            return self._group_max
        return min(self._group_max, max(COMMANDS_PER_HALF_MIN, self._queue.qsize() // 2))


def _settle(items: list[_Item], outcomes: list[Outcome]) -> None:
    """Hand back what is complete, one call per event loop."""
    complete: list[_Asked] = []
    for (_, asked), outcome in zip(items, outcomes, strict=True):
        asked.outcomes.append(outcome)
        if len(asked.outcomes) == asked.number:
            complete.append(asked)
    for loop in {asked.loop for asked in complete}:
        settled = [asked for asked in complete if asked.loop is loop]
        try:
            loop.call_soon_threadsafe(_resolve, settled)
        except RuntimeError:
            _log.warning("answers_unheard", count=len(settled))


def _resolve(settled: list[_Asked]) -> None:
    for asked in settled:
        if not asked.future.done():
            asked.future.set_result(asked.outcomes)
