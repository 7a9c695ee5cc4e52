"""TLS on asyncio's lines and on a blocking socket, on both loops, with peers that misbehave."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Coroutine
from typing import Any, cast

import pytest
import uvloop

from tests.kit.patience import PATIENCE_S
from tests.kit.tls_ends import HOST, Ends
from transport import contexts
from transport.machine import TlsError
from transport.sockets import TlsSocket
from transport.streams import TlsLayer, TlsTransport, accept

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> Ends:
    return Ends(tmp_path_factory.mktemp("tls"))


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, None]], None]:
    def play(scene: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
            runner.run(asyncio.wait_for(scene, PATIENCE_S))

    return play


class Heard(asyncio.Protocol):
    """Keeps what happens to it."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.words = bytearray()
        self.is_paused = False
        self.ended = False
        self.changed = asyncio.Event()
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.changed.set()

    def data_received(self, data: bytes) -> None:
        self.words += data
        self.changed.set()

    def eof_received(self) -> bool | None:
        self.ended = True
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(exc)
        self.changed.set()

    def pause_writing(self) -> None:
        self.is_paused = True

    def resume_writing(self) -> None:
        self.is_paused = False
        self.changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self.changed.clear()
            await self.changed.wait()


async def lines(ends: Ends) -> tuple[Heard, Heard]:
    """The server's end and the client's, connected."""
    left, right = socket.socketpair()
    far, near = Heard(), Heard()
    layer = TlsLayer(ends.client.machine(HOST), near)
    for end in (left, right):
        end.setblocking(False)
    greeting = asyncio.ensure_future(accept(ends.server, far, left, greeting_s=5))
    await asyncio.get_running_loop().create_connection(lambda: layer, sock=right)
    assert isinstance(await layer.opened(), TlsTransport)
    await greeting
    return far, near


def test_words_go_both_ways_and_a_goodbye_ends_both(run: Any, ends: Ends) -> None:
    async def scene() -> None:
        far, near = await lines(ends)
        assert far.transport is not None
        assert near.transport is not None
        peer = far.transport.get_extra_info("ssl_object").getpeercert()
        assert ("URI", "tillway:terminal:till-1") in peer["subjectAltName"]
        far.transport.writelines([b"a" * 100_000, b"b"])
        near.transport.write(b"hello")
        await near.until(lambda: len(near.words) == 100_001)
        await far.until(lambda: far.words == b"hello")
        near.transport.write(b" and goodbye")
        near.transport.close()
        assert await far.lost is None
        assert await near.lost is None
        assert far.words == b"hello and goodbye"
        assert far.ended
        far.transport.write(b"too late")
        assert far.transport.is_closing()

    run(scene())


def test_a_peer_that_does_not_read_stops_the_writer(run: Any, ends: Ends) -> None:
    async def scene() -> None:
        far, near = await lines(ends)
        assert far.transport is not None
        assert near.transport is not None
        near.transport.pause_reading()
        written = 0
        while not far.is_paused:
            far.transport.write(bytes(64 * 1024))
            written += 64 * 1024
            assert written < 32 * 1024 * 1024, "nobody stopped the writer"
            await asyncio.sleep(0)
        assert far.transport.get_write_buffer_size() > 0
        near.transport.resume_reading()
        await far.until(lambda: not far.is_paused)
        await near.until(lambda: len(near.words) == written)
        far.transport.abort()
        await far.lost
        assert isinstance(await near.lost, TlsError), "a cut is no goodbye"

    run(scene())


def test_a_silent_peer_is_cut_off_in_the_greeting(run: Any, ends: Ends) -> None:
    async def scene() -> None:
        left, right = socket.socketpair()
        left.setblocking(False)
        with pytest.raises(TimeoutError):
            await accept(ends.server, Heard(), left, greeting_s=0.05)
        right.close()

    run(scene())


