"""Threads for what blocks or takes long; their answers go straight to the event loop.

An executor's answer goes into a future with a lock of its own and from there into the loop's. Half
of what it costs to ask a thread and hear from it was that (docs/performance-way.md).
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

import structlog

_log = structlog.get_logger()
_T = TypeVar("_T")


class Aside(Protocol):
    """Has work done beside the loop, with these arguments."""

    def __call__(self, work: Callable[..., _T], *arguments: object) -> Awaitable[_T]: ...


@dataclass(frozen=True, slots=True)
class _Job:
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Any]
    work: Callable[..., Any]
    arguments: tuple[object, ...]


class Workers:
    """A fixed number of threads, started when they are first needed."""

    def __init__(self, threads: int, *, name: str) -> None:
        self._names = [f"{name}_{number}" for number in range(threads)]
        self._threads: list[threading.Thread] = []
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._is_closed = False

    def run(self, work: Callable[..., _T], *arguments: object) -> "asyncio.Future[_T]":
        """What ``work`` returns or raises. Asked on a loop, which hears the answer; who stops
        waiting before its work has begun prevents it."""
        if self._is_closed:
            raise RuntimeError("the workers have gone")
        if not self._threads:
            self._start()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[_T] = loop.create_future()
        self._jobs.put(_Job(loop, answer, work, arguments))
        return answer

    def close(self) -> None:
        """Finish what was asked, and wait for it."""
        self._is_closed = True
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _start(self) -> None:
        self._threads = [
            threading.Thread(target=self._work, name=name, daemon=True) for name in self._names
        ]
        for thread in self._threads:
            thread.start()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            _do(job)
            del job  # nothing of it lives on while there is nothing to do


def _do(job: _Job) -> None:
    if job.answer.cancelled():
        return
    try:
        result = job.work(*job.arguments)
    except BaseException as error:
        _tell(job, None, error)
        if not isinstance(error, Exception):
            raise  # it is not the work's, but means this thread
    else:
        _tell(job, result, None)


def _tell(job: _Job, result: object, error: BaseException | None) -> None:
    try:
        job.loop.call_soon_threadsafe(_settle, job.answer, result, error)
    except RuntimeError:
        _log.warning("answer_unheard")


def _settle(answer: asyncio.Future[Any], result: object, error: BaseException | None) -> None:
    if answer.done():
        return
    if error is None:
        answer.set_result(result)
    else:
        answer.set_exception(error)
