"""The port to a real charge point: a WebSocket that the suite listens on (``ws:[HOST:]PORT``).

It looks like a serial port that carries the lines of ``protocol.framing.ocppj``: the suite's
``CONNECT`` waits for the charge point's call where there is none, its ``NO CARRIER`` ends it.
Rule 1: one charge point at a time; a second one is turned away. Rule 2: it listens on the
loopback unless a host is named, and asks for no password: a bench, not a service.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Coroutine
from types import TracebackType
from typing import Self

from aiohttp import WSMsgType, web

from firmware_sim.limits import WS_CALL_WAIT_S, WS_LINES_WAITING_MAX
from protocol.errors import OperatingError
from protocol.framing import ocppj
from protocol.framing.limits import OCPP_LINE_BYTES_MAX

_START_S = 10


class WsPort:
    """The host's end. ``timeout`` is in seconds, as pyserial's."""

    def __init__(self, host: str, port: int, subprotocol: str) -> None:
        self.timeout: float | None = 1.0
        self.baudrate = 0
        self._subprotocol = subprotocol
        self._said = ocppj.LineParser()
        self._lines: queue.Queue[bytes] = queue.Queue(WS_LINES_WAITING_MAX)
        self._kept = bytearray()
        self._is_called = threading.Event()
        self._socket: web.WebSocketResponse | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="ws", daemon=True)
        self._thread.start()
        listening = asyncio.run_coroutine_threadsafe(self._listen(host, port), self._loop)
        try:
            self._runner, self.address = listening.result(_START_S)
        except OSError as error:
            self._end_loop()
            raise OperatingError("port_taken", f"{host}:{port}") from error

    @property
    def in_waiting(self) -> int:
        """Bytes that can be read at once."""
        return len(self._kept)

    def read(self, size: int = 1) -> bytes:
        """Up to ``size`` bytes, fewer where ``timeout`` is over."""
        deadline = time.monotonic() + (self.timeout or 0)
        while len(self._kept) < size:
            left_s = deadline - time.monotonic()
            try:
                self._kept += self._lines.get(timeout=left_s) if left_s > 0 else b""
            except queue.Empty:
                break
            if left_s <= 0:
                break
        data = bytes(self._kept[:size])
        del self._kept[:size]
        return data

    def write(self, data: bytes) -> int:
        """Lines to the charge point, or to the network module that this stands for."""
        for line in self._said.feed(data):
            if line.startswith(ocppj.CONNECT):
                self._is_called.wait(WS_CALL_WAIT_S)
            elif line == ocppj.NO_CARRIER:
                self._run(self._hang_up())
            else:
                self._run(self._send(line.decode("utf-8", errors="replace")))
        return len(data)

    def close(self) -> None:
        """Listen no longer."""
        self._run(self._hang_up())
        self._run(self._runner.cleanup())
        self._end_loop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def _listen(self, host: str, port: int) -> tuple[web.AppRunner, str]:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._serve)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, host, port).start()
        return runner, ":".join(map(str, runner.addresses[0][:2]))

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if self._socket is not None:
            return web.Response(status=503)
        socket = web.WebSocketResponse(
            protocols=(self._subprotocol,), max_msg_size=OCPP_LINE_BYTES_MAX, timeout=1.0
        )
        await socket.prepare(request)
        if socket.ws_protocol != self._subprotocol:
            await socket.close()
            return socket
        self._socket = socket
        self._is_called.set()
        async for message in socket:
            if message.type is WSMsgType.TEXT and not self._lines.full():
                self._lines.put_nowait(message.data.replace("\n", " ").encode() + b"\n")
        self._forget(socket)
        return socket

    async def _send(self, text: str) -> None:
        if self._socket is not None:
            await self._socket.send_str(text)

    async def _hang_up(self) -> None:
        if self._socket is not None:
            socket = self._socket
            self._forget(socket)
            await socket.close()

    def _forget(self, socket: web.WebSocketResponse) -> None:
        if self._socket is socket:
            self._socket = None
            self._is_called.clear()

    def _run(self, deed: Coroutine[object, object, None]) -> None:
        future = asyncio.run_coroutine_threadsafe(deed, self._loop)
        future.result(_START_S)

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_S)
        self._loop.close()
