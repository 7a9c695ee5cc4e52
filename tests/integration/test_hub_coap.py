"""A device over CoAP (aiocoap's own client), through a whole hub, to a backend over mutual TLS."""

import asyncio
import json
import shutil
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiocoap
import pytest
from aiocoap.numbers.codes import Code

from hub.coap import edge
from protocol import answers
from protocol.limits import ENVELOPE_BYTES_MAX
from tests.kit.hub_world import World, now_ms, running_world, until
from tests.kit.patience import PATIENCE_S

pytestmark = pytest.mark.asyncio
NPM_COAP = Path(sys.prefix) / "npm_readers" / "coap" / "node_modules" / "coap"
NPM_DEVICE = Path(__file__).parents[1] / "support" / "coap_device.js"
LIBCOAP = shutil.which("coap-client-notls") or shutil.which("coap-client")


@asynccontextmanager
async def coap_client() -> AsyncIterator[aiocoap.Context]:
    client = await aiocoap.Context.create_client_context(transports=["udp6"])
    try:
        yield client
    finally:
        await client.shutdown()


def uri(world: World, path: str) -> str:
    return f"coap://127.0.0.1:{world.hub.ports['coap']}/{path}"


async def post(world: World, client: aiocoap.Context, payload: bytes) -> aiocoap.Message:
    request = aiocoap.Message(
        code=aiocoap.POST, uri=uri(world, "p1/req"), payload=payload, content_format=18
    )
    async with asyncio.timeout(PATIENCE_S):
        return await client.request(request).response


def hello(world: World, tid: str, counter: int) -> bytes:
    return world.shop.envelope(tid, counter, transport="coap", sent_at_ms=now_ms())


async def test_the_final_answer_comes_back_with_the_request(tmp_path: Path) -> None:
    async with running_world(tmp_path, "vend-1") as world, coap_client() as client:
        response = await post(world, client, hello(world, "vend-1", 1))
        assert response.code == Code.CHANGED
        answer = answers.unseal(response.payload).verify(world.shop.backend_key.public)
        assert (answer.message_type, answer.device) == ("pong", "vend-1")
        await until(lambda: world.hub.core.delivery.parcels == 0)


async def test_refusals_are_signed_by_the_hub(tmp_path: Path) -> None:
    async with running_world(tmp_path, "vend-1") as world, coap_client() as client:
        wire = hello(world, "vend-1", 1)
        await post(world, client, wire)
        for payload, code in (
            (wire, "envelope_replayed"),
            (b"garbage", "envelope_malformed"),
            (hello(world, "vend-9", 1), "device_unknown"),
        ):
            response = await post(world, client, payload)
            refusal = answers.unseal(response.payload).verify(world.shop.hub_key.public)
            assert refusal.body["error"]["code"] == code


async def test_a_lost_answer_is_unknown_at_first_and_true_in_the_end(tmp_path: Path) -> None:
    async with running_world(tmp_path, "vend-1") as world, coap_client() as client:
        await post(world, client, hello(world, "vend-1", 1))
        observation = client.request(
            aiocoap.Message(code=aiocoap.GET, uri=uri(world, "p1/t/vend-1/cmd"), observe=0)
        )
        observed = aiter(observation.observation)
        first = await observation.response
        assert (first.code, first.payload) == (Code.CONTENT, b"")
        world.backend.mode = "drop"
        world.backend.committed.clear()
        response = await post(world, client, hello(world, "vend-1", 2))
        unknown = answers.unseal(response.payload).verify(world.shop.hub_key.public)
        assert unknown.body["error"]["code"] == "backend_unreachable"
        assert world.backend.committed.is_set(), "the backend had carried it out"
        world.backend.mode = "good"
        async with asyncio.timeout(PATIENCE_S):
            notified = await anext(observed)
        truth = answers.unseal(notified.payload).verify(world.shop.backend_key.public)
        assert truth.request_id == unknown.request_id
        assert world.backend.carried_out.count(truth.request_id) == 1
        await until(lambda: world.hub.core.delivery.parcels == 0)


async def test_only_the_devices_own_endpoint_may_observe_its_pushes(tmp_path: Path) -> None:
    async with (
        running_world(tmp_path, "vend-1") as world,
        coap_client() as own,
        coap_client() as other,
    ):
        await post(world, own, hello(world, "vend-1", 1))
        request = aiocoap.Message(code=aiocoap.GET, uri=uri(world, "p1/t/vend-1/cmd"), observe=0)
        assert (await other.request(request).response).code == Code.UNAUTHORIZED


