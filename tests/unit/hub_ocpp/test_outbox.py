"""What waits to be told to a charger that does not answer yet."""

import asyncio
from typing import Any

import pytest

from hub.ocpp.connection import Outbox
from hub.ocpp.limits import CALLS_OPEN_MAX

pytestmark = pytest.mark.asyncio


async def told(outbox: Outbox) -> list[tuple[str, dict[str, Any]]]:
    """All that waits, in its order."""
    found: list[tuple[str, dict[str, Any]]] = []
    while True:
        taking = asyncio.ensure_future(outbox.take())
        await asyncio.sleep(0)
        if not taking.done():
            taking.cancel()
            return found
        found.append(taking.result())


async def test_each_connector_is_shown_its_own_latest() -> None:
    outbox = Outbox()
    outbox.put("DataTransfer", {"code": "old"}, shows=1)
    outbox.put("RemoteStopTransaction", {"transactionId": 7})
    outbox.put("DataTransfer", {"code": "other"}, shows=2)
    outbox.put("DataTransfer", {"code": "new"}, shows=1)
    assert await told(outbox) == [
        ("RemoteStopTransaction", {"transactionId": 7}),
        ("DataTransfer", {"code": "other"}),
        ("DataTransfer", {"code": "new"}),
    ]


async def test_displays_give_way_to_what_moves_a_charge_and_the_oldest_goes() -> None:
    outbox = Outbox()
    outbox.put("RemoteStopTransaction", {"transactionId": 7})
    for connector in range(1, CALLS_OPEN_MAX + 3):
        outbox.put("CostUpdated", {"connector": connector}, shows=connector)
    waiting = await told(outbox)
    assert len(waiting) == CALLS_OPEN_MAX
    assert waiting[0][0] == "RemoteStopTransaction"
    assert waiting[-1] == ("CostUpdated", {"connector": CALLS_OPEN_MAX + 2})
    for number in range(CALLS_OPEN_MAX + 1):
        outbox.put("RemoteStopTransaction", {"transactionId": number})
    assert [payload["transactionId"] for _, payload in await told(outbox)] == list(
        range(1, CALLS_OPEN_MAX + 1)
    )
