"""Drivers under test are closed whatever becomes of the test."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.kit.drivers import Opened


@pytest_asyncio.fixture
async def opened() -> AsyncIterator[Opened]:
    """Open a driver through this."""
    async with Opened() as drivers:
        yield drivers
