"""HTTP inside a program's own loop: the program has the signals, and ends its servers itself."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from protocol.errors import OperatingError


class QuietServer(uvicorn.Server):
    """A server that leaves signals to the program and says when it has started."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.accepts = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and tell those who wait."""
        await super().startup(sockets)
        self.accepts.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing: the program stops its servers itself."""
        yield


class WebServer:
    """One program's pages. The port is bound when it is made, so a taken one is known at once."""

    def __init__(self, *, host: str, port: int, connections_max: int, stop_s: int) -> None:
        """``OperatingError("port_taken")`` names the port; 0 is any."""
        self._connections_max, self._stop_s = connections_max, stop_s
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((host, port))
            self._socket.listen(connections_max)
        except OSError as error:
            self._socket.close()
            raise OperatingError("port_taken", f"{host}:{port} ({error.strerror})") from None
        self.port = int(self._socket.getsockname()[1])
        self._server: QuietServer | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self, app: ASGIApp) -> None:
        """Returns when connections are accepted; raises what kept it from that."""
        config = uvicorn.Config(
            app,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=self._connections_max,
            timeout_graceful_shutdown=self._stop_s,
        )
        self._server = QuietServer(config)
        loop = asyncio.get_running_loop()
        self._task = loop.create_task(self._server.serve(sockets=[self._socket]), name="web")
        accepts = loop.create_task(self._server.accepts.wait())
        await asyncio.wait({accepts, self._task}, return_when=asyncio.FIRST_COMPLETED)
        accepts.cancel()
        if self._task.done():
            await self._task

    async def stop(self) -> None:
        """Let open requests end within ``stop_s``; then close. Safe to repeat."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task
            self._task = None
        self._socket.close()
