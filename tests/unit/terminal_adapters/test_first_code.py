"""Goal: with several ways to give a code the first counts, and one that fails stops no other."""

import asyncio

import pytest

from protocol.errors import OperatingError, TillwayError
from terminal.adapters.dummy import DummyScanner
from terminal.adapters.first_code import FirstCode


class _Broken(DummyScanner):
    """A scanner whose line is gone; it tells whether it was let go of."""

    is_closed = False

    async def scan(self, timeout_s: float) -> str:
        del timeout_s
        raise OperatingError("device_disconnected")

    async def aclose(self) -> None:
        self.is_closed = True


@pytest.mark.asyncio
async def test_the_first_code_counts_and_the_other_way_is_free_again() -> None:
    scanned, tapped = DummyScanner(), DummyScanner()
    both = FirstCode([scanned, tapped])
    waiting = asyncio.create_task(both.scan(5))
    await asyncio.sleep(0)
    tapped.show("tap")
    assert await waiting == "tap"
    scanned.show("scan")
    assert await both.scan(5) == "scan"


@pytest.mark.asyncio
async def test_a_way_that_fails_does_not_stop_the_other() -> None:
    scanned = DummyScanner()
    scanned.show("scan")
    assert await FirstCode([_Broken(), scanned]).scan(5) == "scan"


@pytest.mark.asyncio
async def test_nobody_came_is_said_before_a_line_is_gone() -> None:
    with pytest.raises(TillwayError, match="scan_timeout"):
        await FirstCode([_Broken(), DummyScanner()]).scan(0.01)
    with pytest.raises(TillwayError, match="device_disconnected"):
        await FirstCode([_Broken(), _Broken()]).scan(0.01)


@pytest.mark.asyncio
async def test_all_are_closed_together() -> None:
    ways = [_Broken(), _Broken()]
    await FirstCode(ways).aclose()
    assert all(way.is_closed for way in ways)
