"""Sockets, TLS and the two HTTP servers of the process, in one event loop.

Rule 1: TLS 1.3 only. The hub's listener asks for a certificate of our CA and refuses the handshake
        without one; no session tickets, so every connection shows its certificate again.
Rule 2: sockets are bound before anything else starts, so a taken port is known at once.
"""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp

from backend.hub_api.peer import PeerProtocol
from backend.limits import CONNECTIONS_MAX, DRAIN_S_MAX, KEEP_ALIVE_S, LISTEN_BACKLOG, START_S_MAX
from protocol.errors import OperatingError
from protocol.identity import TlsFiles
from protocol.tls import server_context
from transport.contexts import ServerTls
from transport.streams import TlsLayer
from transport.web import QuietServer


@dataclass(frozen=True, slots=True)
class Listener:
    """One bound socket and what answers on it."""

    name: str
    socket: socket.socket
    app: ASGIApp
    tls: ssl.SSLContext | ServerTls

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.socket.getsockname()[1])


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; ``OperatingError("port_taken")`` names the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio sets TCP_NODELAY only on sockets that say TCP; without
    # it every answer waits 40 ms for the client's delayed acknowledgement.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        found.bind((host, port))
        # Listening at once makes a second process fail here and not later.
        found.listen(LISTEN_BACKLOG)
        found.setblocking(False)
    except OSError as error:
        found.close()
        raise OperatingError("port_taken", f"{host}:{port} ({error.strerror})") from None
    return found


def public_tls(files: TlsFiles) -> ssl.SSLContext:
    """For everybody: browsers, shops' programs, and machines that have no certificate yet."""
    context = server_context(files)
    context.num_tickets = 0
    return context


def _server(listener: Listener) -> QuietServer:
    tls = listener.tls
    of_python = tls if isinstance(tls, ssl.SSLContext) else None
    return QuietServer(
        uvicorn.Config(
            listener.app,
            # uvicorn only calls it: a function that makes the protocol does as well as its class.
            http=cast(type[PeerProtocol], partial(_behind, tls))
            if isinstance(tls, ServerTls)
            else PeerProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=DRAIN_S_MAX,
            limit_concurrency=CONNECTIONS_MAX,
            ssl_context_factory=None if of_python is None else lambda _config, _default: of_python,
        )
    )


def _behind(tls: ServerTls, **options: Any) -> TlsLayer:  # noqa: ANN401  # uvicorn's own
    return TlsLayer(tls.machine(), PeerProtocol(**options))


class Listeners:
    """Runs the servers of several listeners until told to stop."""

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._listeners = tuple(listeners)
        self._servers = [_server(listener) for listener in self._listeners]
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def ports(self) -> dict[str, int]:
        """The port of each listener by its name."""
        return {listener.name: listener.port for listener in self._listeners}

    async def start(self) -> None:
        """Return when all accept connections."""
        self._tasks = [
            asyncio.create_task(server.serve(sockets=[listener.socket]), name=listener.name)
            for server, listener in zip(self._servers, self._listeners, strict=True)
        ]
        async with asyncio.timeout(START_S_MAX):
            for server in self._servers:
                await server.accepts.wait()

    async def stop(self) -> None:
        """Accept nothing more, finish the open requests within the bound, close the sockets."""
        for server in self._servers:
            server.should_exit = True
        await asyncio.gather(*self._tasks)
        for listener in self._listeners:
            listener.socket.close()