@pytest.mark.parametrize("words", [b"GET / HTTP/1.1\r\n\r\n", b""])
def test_a_peer_without_tls_never_reaches_the_protocol(run: Any, ends: Ends, words: bytes) -> None:
    async def scene() -> None:
        left, right = socket.socketpair()
        left.setblocking(False)
        right.sendall(words)
        right.shutdown(socket.SHUT_WR)
        above = Heard()
        with pytest.raises(TlsError):
            await accept(ends.server, above, left, greeting_s=5)
        assert above.transport is None
        right.close()

    run(scene())


def test_a_greeting_that_is_given_up_closes_its_line(run: Any, ends: Ends) -> None:
    async def scene() -> None:
        left, right = socket.socketpair()
        left.setblocking(False)
        task = asyncio.ensure_future(accept(ends.server, Heard(), left, greeting_s=5))
        await asyncio.sleep(0.01)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        right.settimeout(PATIENCE_S)
        assert await asyncio.to_thread(right.recv, 1) == b""
        right.close()

    run(scene())


def test_last_words_to_a_peer_that_never_reads_end_in_time(
    run: Any, ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transport.streams.CLOSE_S_MAX", 0.05)

    async def scene() -> None:
        far, near = await lines(ends)
        assert far.transport is not None
        assert near.transport is not None
        near.transport.pause_reading()
        far.transport.write(bytes(16 * 1024 * 1024))
        far.transport.close()
        assert isinstance(await far.lost, TimeoutError)
        near.transport.abort()
        await near.lost

    run(scene())


def test_a_blocking_socket_speaks_with_a_line(run: Any, ends: Ends) -> None:
    async def scene() -> None:
        left, right = socket.socketpair()
        left.setblocking(False)
        far = Heard()
        found: list[bytes] = []

        def blocking() -> None:
            right.settimeout(PATIENCE_S)
            line = ends.client.wrap_socket(right, server_hostname="localhost")
            data = bytes(range(256)) * 400
            while data:
                data = data[line.send(data) :]
            found.append(line.recv(2))
            assert line.pending() == 3
            found.append(line.recv(100))
            found.append(line.recv(1))
            line.close()

        thread = asyncio.ensure_future(asyncio.to_thread(blocking))
        await accept(ends.server, far, left, greeting_s=5)
        await far.until(lambda: len(far.words) == 256 * 400)
        assert far.transport is not None
        far.transport.write(b"thank")
        far.transport.close()
        await thread
        assert found == [b"th", b"ank", b""]
        await far.lost

    run(scene())


def test_a_blocking_socket_gives_up_a_peer_that_does_not_read(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transport.sockets.WRITE_S_MAX", 0.05)
    left, right = socket.socketpair()
    machine = ends.server.machine()

    def greet() -> None:
        while not machine.is_open:
            machine.receive(left.recv(65536))
            left.sendall(machine.outgoing())

    thread = threading.Thread(target=greet)
    thread.start()
    line = ends.client.wrap_socket(right, server_hostname=HOST)
    thread.join(PATIENCE_S)
    line.setblocking(False)
    with pytest.raises(TimeoutError):
        _send_much(line)
    left.close()
    line.close()


def _send_much(line: TlsSocket) -> None:
    for _ in range(1_000):
        line.send(bytes(16 * 1024))


def test_a_server_with_another_name_is_refused_by_a_blocking_socket(ends: Ends) -> None:
    left, right = socket.socketpair()
    machine = ends.server.machine()

    def greet() -> None:
        with contextlib.suppress(TlsError):
            while data := left.recv(65536):
                machine.receive(data)
                left.sendall(machine.outgoing())

    thread = threading.Thread(target=greet)
    thread.start()
    with pytest.raises(TlsError, match="certificate verify failed"):
        ends.client.wrap_socket(right, server_hostname="elsewhere.example")
    right.close()
    thread.join(PATIENCE_S)
    left.close()
    assert contexts.ClientTls.check_hostname
