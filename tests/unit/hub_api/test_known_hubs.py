"""A hub's row is asked for once in a while, and again as soon as a device has changed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from backend.bootstrap import Backend
from backend.devices.model import DeviceCommand, DeviceKind
from backend.devices.repository import DeviceRepository
from backend.hub_api.known_hubs import KnownHubs
from backend.hub_api.limits import HUB_ROW_AGE_MS_MAX
from protocol.errors import CallerError
from tests.support.backend import HUB, TILL, Machine, change, enrol, initialised, make_backend


class Asked:
    """Runs reads at once, counts them, and may do something else before each is over."""

    def __init__(self) -> None:
        self.count = 0
        self.meanwhile: Callable[[], Awaitable[object]] = _nothing

    async def run(self, read: Callable[[], Any]) -> Any:
        self.count += 1
        found = await asyncio.to_thread(read)
        await self.meanwhile()
        return found


async def _nothing() -> None:
    """Meanwhile nothing happens."""


class World:
    """A backend with a hub, and a memory of hubs whose reads and time the test has."""

    def __init__(self, backend: Backend, repository: DeviceRepository) -> None:
        self.backend = backend
        self.asked, self.now_s = Asked(), 100.0
        self.hubs = KnownHubs(repository, self.asked.run, lambda: self.now_s)
        backend.known_hubs = self.hubs


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    settings, _ = initialised(tmp_path)
    backend = make_backend(settings)
    await backend.start()
    await enrol(backend, Machine(HUB, kind=DeviceKind.HUB), Machine(TILL))
    yield World(backend, backend._devices)
    await backend.stop()


@pytest.mark.asyncio
async def test_a_row_is_believed_for_a_moment(world: World) -> None:
    first = await world.hubs.row(HUB)
    world.now_s += HUB_ROW_AGE_MS_MAX / 1000 - 0.001
    assert await world.hubs.row(HUB) is first
    world.now_s += 0.002
    assert await world.hubs.row(HUB) is not first
    assert world.asked.count == 2


@pytest.mark.asyncio
async def test_whoever_was_told_that_a_hub_is_stopped_finds_it_stopped(world: World) -> None:
    await world.hubs.row(HUB)
    await change(world.backend, HUB, DeviceCommand.SUSPEND)
    with pytest.raises(CallerError, match="device_suspended"):
        await world.hubs.row(HUB)
    await change(world.backend, HUB, DeviceCommand.RESUME)
    assert (await world.hubs.row(HUB)).tid == HUB


@pytest.mark.asyncio
async def test_what_was_read_while_a_device_changed_is_not_kept(world: World) -> None:
    world.asked.meanwhile = lambda: change(world.backend, HUB, DeviceCommand.SUSPEND)
    await world.hubs.row(HUB)
    world.asked.meanwhile = _nothing
    with pytest.raises(CallerError, match="device_suspended"):
        await world.hubs.row(HUB)


@pytest.mark.asyncio
@pytest.mark.parametrize(("name", "code"), [("hub-9", "device_unknown"), (TILL, "identity")])
async def test_whoever_is_no_hub_is_refused_each_time(world: World, name: str, code: str) -> None:
    for _ in range(2):
        with pytest.raises(CallerError, match=code):
            await world.hubs.row(name)
    assert world.asked.count == 2
