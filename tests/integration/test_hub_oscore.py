"""CoAP that others can hear, protected by OSCORE and EDHOC: a device's own link to a whole hub, a
listener in between, strangers, and contexts that are gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import aiocoap
import lakers
import pytest
from aiocoap.numbers.codes import Code

from hub.coap import protection
from hub.coap.given_context import GivenContexts
from hub.coap.given_keys import KEYS_NAME, KeyBook
from hub.coap.limits import CONTEXTS_HALF_OPEN_MAX
from hub.coap.protection import Contexts
from protocol import answers, envelope
from protocol.crypto.keys import generate
from protocol.trust import Trust
from terminal.adapters.coap_link import CoapLink, CoapPlace
from terminal.adapters.coap_protection import protect
from terminal.effects import Transmit
from terminal.inputs import AnswerArrived, LinkUp, Undelivered
from tests.contract.test_uplink_contract import Heard, running
from tests.kit.hub_shop import STORE
from tests.kit.hub_world import PASSPHRASE, World, now_ms, running_world, until
from tests.kit.patience import PATIENCE_S

pytestmark = pytest.mark.asyncio
TID = "vend-1"
PROTECTED = {"port": 0, "security": "oscore"}


class Listener(asyncio.DatagramProtocol):
    """Stands between device and hub, passes on what it hears, and may say it again."""

    def __init__(self, hub_port: int) -> None:
        self.hub = ("127.0.0.1", hub_port)
        self.device: Any = None
        self.heard: list[bytes] = []
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        self.heard.append(data)
        if address != self.hub:
            self.device = address
        self.transport.sendto(data, self.device if address == self.hub else self.hub)


@asynccontextmanager
async def listening(world: World) -> AsyncIterator[tuple[Listener, int]]:
    loop = asyncio.get_running_loop()
    listener = Listener(world.hub.ports["coap"])
    transport, _ = await loop.create_datagram_endpoint(
        lambda: listener, local_addr=("127.0.0.1", 0)
    )
    try:
        yield listener, transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


@asynccontextmanager
async def client() -> AsyncIterator[aiocoap.Context]:
    found = await aiocoap.Context.create_client_context(transports=["oscore", "udp6"])
    try:
        yield found
    finally:
        await found.shutdown()


def trust_of(world: World) -> Trust:
    """Of a device that was enrolled before this hub had its key: the backend introduces it."""
    earlier = generate("ES256").public
    backend = world.shop.backend_key.public
    return Trust(tid=TID, store=STORE, backend=(backend,), hubs=(earlier,))


def base(port: int) -> str:
    return f"coap://127.0.0.1:{port}"


async def protected(world: World, found: aiocoap.Context, port: int) -> bool:
    state = f"{base(port)}/p1/hub/state"
    return await protect(found, base(port), state, tid=TID, key_of=trust_of(world).hub_edhoc_key)


async def ask(found: aiocoap.Context, port: int, path: str, **fields: Any) -> aiocoap.Message:
    message = aiocoap.Message(uri=f"{base(port)}/{path}", **fields)
    async with asyncio.timeout(PATIENCE_S):
        return await found.request(message).response


def hello(world: World, counter: int) -> bytes:
    return world.shop.envelope(TID, counter, transport="coap", sent_at_ms=now_ms())


def parcel_of(sealed: bytes) -> Transmit:
    asked = envelope.unseal(sealed).envelope
    return Transmit(
        request_id=asked.request_id, message_type=asked.message_type, sealed=sealed, expiry_s=60
    )


async def state_is_told(world: World) -> None:
    async with client() as plain:
        port = world.hub.ports["coap"]
        async with asyncio.timeout(PATIENCE_S):
            while not (await ask(plain, port, "p1/hub/state", code=aiocoap.GET)).payload:
                pass


def contexts_of_nobody(place: Path) -> Contexts:
    def reseal(*_: aiocoap.Message) -> None:
        pass

    with closing(KeyBook(place / KEYS_NAME, lambda: PASSPHRASE)) as book:
        return Contexts(reseal, GivenContexts(book, reseal))


async def test_a_listener_learns_neither_the_device_nor_what_it_asks(tmp_path: Path) -> None:
    async with running_world(tmp_path, TID, coap=PROTECTED) as world:
        async with listening(world) as (listener, port):
            key = trust_of(world).hub_edhoc_key
            link = CoapLink(CoapPlace(host="127.0.0.1", port=port, tid=TID, hub_key=key))
            async with running(link) as heard:
                await talk(world, link, heard)
            wire = b"".join(listener.heard)
        assert len(world.backend.carried_out) == 1
        assert len(listener.heard) > 6
        for secret in (TID.encode(), b"pong", world.backend.carried_out[0].encode(), b"p1\x03req"):
            assert secret not in wire


async def talk(world: World, link: CoapLink, heard: Heard) -> None:
    """A request with its answer, and a push with its acknowledgement."""
    await heard.wait(LinkUp)
    link.transmit(parcel_of(hello(world, 1)))
    await heard.wait(AnswerArrived)
    world.backend.push("answer", TID, world.shop.push(TID, 7))
    pushed = await heard.wait(AnswerArrived, 2)
    assert answers.unseal(pushed.data).answer.body["now_ms"] == 7
    await until(lambda: world.hub.core.delivery.parcels == 0)


async def test_what_comes_plainly_is_refused_but_for_the_hubs_signed_state(tmp_path: Path) -> None:
    async with running_world(tmp_path, TID, coap=PROTECTED) as world, client() as plain:
        port = world.hub.ports["coap"]
        body: dict[str, Any] = {"code": aiocoap.POST, "content_format": 18}
        refused = await ask(plain, port, "p1/req", payload=hello(world, 1), **body)
        assert refused.code == Code.UNAUTHORIZED
        watched = await ask(plain, port, f"p1/t/{TID}/cmd", code=aiocoap.GET, observe=0)
        assert watched.code == Code.UNAUTHORIZED
        assert world.backend.carried_out == []
        await state_is_told(world)


async def test_a_datagram_said_again_under_another_message_id_is_not_carried_out(
    tmp_path: Path,
) -> None:
    async with (
        running_world(tmp_path, TID, coap=PROTECTED) as world,
        listening(world) as (listener, port),
        client() as device,
    ):
        await state_is_told(world)
        assert await protected(world, device, port)
        listener.heard.clear()
        body: dict[str, Any] = {"code": aiocoap.POST, "content_format": 18}
        answer = await ask(device, port, "p1/req", payload=hello(world, 1), **body)
        assert answer.code == Code.CHANGED
        request = listener.heard[0]
        again = request[:2] + bytes((request[2] ^ 1,)) + request[3:]
        listener.heard.clear()
        listener.transport.sendto(again, listener.hub)
        await until(lambda: bool(listener.heard))
        assert listener.heard[0][1] == Code.UNAUTHORIZED
        assert len(world.backend.carried_out) == 1


async def test_a_large_envelope_goes_in_blocks(tmp_path: Path) -> None:
    async with running_world(tmp_path, TID, coap=PROTECTED) as world, client() as device:
        await state_is_told(world)
        port = world.hub.ports["coap"]
        assert await protected(world, device, port)
        body: dict[str, Any] = {"code": aiocoap.POST, "content_format": 18}
        answer = await ask(device, port, "p1/req", payload=bytes(3_000), **body)
        refusal = answers.unseal(answer.payload).verify(world.shop.hub_key.public)
        assert refusal.body["error"]["code"] == "envelope_malformed"


async def test_a_device_agrees_only_with_the_hub_that_its_store_has(tmp_path: Path) -> None:
    async with running_world(tmp_path, TID, coap=PROTECTED) as world, client() as device:
        await state_is_told(world)
        port = world.hub.ports["coap"]
        state = f"{base(port)}/p1/hub/state"
        other = Trust(tid=TID, store=STORE, backend=(), hubs=(generate("ES256").public,))
        key_of = other.hub_edhoc_key
        assert not await protect(device, base(port), state, tid=TID, key_of=key_of)
        wrong = contexts_of_nobody(tmp_path).public_key
        assert not await protect(device, base(port), state, tid=TID, key_of=lambda _: wrong)


async def test_a_hub_without_protection_is_not_spoken_to(tmp_path: Path) -> None:
    async with running_world(tmp_path, TID) as world, client() as device:
        await state_is_told(world)
        assert not await protected(world, device, world.hub.ports["coap"])


async def test_strangers_bytes_to_edhoc_are_refused_and_cost_nobody_else(tmp_path: Path) -> None:
    async with running_world(tmp_path, TID, coap=PROTECTED) as world, client() as device:
        await state_is_told(world)
        port = world.hub.ports["coap"]
        assert await protected(world, device, port)
        async with client() as stranger:
            for blob in (b"\xf5", b"\xf5garbage", b"\x43abc" + bytes(90), b"\x00", bytes(600)):
                refused = await ask(
                    stranger, port, ".well-known/edhoc", code=aiocoap.POST, payload=blob
                )
                assert refused.code.class_ == 4, blob
        body: dict[str, Any] = {"code": aiocoap.POST, "content_format": 18}
        answer = await ask(device, port, "p1/req", payload=hello(world, 1), **body)
        assert answer.code == Code.CHANGED


async def test_a_device_whose_context_is_gone_agrees_on_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protection, "CONTEXTS_MAX", 1)
    async with running_world(tmp_path, TID, coap=PROTECTED) as world, client() as other:
        port = world.hub.ports["coap"]
        key = trust_of(world).hub_edhoc_key
        link = CoapLink(CoapPlace(host="127.0.0.1", port=port, tid=TID, hub_key=key))
        async with running(link) as heard:
            await heard.wait(LinkUp)
            assert await protected(world, other, port), "and the only place is taken"
            parcel = parcel_of(hello(world, 1))
            link.transmit(parcel)
            await heard.wait(Undelivered)
            await heard.wait(LinkUp, 2)
            link.transmit(parcel)
            await heard.wait(AnswerArrived)


async def test_agreements_that_nobody_ends_take_a_bounded_place(tmp_path: Path) -> None:
    contexts = contexts_of_nobody(tmp_path)
    for _ in range(CONTEXTS_HALF_OPEN_MAX + 20):
        message_1 = lakers.EdhocInitiator().prepare_message_1(b"\x01", [])
        contexts.begin(message_1)
    assert len(contexts) == CONTEXTS_HALF_OPEN_MAX
