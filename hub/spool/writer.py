"""The thread that owns the spool: takes what has arrived, commits it once, reports each.

A job is a function of the store. Jobs run in the order of their submission; those that share a
commit succeed or fail together, because a failure here is the disk's, not a job's. After a failure
the disk counts as full until it has taken some room: one small commit that fits proves nothing.
"""

import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

import structlog

from hub.spool.limits import (
    COMMIT_JOBS_MAX,
    JOBS_WAITING_MAX,
    ROOM_AGAIN_S,
    STOP_TIMEOUT_S,
)
from hub.spool.store import SpoolStore
from protocol.errors import OperatingError

log = structlog.get_logger()
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Job(Generic[Result]):
    run: Callable[[SpoolStore], Result]
    done: Callable[[Result | BaseException], None]


Report = Callable[[list[Callable[[], None]]], None]
"""Carries finished jobs' callbacks to the thread that owns the core, as one group."""


class SpoolWriter:
    """Group commit."""

    def __init__(self, store: SpoolStore) -> None:
        self._store = store
        self._report: Report | None = None
        self._jobs: SimpleQueue[_Job[Any] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="hub-spool", daemon=True)
        self.commits = 0
        self.failures = 0
        self.is_writable = True

    def start(self, report: Report) -> None:
        """Begin. ``report`` is called from the writer's thread after each commit."""
        self._report = report
        self._thread.start()

    def submit(
        self,
        run: Callable[[SpoolStore], Result],
        done: Callable[[Result | BaseException], None],
    ) -> None:
        """Have a job committed; ``done`` gets its result, or what went wrong.

        Raises ``OperatingError("busy")`` when too many jobs wait. Called by one thread, the loop's:
        nobody else fills the queue between the question and the put.
        """
        if self._jobs.qsize() >= JOBS_WAITING_MAX:
            raise OperatingError("busy", "spool writer")
        self._jobs.put(_Job(run, done))

    def stop(self) -> None:
        """Finish what was submitted, then end and close the store."""
        self._jobs.put(None)
        self._thread.join(STOP_TIMEOUT_S)
        self._store.close()

    def _run(self) -> None:
        while (first := self._next()) is not None:
            jobs, is_last = self._gather(first)
            self._commit(jobs)
            if is_last:
                return

    def _next(self) -> _Job[Any] | None:
        while not self.is_writable:
            try:
                return self._jobs.get(timeout=ROOM_AGAIN_S)
            except Empty:
                self._look_for_room()
        return self._jobs.get()

    def _look_for_room(self) -> None:
        try:
            with self._store.transaction():
                self._store.take_room()
        except sqlite3.Error:
            return
        self.is_writable = True
        log.info("spool_writable")

    def _gather(self, first: _Job[Any]) -> tuple[list[_Job[Any]], bool]:
        jobs = [first]
        for _ in range(min(self._jobs.qsize(), COMMIT_JOBS_MAX - 1)):
            job = self._jobs.get()
            if job is None:
                return jobs, True
            jobs.append(job)
        return jobs, False

    def _commit(self, jobs: list[_Job[Any]]) -> None:
        results: list[Any] = []
        try:
            with self._store.transaction():
                results = [job.run(self._store) for job in jobs]
            self.commits += 1
            if not self.is_writable:
                self._look_for_room()
        except Exception as error:
            # The outermost loop of this thread: whatever the disk or a bug did, everybody is told.
            self.failures += 1
            self.is_writable = not isinstance(error, sqlite3.Error)
            log.exception("spool_commit_failed", jobs=len(jobs))
            results = [error] * len(jobs)
        assert self._report is not None
        self._report([_call(job, result) for job, result in zip(jobs, results, strict=True)])


def _call(job: _Job[Any], result: object) -> Callable[[], None]:
    return lambda: job.done(result)
