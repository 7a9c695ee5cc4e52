"""A device that is revoked: how soon every hub of its store refuses it."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from backend.devices.model import DeviceCommand, DeviceKind
from backend.hub_api import pushes
from hub.domain.registry import Registry
from hub.news import read_devices, read_news
from protocol import cbor
from protocol.crypto.keys import VerifyKey
from tests.support.backend import HUB, STORE, Machine, Served, change, enrol, served

OTHER, TILL = "hub-2", "till-1"
NEVER_S, POLL_S, REACHED_S_MAX = 600, 20, 10
"""How often a poll looks by itself here; how long one waits that hears nothing; what "in seconds"
is held to: it took 4 ms."""


class Hub:
    """A hub's registry, kept up to date as the hub does it: the table, then the long poll."""

    def __init__(self, server: Served, session: aiohttp.ClientSession, name: str) -> None:
        self._server, self._session = server, session
        self._tls = server.client("hub", name)
        self.registry = Registry()
        self._cursor = 0

    def _key(self, _kid: bytes) -> VerifyKey:
        return self._server.backend.state.identity.signing_key.public

    async def _get(self, path: str) -> bytes:
        url = self._server.url("hub", f"/hub/v1/{path}")
        async with self._session.get(url, ssl=self._tls) as answer:
            assert answer.status == 200
            return await answer.read()

    async def start(self) -> None:
        table = await self._get(f"devices?store={STORE}")
        rows = read_devices(table, store=STORE, backend_key=self._key)
        self.registry.replace(rows, known=frozenset())
        await self._poll(0)

    async def until_refused(self) -> None:
        while self.registry.admits(TILL):
            await self._poll(POLL_S)

    async def _poll(self, wait_s: int) -> None:
        page = cbor.decode(
            await self._get(f"pushes?after={self._cursor}&wait_s={wait_s}"), bytes_max=2**20
        )
        news = read_news(page, store=STORE, backend_key=self._key)
        if news is not None:
            self._cursor = news.cursor
            for device in news.devices:
                self.registry.apply(device)


@pytest.mark.asyncio
async def test_every_hub_of_the_store_refuses_a_revoked_device_in_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushes, "PUSH_RECHECK_S", NEVER_S)
    async with served(tmp_path) as (server, _), aiohttp.ClientSession() as session:
        clock = server.backend.clock
        machines = [Machine(name, kind=DeviceKind.HUB, clock=clock) for name in (HUB, OTHER)]
        await enrol(server.backend, *machines, Machine(TILL, clock=clock))
        hubs = [Hub(server, session, name) for name in (HUB, OTHER)]
        for hub in hubs:
            await hub.start()
            assert hub.registry.admits(TILL)
        waiting = [asyncio.create_task(hub.until_refused()) for hub in hubs]
        await asyncio.sleep(0.2)
        await change(server.backend, TILL, DeviceCommand.REVOKE)
        async with asyncio.timeout(REACHED_S_MAX):
            await asyncio.gather(*waiting)
        assert all(hub.registry.find(TILL) is not None for hub in hubs)
