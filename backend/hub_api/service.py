"""What a hub may ask, once its certificate has said who it is."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from backend.db.command import Command
from backend.devices.repository import DeviceRepository
from backend.devices.service import ReportPresence
from backend.hub_api.batches import BatchDesk
from backend.hub_api.known_hubs import KnownHubs
from backend.hub_api.pushes import PushFeed
from protocol import cbor, cose
from protocol.clock import Clock
from protocol.crypto.keys import SigningKey
from protocol.errors import CallerError

REGISTRY_VERSION = 1


class HubService:
    """The hub interface without HTTP: what the routes and the simulation test call."""

    def __init__(
        self,
        *,
        desk: BatchDesk,
        feed: PushFeed,
        hubs: KnownHubs,
        repository: DeviceRepository,
        run_read: Callable[[Callable[[], Any]], Awaitable[Any]],
        submit: Callable[[Command], Awaitable[Any]],
        signing_key: SigningKey,
        clock: Clock,
    ) -> None:
        self._desk = desk
        self._feed = feed
        self._hubs = hubs
        self._repository = repository
        self._run_read = run_read
        self._submit = submit
        self._signing_key = signing_key
        self._clock = clock

    def now_ms(self) -> int:
        """Our time."""
        return self._clock.now_ms()

    async def answer_batch(self, hub: str, data: bytes) -> bytes:
        """See ``BatchDesk.answer``."""
        return await self._desk.answer(await self._hubs.row(hub), data)

    async def pushes(self, hub: str, after: int, wait_s: int) -> bytes:
        """See ``PushFeed.next``; only the hub's own store."""
        row = await self._hubs.row(hub)
        return await self._feed.next(hub, row.store, after, wait_s)

    async def registry(self, hub: str, store: str) -> bytes:
        """The devices of the hub's store: a COSE_Sign1 by the backend over the CBOR map
        ``{"version", "store", "at_ms", "devices": [row, …]}``."""
        row = await self._hubs.row(hub)
        if store != row.store:
            raise CallerError("identity_mismatch", "store")
        devices = await self._run_read(lambda: self._repository.of_store(store))
        snapshot = {
            "version": REGISTRY_VERSION,
            "store": store,
            "at_ms": self._clock.now_ms(),
            "devices": [device.to_wire() for device in devices],
        }
        return cose.sign1(self._signing_key, cbor.encode(snapshot))

    async def report(
        self, hub: str, at_ms: int, spool_depth: int, states: Sequence[tuple[str, bool, int]]
    ) -> None:
        """Keep what a hub says about itself and its devices."""
        await self._hubs.row(hub)
        said = [(hub, True, 0), *[state for state in states if state[0] != hub]]
        await asyncio.gather(
            *[
                self._submit(
                    ReportPresence(
                        hub=hub,
                        tid=tid,
                        is_online=is_online,
                        boot_epoch=boot_epoch,
                        spool_depth=spool_depth if tid == hub else 0,
                        at_ms=at_ms,
                    )
                )
                for tid, is_online, boot_epoch in said
            ]
        )

    async def check(self, hub: str) -> None:
        """Raises for a name that is no hub, or one that may not speak."""
        await self._hubs.row(hub)
