"""Devices that cannot agree on keys and were given one: libcoap's client and aiocoap's own, to a
whole hub that serves protected requests only."""

import asyncio
import json
import re
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import aiocoap
import cbor2
import pytest
from aiocoap import oscore
from aiocoap.numbers.codes import Code
from typer.testing import CliRunner

from hub.cli import app
from hub.coap.given_keys import HUB_ID, KEYS_NAME, GivenKey, KeyBook, KeySecrets, libcoap_text
from hub.coap.limits import OBSERVE_NUMBERS
from protocol import answers
from tests.integration.test_hub_process import running
from tests.integration.test_oscore_replay import hub_of, is_protected, recorded, say
from tests.kit.hub_world import PASSPHRASE, World, now_ms, running_world, until
from tests.kit.libcoap import oscore_client
from tests.kit.patience import PATIENCE_S

pytestmark = pytest.mark.asyncio
TID = "vend-1"
PROTECTED = {"port": 0, "security": "oscore"}
GONE = b"4.01 Security context not found"
CLIENT = oscore_client()
needs_libcoap = pytest.mark.skipif(
    CLIENT is None, reason="no libcoap with OSCORE: make test unpacks one where it can"
)


def book_of(world: World) -> KeyBook:
    return KeyBook(world.settings.state_dir / KEYS_NAME, lambda: PASSPHRASE)


def give(world: World, device: str = TID) -> tuple[GivenKey, KeySecrets]:
    with closing(book_of(world)) as book:
        key = book.give(device, now_ms=now_ms())
        return key, book.secrets(key)


def hello(world: World, counter: int) -> bytes:
    return world.shop.envelope(TID, counter, transport="coap", sent_at_ms=now_ms())


@dataclass
class LibcoapDevice:
    """A device that is libcoap's command, with the files that it keeps."""

    place: Path
    port: int
    given: tuple[GivenKey, KeySecrets]

    def __post_init__(self) -> None:
        (self.place / "key.conf").write_text(libcoap_text(*self.given))

    async def post(self, body: bytes) -> bytes:
        """The answer's body, or what the client tells of a refusal."""
        process, reply = await self.begin("post", "p1/req", body)
        async with asyncio.timeout(PATIENCE_S):
            _, told = await process.communicate()
        return reply.read_bytes() if reply.exists() else told.strip()

    async def begin(
        self, method: str, path: str, body: bytes = b"", *, observe_s: int | None = None
    ) -> tuple[asyncio.subprocess.Process, Path]:
        assert CLIENT is not None
        request, reply = self.place / "request.bin", self.place / "reply.bin"
        request.write_bytes(body)
        reply.unlink(missing_ok=True)
        key = f"{self.place / 'key.conf'},{self.place / 'sequence'}"
        words = ["-E", key, "-m", method, "-B", str(int(PATIENCE_S)), "-o", str(reply)]
        words += ["-t", "18", "-f", str(request)] if method == "post" else []
        words += ["-s", str(observe_s)] if observe_s is not None else []
        words.append(f"coap://127.0.0.1:{self.port}/{path}")
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*CLIENT, *words, stdout=pipe, stderr=pipe)
        return process, reply


@contextmanager
def device_end(place: Path, text: str) -> Iterator[oscore.FilesystemSecurityContext]:
    """A device's end of a key, as aiocoap keeps it, of the file that the device was given."""
    told = dict(re.findall(r'^(\w+),hex,"([0-9a-f]+)"$', text, re.MULTILINE))
    secret = {
        "secret_hex": told["master_secret"],
        "salt_hex": told["master_salt"],
        "sender-id_hex": told["sender_id"],
        "recipient-id_hex": HUB_ID.hex(),
    }
    place.mkdir()
    (place / "secret.json").write_text(json.dumps(secret))
    end = oscore.FilesystemSecurityContext(str(place))
    try:
        yield end
    finally:
        end._destroy()  # its finalizer would write into the place when that is gone


@asynccontextmanager
async def speaking(
    end: oscore.FilesystemSecurityContext, port: int
) -> AsyncIterator[aiocoap.Context]:
    """A device that is aiocoap's client."""
    client = await aiocoap.Context.create_client_context(transports=["oscore", "udp6"])
    client.client_credentials[f"coap://127.0.0.1:{port}/*"] = end
    try:
        yield client
    finally:
        await client.shutdown()


async def post(client: aiocoap.Context, port: int, body: bytes) -> aiocoap.Message:
    request = aiocoap.Message(
        code=aiocoap.POST, uri=f"coap://127.0.0.1:{port}/p1/req", payload=body, content_format=18
    )
    async with asyncio.timeout(PATIENCE_S):
        return await client.request(request).response


def command(config: Path, *words: str) -> list[dict[str, Any]]:
    """What ``tillway hub coap-key …`` tells."""
    told = CliRunner().invoke(app, ["coap-key", *words, "--config", str(config)])
    assert told.exit_code == 0, told.output
    return [json.loads(line) for line in told.stdout.splitlines()]


async def test_a_hub_that_was_killed_goes_on_with_a_key_and_hears_nothing_twice(
    tmp_path: Path,
) -> None:
    with ExitStack() as kept:
        await goes_on(tmp_path, kept)


