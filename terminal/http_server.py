"""Runs the web application inside the terminal's own loop."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from protocol.errors import OperatingError
from terminal.limits import HTTP_CONNECTIONS_MAX, STOP_WAIT_S


class _Server(uvicorn.Server):
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
        """Do nothing: the program stops its server itself."""
        yield


class HttpServer:
    """The port is bound when it is made, so a taken one is known at once."""

    def __init__(self, *, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((host, port))
            self._socket.listen(HTTP_CONNECTIONS_MAX)
        except OSError as error:
            self._socket.close()
            raise OperatingError("port_taken", f"{host}:{port} ({error.strerror})") from None
        self.port = int(self._socket.getsockname()[1])
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self, app: FastAPI) -> None:
        """Returns when connections are accepted."""
        config = uvicorn.Config(
            app,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=HTTP_CONNECTIONS_MAX,
            timeout_graceful_shutdown=STOP_WAIT_S,
        )
        self._server = _Server(config)
        self._task = asyncio.get_running_loop().create_task(
            self._server.serve(sockets=[self._socket]), name="terminal-http"
        )
        accepts = asyncio.get_running_loop().create_task(self._server.accepts.wait())
        await asyncio.wait({accepts, self._task}, return_when=asyncio.FIRST_COMPLETED)
        accepts.cancel()
        if self._task.done():
            await self._task

    async def stop(self) -> None:
        """Let open requests end within a named time; then close. Safe to repeat."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task
            self._task = None
        self._socket.close()
