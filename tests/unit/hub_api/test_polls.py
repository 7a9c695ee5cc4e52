"""Hubs wait for news: each of a store hears it, and one that has come back is heard anew."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import pytest

from backend.hub_api.limits import POLLS_OPEN_PER_HUB_MAX
from backend.hub_api.pushes import PushFeed
from backend.observability.metrics import Metrics
from protocol import cbor
from protocol.crypto.keys import generate
from tests.kit.patience import PATIENCE_S
from tests.support.shop import ShopClock

pytestmark = pytest.mark.asyncio
STORE = "store-1"
_T = TypeVar("_T")


class Nothing:
    """A store without news."""

    def after(self, store: str, seq: int, count_max: int) -> Sequence[Mapping[str, Any]]:
        return []


async def _at_once(work: Callable[..., _T], *arguments: object) -> _T:
    return work(*arguments)


def a_feed() -> PushFeed:
    return PushFeed(
        source=Nothing(),
        run_read=_at_once,
        signing_key=generate("Ed25519"),
        clock=ShopClock(),
        aside=_at_once,
        metrics=Metrics(),
    )


async def test_the_eldest_poll_of_a_hub_is_let_go_and_the_other_hub_waits_on() -> None:
    feed = a_feed()

    def poll(hub: str) -> asyncio.Task[bytes]:
        return asyncio.create_task(feed.next(hub, STORE, 0, 25))

    others = [poll("hub-2") for _ in range(POLLS_OPEN_PER_HUB_MAX)]
    own = [poll("hub-1") for _ in range(POLLS_OPEN_PER_HUB_MAX)]
    await asyncio.sleep(0)
    new = poll("hub-1")
    async with asyncio.timeout(PATIENCE_S):
        assert cbor.decode(await own[0], bytes_max=64) == []
    assert not any(task.done() for task in (*others, *own[1:], new))
    feed.close()
    async with asyncio.timeout(PATIENCE_S):
        rest = [await task for task in (*others, *own[1:], new)]
    assert [cbor.decode(answer, bytes_max=64) for answer in rest] == [[]] * len(rest)
