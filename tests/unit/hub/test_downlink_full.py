"""A hub that has no room for news still notices that the backend is there, and who was revoked."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import pytest

from hub.domain import delivery
from hub.domain.effects import Push
from hub.downlink import Downlink
from hub.line import BackendLine
from hub.shell import HubShell
from protocol import cbor, cose
from protocol.errors import OperatingError
from tests.kit.hub_shop import NOW_MS, Bench, Shop


class Line:
    """Counts the polls, and brings nothing that may be kept."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self.waits: list[int] = []

    async def pushes(self, *, after: int, wait_s: int) -> object:
        self.waits.append(wait_s)
        return [["what", "must", "not", "be", "read"]]

    async def devices(self, store: str) -> bytes:
        rows = [self._shop.row("till-1", status="revoked", revision=2)]
        table = {"version": 1, "store": store, "at_ms": NOW_MS, "devices": rows}
        return cose.sign1(self._shop.backend_key, cbor.encode(table))


class Shell:
    def changed(self) -> None:
        pass


def test_without_room_a_short_poll_tells_that_the_backend_is_back_and_who_was_revoked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench()
    line = Line(bench.shop)
    bench.enrol("till-1")
    bench.hub.pushes_arrived(
        1, [Push(cursor=1, device="till-1", kind="res", payload=bench.shop.push("till-1", 1))]
    )
    monkeypatch.setattr(delivery, "PARCELS_MAX", bench.hub.core.delivery.parcels)
    core = bench.hub.core
    core.poll_failed()
    assert (core.line.is_up, core.registry.admits("till-1")) == (False, True)
    with ThreadPoolExecutor(1) as workers:
        downlink = Downlink(
            core=core,
            shell=cast(HubShell, Shell()),
            line=cast(BackendLine, line),
            backend_key=bench.shop.find_backend_key,
            workers=workers,
            clock=bench.clock,
            entropy=bench.shop.entropy,
            connected=None,
        )
        with pytest.raises(OperatingError, match="busy"):
            asyncio.run(downlink.poll())
    assert core.line.is_up
    assert line.waits == [0], "it keeps nobody waiting for what it would not take"
    assert core.cursor == 1
    assert not core.registry.admits("till-1")
    bench.close()