async def goes_on(tmp_path: Path, kept: ExitStack) -> None:
    async with hub_of(tmp_path) as (installation, backend, config):
        shop, file = installation.shop, tmp_path / "key.conf"

        def said(counter: int) -> bytes:
            return shop.envelope(TID, counter, transport="coap", sent_at_ms=now_ms())

        async with running(config) as hub:
            (given,) = command(config, "give", TID, "--out", str(file))
            assert (given["number"], given["device"]) == (1, TID)
            end = kept.enter_context(device_end(tmp_path / "device", file.read_text()))
            async with (
                recorded(hub.ports["coap"]) as (recorder, through),
                speaking(end, through) as device,
            ):
                for counter in (1, 2):
                    assert (await post(device, through, said(counter))).code == Code.CHANGED
            assert await hub.stop(signal.SIGKILL) == -signal.SIGKILL
        carried_out = list(backend.carried_out)
        assert len(carried_out) == 2
        async with running(config) as hub:
            port = hub.ports["coap"]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                udp.setblocking(False)
                for data in filter(is_protected, recorder.said):
                    asked = await say(udp, data, port)
                    assert asked, "a sealed question, which only the device can open"
                    assert all(map(is_protected, asked))
            assert backend.carried_out == carried_out
            async with speaking(end, port) as device:
                assert (await post(device, port, said(3))).code == Code.CHANGED
                command(config, "take", TID)
                with pytest.raises(oscore.NotAProtectedMessage) as refused:
                    await post(device, port, said(4))
                assert refused.value.plain_message.code == Code.UNAUTHORIZED
            assert len(backend.carried_out) == 3


@needs_libcoap
async def test_libcoap_asks_and_sends_in_blocks(tmp_path: Path) -> None:
    async with running_world(tmp_path, TID, coap=PROTECTED) as world:
        device = LibcoapDevice(tmp_path, world.hub.ports["coap"], give(world))
        for counter in (1, 2):
            answer = answers.unseal(await device.post(hello(world, counter)))
            assert answer.verify(world.shop.backend_key.public).message_type == "pong"
        assert len(world.backend.carried_out) == 2
        refusal = answers.unseal(await device.post(bytes(3_000)))
        assert refusal.answer.body["error"]["code"] == "envelope_malformed"


@needs_libcoap
async def test_libcoap_hears_what_comes_later(tmp_path: Path) -> None:
    async with running_world(tmp_path, TID, coap=PROTECTED) as world:
        with closing(book_of(world)) as book:
            while book.take_block() < OBSERVE_NUMBERS:
                pass
        device = LibcoapDevice(tmp_path, world.hub.ports["coap"], give(world))
        await device.post(hello(world, 1))
        async with listening(device) as (_, heard):
            world.backend.push("answer", TID, world.shop.push(TID, 7))
            assert await pushed(world, heard) == {7}


@needs_libcoap
async def test_who_listens_is_told_that_its_key_was_taken_and_nothing_more(tmp_path: Path) -> None:
    async with running_world(tmp_path, TID, coap=PROTECTED) as world:
        device = LibcoapDevice(tmp_path, world.hub.ports["coap"], give(world))
        await device.post(hello(world, 1))
        async with listening(device) as (process, heard):
            world.backend.push("answer", TID, world.shop.push(TID, 7))
            assert await pushed(world, heard) == {7}
            with closing(book_of(world)) as book:
                book.take(TID, now_ms=now_ms())
            world.backend.push("answer", TID, world.shop.push(TID, 8))
            async with asyncio.timeout(PATIENCE_S):
                _, told = await process.communicate()
        assert told.strip() == GONE
        assert world.hub.core.delivery.parcels == 1
        renewed = tmp_path / "renewed"
        renewed.mkdir()
        other = LibcoapDevice(renewed, device.port, give(world))
        await other.post(hello(world, 2))
        async with listening(other) as (_, heard_now):
            assert await pushed(world, heard_now) == {8}
        assert await pushed(world, heard) == {7}


@asynccontextmanager
async def listening(
    device: LibcoapDevice,
) -> AsyncIterator[tuple[asyncio.subprocess.Process, Path]]:
    """A device that observes its queue, and the file in which it writes what it hears."""
    process, heard = await device.begin("get", f"p1/t/{TID}/cmd", observe_s=int(PATIENCE_S))
    try:
        yield process, heard
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def pushed(world: World, heard: Path) -> set[int]:
    """The pushes that were heard, once nothing waits at the hub; each may have come again."""
    await until(lambda: heard.exists() and heard.stat().st_size > 0)
    await until(lambda: world.hub.core.delivery.parcels == 0)
    return pushed_in(world, heard)


def pushed_in(world: World, heard: Path) -> set[int]:
    data, found = heard.read_bytes(), set()
    rest = BytesIO(data)
    while (begin := rest.tell()) < len(data):
        cbor2.load(rest)
        told = answers.unseal(data[begin : rest.tell()]).verify(world.shop.backend_key.public)
        found.add(int(told.body["now_ms"]))
    return found


@needs_libcoap
async def test_a_key_that_was_taken_or_is_another_s_opens_nothing(tmp_path: Path) -> None:
    async with running_world(tmp_path, TID, coap=PROTECTED) as world:
        given = give(world)
        device = LibcoapDevice(tmp_path, world.hub.ports["coap"], given)
        assert await device.post(hello(world, 1))
        stranger = tmp_path / "stranger"
        stranger.mkdir()
        guessed = KeySecrets(bytes(16), given[1].master_salt)
        other = LibcoapDevice(stranger, device.port, (given[0], guessed))
        assert await other.post(hello(world, 2)) == b"4.00 Decryption failed"
        renewed = give(world)
        assert await device.post(hello(world, 2)) == GONE
        device = LibcoapDevice(tmp_path, device.port, renewed)
        assert await device.post(hello(world, 2))
        with closing(book_of(world)) as book:
            book.take(TID, now_ms=now_ms())
        assert await device.post(hello(world, 3)) == GONE
        assert len(world.backend.carried_out) == 2
