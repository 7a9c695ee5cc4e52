"""Figures that are read again and again for the scraper."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from protocol.errors import OperatingError

_log = structlog.get_logger()


async def keep_reading(read: Callable[[], Awaitable[None]], *, every_s: float) -> None:
    """Read until cancelled; where the store does not answer, the gauges stay as they are."""
    while True:
        try:
            await read()
        except OperatingError as error:
            _log.warning("figures_paused", code=error.code)
        await asyncio.sleep(every_s)
