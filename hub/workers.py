"""Runs the arithmetic of signatures: on worker threads, or in the loop where there is little of it.

Handing work to a thread and back costs more than checking a few signatures does.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

from hub.shell_limits import SIGNATURES_IN_LOOP_MAX

_T = TypeVar("_T")


class Workers:
    """The hub's worker threads, as the loop uses them."""

    def __init__(self, threads: Executor) -> None:
        self._threads = threads

    async def run(self, count: int, work: Callable[..., _T], *arguments: object) -> _T:
        """What ``work`` on so many envelopes or answers returns or raises. Up to
        ``SIGNATURES_IN_LOOP_MAX`` of them are worked on in the loop."""
        if count <= SIGNATURES_IN_LOOP_MAX:
            return work(*arguments)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, work, *arguments)
