"""Several ways to give a code at once: scan it or tap it, whichever comes first."""

import asyncio
from collections.abc import Sequence

from protocol.errors import TillwayError
from terminal.ports import CodeScanner


class FirstCode:
    """``CodeScanner`` over others. One that fails does not stop the rest."""

    def __init__(self, scanners: Sequence[CodeScanner]) -> None:
        self._scanners = scanners

    async def scan(self, timeout_s: float) -> str:
        """As ``CodeScanner.scan``; where all fail, the error of the first that tried in vain, or
        else of the first."""
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(scanner.scan(timeout_s)) for scanner in self._scanners]
        try:
            errors: list[TillwayError] = []
            for next_done in asyncio.as_completed(tasks):
                try:
                    return await next_done
                except TillwayError as error:
                    errors.append(error)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        in_vain = [error for error in errors if not error.code.startswith("device_")]
        raise (in_vain or errors)[0]

    async def aclose(self) -> None:
        """As ``CodeScanner.aclose``."""
        for scanner in self._scanners:
            await scanner.aclose()