async def test_several_pushes_arrive_each_in_order(tmp_path: Path) -> None:
    async with running_world(tmp_path, "vend-1") as world, coap_client() as client:
        await post(world, client, hello(world, "vend-1", 1))
        observation = client.request(
            aiocoap.Message(code=aiocoap.GET, uri=uri(world, "p1/t/vend-1/cmd"), observe=0)
        )
        observed = aiter(observation.observation)
        await observation.response
        for number in range(5):
            world.backend.push("answer", "vend-1", world.shop.push("vend-1", number))
        heard: list[int] = []
        async with asyncio.timeout(PATIENCE_S):
            while len(heard) < 5:
                notified = await anext(observed)
                heard.append(answers.unseal(notified.payload).answer.body["now_ms"])
        assert heard == [0, 1, 2, 3, 4]
        await until(lambda: world.hub.core.delivery.parcels == 0)


async def test_the_hub_state_and_the_list_of_resources_can_be_read(tmp_path: Path) -> None:
    async with running_world(tmp_path, "vend-1") as world, coap_client() as client:
        await until(lambda: world.hub.core.mode() == "online")
        core = await client.request(
            aiocoap.Message(code=aiocoap.GET, uri=uri(world, ".well-known/core"))
        ).response
        assert b"</p1/req>" in core.payload
        state = aiocoap.Message(code=aiocoap.GET, uri=uri(world, "p1/hub/state"))
        async with asyncio.timeout(PATIENCE_S):
            while not (shown := (await client.request(state).response).payload):
                state = aiocoap.Message(code=aiocoap.GET, uri=uri(world, "p1/hub/state"))
        said = answers.unseal(shown).verify(world.shop.hub_key.public)
        assert said.body["mode"] == "online"


async def test_what_is_no_request_of_ours_is_refused_by_its_code(tmp_path: Path) -> None:
    async with running_world(tmp_path, "vend-1") as world, coap_client() as client:
        big = await post(world, client, bytes(ENVELOPE_BYTES_MAX + 1))
        assert big.code == Code.REQUEST_ENTITY_TOO_LARGE
        text = aiocoap.Message(
            code=aiocoap.POST, uri=uri(world, "p1/req"), payload=b"{}", content_format=50
        )
        response = await client.request(text).response
        assert response.code == Code.UNSUPPORTED_CONTENT_FORMAT
        non = aiocoap.Message(
            code=aiocoap.POST, uri=uri(world, "p1/req"), payload=b"x", _mtype=aiocoap.NON
        )
        assert (await client.request(non).response).code == Code.BAD_REQUEST


async def test_too_many_requests_of_one_endpoint_are_told_so(tmp_path: Path) -> None:
    coap = {"port": 0, "requests_per_s_max": 2}
    async with running_world(tmp_path, "vend-1", coap=coap) as world, coap_client() as client:
        codes = [(await post(world, client, b"noise")).code for _ in range(8)]
        assert Code.TOO_MANY_REQUESTS in codes


async def test_garbage_datagrams_change_nothing(tmp_path: Path) -> None:
    async with running_world(tmp_path, "vend-1") as world, coap_client() as client:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for blob in (b"", b"\x00", b"\xff" * 1400, bytes(range(256)), b"\x40\x02\x00"):
                stranger.sendto(blob, ("127.0.0.1", world.hub.ports["coap"]))
        response = await post(world, client, hello(world, "vend-1", 1))
        assert response.code == Code.CHANGED


async def test_a_path_that_is_no_text_is_no_exception(tmp_path: Path) -> None:
    broken: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: broken.append(context))
    async with running_world(tmp_path, "vend-1") as world, coap_client() as client:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
            for path in (b"\xff", b"\xc3\x28"):
                wire = b"\x41\x01\x00\x07t" + bytes((0xB0 | len(path),)) + path
                device.sendto(wire, ("127.0.0.1", world.hub.ports["coap"]))
        assert (await post(world, client, hello(world, "vend-1", 1))).code == Code.CHANGED
    assert not broken


def coap_post(mid: int, token: bytes, payload: bytes) -> bytes:
    """A confirmable POST /p1/req by hand (RFC 7252 §3): options Uri-Path ×2, Content-Format."""
    head = bytes((0x40 | len(token), 0x02)) + mid.to_bytes(2, "big") + token
    return head + b"\xb2p1\x03req\x11\x12\xff" + payload


