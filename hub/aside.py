"""Signatures beside the loop, or in it where there are few: two hand-overs cost more than they."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

from hub.shell_limits import SIGNATURES_IN_LOOP_MAX

_T = TypeVar("_T")


class Aside:
    """The hub's worker threads, for work on so many envelopes or answers at once."""

    def __init__(self, workers: Executor) -> None:
        self._workers = workers

    async def run(self, count: int, work: Callable[..., _T], *arguments: object) -> _T:
        """What ``work`` returns or raises. Up to ``SIGNATURES_IN_LOOP_MAX`` it is done at once."""
        if count <= SIGNATURES_IN_LOOP_MAX:
            return work(*arguments)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._workers, work, *arguments)
