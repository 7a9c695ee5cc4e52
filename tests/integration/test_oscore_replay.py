"""Goal: what somebody recorded on a protected CoAP link is worth nothing, now and after a restart.

Method: the hub is a process of its own. A listener between it and a device keeps every datagram; a
plain UDP socket says them again: as they were, under other message
ids, from the recorded port and from its own, before and after the hub was killed.
"""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiocoap
import pytest

from protocol.trust import Trust
from terminal.adapters.coap_link import CoapLink, CoapPlace
from terminal.inputs import AnswerArrived, LinkUp
from tests.contract.test_uplink_contract import Heard
from tests.contract.test_uplink_contract import running as running_link
from tests.integration.test_hub_oscore import Listener, hello, parcel_of
from tests.integration.test_hub_process import running
from tests.kit.hub_shop import STORE
from tests.kit.hub_world import FakeBackend, Installation, World, until
from tests.kit.patience import PATIENCE_S
from tillway.demo.ports import lasting_port

pytestmark = pytest.mark.asyncio
TID = "vend-1"
SILENCE_S = 0.3
UNAUTHORIZED, BAD_REQUEST, EMPTY = 0x81, 0x80, 0x00
"""CoAP's codes, as they stand in a datagram's second byte (RFC 7252 §12.1)."""
REFUSED = {UNAUTHORIZED, BAD_REQUEST, EMPTY}


class Recorder(Listener):
    """Keeps what the device said, and what the hub did."""

    def __init__(self, hub_port: int) -> None:
        super().__init__(hub_port)
        self.said: list[bytes] = []
        self.answered: list[bytes] = []

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        (self.answered if address == self.hub else self.said).append(data)
        super().datagram_received(data, address)


@asynccontextmanager
async def recorded(port: int) -> AsyncIterator[tuple[Recorder, int]]:
    recorder = Recorder(port)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: recorder, local_addr=("127.0.0.1", 0)
    )
    try:
        yield recorder, transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


def config(installation: Installation, backend_port: int, coap_port: int) -> Path:
    file = installation.root / "hub.toml"
    file.write_text(
        f'state_dir = "{installation.root / "hub-1"}"\n'
        f'[backend]\nurl = "https://127.0.0.1:{backend_port}"\n[mqtt]\nport = 0\n'
        f'[coap]\nport = {coap_port}\nsecurity = "oscore"\n[http]\nport = 0\n'
    )
    return file


async def device_speaks(installation: Installation, port: int, counter: int) -> None:
    """A device agrees on keys, asks once, and is answered."""
    shop = installation.shop
    trust = Trust(tid=TID, store=STORE, backend=(), hubs=(shop.hub_key.public,))
    place = CoapPlace(host="127.0.0.1", port=port, tid=TID, hub_key=trust.hub_edhoc_key)
    link = CoapLink(place)
    world: World = type("Shop", (), {"shop": shop})()
    async with running_link(link) as heard:
        await heard.wait(LinkUp)
        await asks_until_answered(link, heard, world, counter)


async def asks_until_answered(link: CoapLink, heard: Heard, world: World, counter: int) -> None:
    link.transmit(parcel_of(hello(world, counter)))
    await heard.wait(AnswerArrived)


def renumbered(data: bytes, by: int) -> bytes:
    number = (int.from_bytes(data[2:4], "big") + by) % 65_536
    return data[:2] + number.to_bytes(2, "big") + data[4:]


async def say(udp: socket.socket, data: bytes, port: int) -> list[bytes]:
    """Send a datagram; what comes back for it until the hub has been silent for a while. To what is
    protected an answer comes, however long the hub takes."""
    loop, back = asyncio.get_running_loop(), list[bytes]()
    await loop.sock_sendto(udp, data, ("127.0.0.1", port))
    while True:
        is_awaited = is_protected(data) and not back
        try:
            async with asyncio.timeout(PATIENCE_S if is_awaited else SILENCE_S):
                heard = (await loop.sock_recvfrom(udp, 2_048))[0]
        except TimeoutError:
            return back
        if heard[2:4] == data[2:4] or (token_of(heard) and token_of(heard) == token_of(data)):
            back.append(heard)


def token_of(data: bytes) -> bytes:
    return data[4 : 4 + (data[0] & 0x0F)]


def is_protected(data: bytes) -> bool:
    return aiocoap.Message.decode(data).opt.oscore is not None


@asynccontextmanager
async def hub_of(tmp_path: Path) -> AsyncIterator[tuple[Installation, FakeBackend, Path]]:
    installation = Installation(tmp_path)
    backend = FakeBackend(installation.shop, rows=[installation.shop.row(TID)])
    async with backend.serving(installation.backend):
        yield installation, backend, config(installation, backend.port, lasting_port())


async def test_what_was_recorded_is_carried_out_by_nobody_now_or_after_a_restart(
    tmp_path: Path,
) -> None:
    async with hub_of(tmp_path) as (installation, backend, file):
        async with running(file) as hub:
            port = hub.ports["coap"]
            async with recorded(port) as (recorder, through):
                async with asyncio.timeout(PATIENCE_S):
                    await device_speaks(installation, through, 1)
                requests = [one for one in recorder.said if is_protected(one)]
                assert requests
                carried_out = list(backend.carried_out)
                await replays(requests, recorder, hub.ports["coap"])
                assert backend.carried_out == carried_out
                everything = list(recorder.said)
            assert await hub.stop(signal.SIGKILL) == -signal.SIGKILL
        async with running(file) as hub:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                udp.setblocking(False)
                for data in [*everything, *everything]:
                    codes = {one[1] for one in await say(udp, data, port)}
                    if is_protected(data):
                        assert {UNAUTHORIZED, BAD_REQUEST} & codes <= codes <= REFUSED, codes
            assert backend.carried_out == carried_out
            async with asyncio.timeout(PATIENCE_S):
                await device_speaks(installation, port, 100)
            assert len(backend.carried_out) == len(carried_out) + 1, "the device itself is heard"


async def replays(requests: list[bytes], recorder: Recorder, port: int) -> None:
    """From a port of ours, and from the device's (the recorder's own socket)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.setblocking(False)
        for by in (0, 1, 2):
            for data in requests:
                codes = {one[1] for one in await say(udp, renumbered(data, by), port)}
                assert UNAUTHORIZED in codes, "it is refused, not only unheard"
                assert codes <= REFUSED, (by, codes)
    before = len(recorder.answered)
    for data in requests:
        recorder.transport.sendto(renumbered(data, 7), recorder.hub)
    await until(lambda: UNAUTHORIZED in {one[1] for one in recorder.answered[before:]})
    await asyncio.sleep(SILENCE_S)
    answered = {one[1] for one in recorder.answered[before:]}
    assert answered <= REFUSED