async def test_a_message_id_used_again_with_another_token_is_another_request(
    tmp_path: Path,
) -> None:
    async with running_world(tmp_path, "vend-1") as world:
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
            device.setblocking(False)
            device.connect(("127.0.0.1", world.hub.ports["coap"]))
            first = coap_post(7, b"aa", hello(world, "vend-1", 1))
            second = coap_post(7, b"bb", hello(world, "vend-1", 2))
            replies = []
            for datagram in (first, first, second):
                await loop.sock_sendall(device, datagram)
                async with asyncio.timeout(PATIENCE_S):
                    replies.append(await loop.sock_recv(device, 2048))
        assert replies[0] == replies[1], "a retransmission gets the same bytes again"
        assert replies[2][4:6] == b"bb"
        assert len(world.backend.carried_out) == 2


class Stranger:
    """A UDP socket that speaks by hand: a body in blocks of 64 bytes to a path, or a question."""

    def __init__(self, world: World, host: str = "127.0.0.1") -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind((host, 0))
        self._socket.connect(("127.0.0.1", world.hub.ports["coap"]))
        self._mid = 0

    async def send(self, path: bytes, body: int, block: bytes) -> str:
        """One block of the body of this number; the answer's code."""
        number = str(body).encode()
        query = bytes((0x40 | len(number),)) + number
        return await self._ask(b"\x02", path + query + b"\xc1" + block + b"\xff" + bytes(64))

    async def get(self, path: bytes) -> str:
        """The code of the answer to a GET."""
        return await self._ask(b"\x01", path)

    async def _ask(self, code: bytes, rest: bytes) -> str:
        self._mid += 1
        head = b"\x40" + code + self._mid.to_bytes(2, "big")
        await asyncio.get_running_loop().sock_sendall(self._socket, head + rest)
        async with asyncio.timeout(PATIENCE_S):
            answer = await asyncio.get_running_loop().sock_recv(self._socket, 2048)
        return f"{answer[1] >> 5}.{answer[1] & 31:02}"

    def close(self) -> None:
        self._socket.close()


REQ, STATE, CORE = b"\xb2p1\x03req", b"\xb2p1\x03hub\x05state", b"\xbb.well-known\x04core"
FIRST, SECOND = b"\x0a", b"\x1a"
"""Block1: number 0 and 1, each with more to come."""


async def test_bodies_in_blocks_that_never_end_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge, "TRANSFERS_MAX", 8)
    async with running_world(tmp_path, "vend-1") as world:
        stranger = Stranger(world)
        try:
            for number in range(9):
                assert await stranger.send(REQ, number, FIRST) == "2.31"
            assert await stranger.send(REQ, 0, SECOND) == "4.08", "the oldest was forgotten"
            for number in range(1, 9):
                assert await stranger.send(REQ, number, SECOND) == "2.31"
            for path in (STATE, CORE):
                assert await stranger.send(path, 1, FIRST) == "4.13", "nobody sends a body there"
        finally:
            stranger.close()


async def test_an_address_that_begins_many_bodies_pushes_out_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge, "TRANSFERS_MAX", 8)
    async with running_world(tmp_path, "vend-1") as world:
        honest = Stranger(world)
        flood = [Stranger(world, "127.0.0.2") for _ in range(3)]
        try:
            assert await honest.send(REQ, 0, FIRST) == "2.31"
            for number in range(30):
                assert await flood[number % 3].send(REQ, number, FIRST) == "2.31"
            assert await honest.send(REQ, 0, SECOND) == "2.31"
            assert await flood[0].send(REQ, 0, SECOND) == "4.08"
        finally:
            for one in (honest, *flood):
                one.close()


@pytest.mark.parametrize("path", [STATE, CORE, b"\xb7nowhere"], ids=["state", "core", "nothing"])
async def test_questions_count_as_requests_of_their_endpoint(tmp_path: Path, path: bytes) -> None:
    coap = {"port": 0, "requests_per_s_max": 2}
    async with running_world(tmp_path, "vend-1", coap=coap) as world:
        stranger = Stranger(world)
        try:
            codes = [await stranger.get(path) for _ in range(20)]
        finally:
            stranger.close()
        assert "4.29" in codes
        assert len(set(codes[:4])) == 1


