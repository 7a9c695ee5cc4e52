"""Goal: where a device holds the key, only what it has signed leaves, in order, and what it cannot
sign is given back.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import pytest

from protocol import envelope
from protocol.errors import CallerError, OperatingError
from terminal.adapters.dummy import DummyDeviceKey
from terminal.adapters.limits import SIGNATURES_WAITING_MAX
from terminal.adapters.memory_link import MemoryLink
from terminal.adapters.signing_link import SigningLink
from terminal.effects import Transmit
from terminal.inputs import LinkInput, LinkUp, Undelivered
from tests.unit.terminal.fakes import DEVICE_KEY, Bench


class Hub:
    """Checks each envelope as a hub does."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    def __call__(self, data: bytes) -> Iterable[bytes]:
        sealed = envelope.unseal(data)
        sealed.verify(DEVICE_KEY.public)
        self.taken.append(sealed.envelope.request_id)
        return []


def _drafts(count: int = 1) -> list[Transmit]:
    """What an agent without a private key wants sent."""
    benches = [Bench(key=DEVICE_KEY.public, seed=seed) for seed in range(1, count + 1)]
    return [bench.sent_of("device.hello")[0] for bench in benches]


@asynccontextmanager
async def _running(link: SigningLink) -> AsyncIterator[list[LinkInput]]:
    heard: list[LinkInput] = []
    task = asyncio.create_task(link.run(heard.append))
    while not heard:  # noqa: ASYNC110 - LinkUp comes at once
        await asyncio.sleep(0)
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _settled() -> None:
    for _ in range(200):
        await asyncio.sleep(0)


def test_an_agent_without_a_private_key_makes_drafts_that_nobody_takes() -> None:
    [parcel] = _drafts()
    assert parcel.draft is not None
    with pytest.raises(CallerError, match="envelope_malformed"):
        envelope.unseal(parcel.sealed)
    signed = parcel.draft.signed(DEVICE_KEY.sign(parcel.draft.message))
    envelope.unseal(signed).verify(DEVICE_KEY.public)


@pytest.mark.asyncio
async def test_what_the_device_signs_leaves_in_order() -> None:
    hub = Hub()
    link = SigningLink(MemoryLink(hub), DummyDeviceKey(DEVICE_KEY))
    parcels = _drafts(4)
    async with _running(link) as heard:
        for parcel in parcels:
            link.transmit(parcel)
        await _settled()
    assert hub.taken == [parcel.request_id for parcel in parcels]
    assert heard == [LinkUp()]


@pytest.mark.asyncio
async def test_what_the_device_cannot_sign_is_given_back_and_the_next_leaves() -> None:
    hub, key = Hub(), DummyDeviceKey(DEVICE_KEY)
    link = SigningLink(MemoryLink(hub), key)
    lost, sent = _drafts(2)
    async with _running(link) as heard:
        key.error = OperatingError("device_no_reply", "secure element")
        link.transmit(lost)
        await _settled()
        key.error = None
        link.transmit(sent)
        await _settled()
    assert heard == [LinkUp(), Undelivered(lost.request_id)]
    assert hub.taken == [sent.request_id]


@pytest.mark.asyncio
async def test_more_than_may_wait_is_given_back_at_once() -> None:
    link = SigningLink(MemoryLink(Hub()), DummyDeviceKey(DEVICE_KEY))
    [parcel] = _drafts()
    async with _running(link) as heard:
        for _ in range(SIGNATURES_WAITING_MAX + 1):
            link.transmit(parcel)
        assert heard == [LinkUp(), Undelivered(parcel.request_id)]


@pytest.mark.asyncio
async def test_what_is_signed_already_passes() -> None:
    hub = Hub()
    link = SigningLink(MemoryLink(hub), DummyDeviceKey(DEVICE_KEY))
    [parcel] = Bench().sent_of("device.hello")
    async with _running(link):
        link.transmit(parcel)
        await _settled()
    assert hub.taken == [parcel.request_id]