async def test_each_block_counts_as_a_request_of_its_endpoint(tmp_path: Path) -> None:
    coap = {"port": 0, "requests_per_s_max": 2}
    async with running_world(tmp_path, "vend-1", coap=coap) as world:
        stranger = Stranger(world)
        try:
            codes = [await stranger.send(REQ, number, FIRST) for number in range(20)]
        finally:
            stranger.close()
        assert codes[:4] == ["2.31"] * 4
        assert "4.29" in codes


@pytest.mark.skipif(LIBCOAP is None, reason="Debian's libcoap client is not installed")
async def test_libcoap_speaks_with_us(tmp_path: Path) -> None:
    async with running_world(tmp_path, "vend-1") as world:
        request = tmp_path / "request.bin"
        request.write_bytes(hello(world, "vend-1", 1))
        reply = tmp_path / "reply.bin"
        words = ("-m", "post", "-t", "18", "-f", request, "-o", reply, uri(world, "p1/req"))
        assert LIBCOAP is not None
        process = await asyncio.create_subprocess_exec(LIBCOAP, *map(str, words))
        async with asyncio.timeout(PATIENCE_S):
            assert await process.wait() == 0
        answers.unseal(reply.read_bytes()).verify(world.shop.backend_key.public)


async def test_npm_s_coap_reads_asks_listens_and_sends_in_blocks(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None or not NPM_COAP.is_dir():
        pytest.skip("node or npm's coap is not installed: make test does so where it can")
    async with running_world(tmp_path, "vend-1") as world:
        await until(lambda: world.hub.core.mode() == "online")
        said = (hello(world, "vend-1", 1).hex(), bytes(3_000).hex(), "3")
        words = (str(NPM_DEVICE), str(NPM_COAP), str(world.hub.ports["coap"]), "vend-1", *said)
        pipe = asyncio.subprocess.PIPE
        device = await asyncio.create_subprocess_exec(node, *words, stdout=pipe, stderr=pipe)
        assert device.stderr is not None
        async with asyncio.timeout(PATIENCE_S):
            assert await device.stderr.readline() == b"listening\n"
            for number in range(3):
                world.backend.push("answer", "vend-1", world.shop.push("vend-1", number))
            out, _ = await device.communicate()
        told = json.loads(out)
        assert "error" not in told, told
        state = answers.unseal(bytes.fromhex(told["state"]["body"]))
        assert state.verify(world.shop.hub_key.public).body["mode"] == "online"
        pong = answers.unseal(bytes.fromhex(told["pong"]["body"]))
        assert pong.verify(world.shop.backend_key.public).message_type == "pong"
        assert told["first"] == "2.05"
        heard = [answers.unseal(bytes.fromhex(one)).answer.body["now_ms"] for one in told["heard"]]
        assert heard == [0, 1, 2]
        assembled = answers.unseal(bytes.fromhex(told["blocks"]["body"])).answer
        assert assembled.body["error"]["code"] == "envelope_malformed"
        await until(lambda: world.hub.core.delivery.parcels == 0)


OBSERVE = b"\x44\x01\x00\x02obse\x60\x52p1\x01t\x06vend-1\x03cmd"
"""A confirmable GET /p1/t/vend-1/cmd by hand, with Observe 0 (RFC 7641 §2)."""


async def test_a_device_that_comes_from_elsewhere_does_not_wait_for_its_earlier_place(
    tmp_path: Path,
) -> None:
    """Its earlier endpoint acknowledges nothing, and would be waited for for 93 s."""
    async with running_world(tmp_path, "vend-1") as world:
        loop = asyncio.get_running_loop()
        places = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        try:
            for counter, place in enumerate(places, 1):
                place.setblocking(False)
                place.connect(("127.0.0.1", world.hub.ports["coap"]))
                for asked in (coap_post(1, b"aa", hello(world, "vend-1", counter)), OBSERVE):
                    await loop.sock_sendall(place, asked)
                    async with asyncio.timeout(PATIENCE_S):
                        await loop.sock_recv(place, 2048)
                if counter == 1:
                    world.backend.push("answer", "vend-1", world.shop.push("vend-1", 7))
                async with asyncio.timeout(PATIENCE_S):
                    notified = await loop.sock_recv(place, 2048)
                assert notified[4:8] == b"obse"
                assert world.shop.push("vend-1", 7)[:8] in notified
            await loop.sock_sendall(places[1], b"\x60\x00" + notified[2:4])
            await until(lambda: world.hub.core.delivery.parcels == 0)
        finally:
            for place in places:
                place.close()
