"""The listening socket of an HTTP server of the hub, and how many may stand in it.

Rule 1: a socket counts from its accept. Who has asked nothing when ``HTTP_FIRST_REQUEST_S`` is over
        is closed, and one address holds few places before it has asked.
Rule 2: whom there is no place for is told 503 and when to come again, and closed. Those are served
        by a few places more; where these are taken, too, a socket is closed at once.
"""

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from hub import limits
from protocol.errors import OperatingError

_log = structlog.get_logger("hub.http")
Greet = Callable[[asyncio.Protocol, socket.socket], Awaitable[object]]
"""Makes the socket the protocol's line, after whatever handshake; ``OSError``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpStreet:
    """Where a door listens, how many it serves, and how many of one address may be connected
    without having asked anything. ``name`` is its name in logs and metrics."""

    name: str
    host: str
    port: int
    connections_max: int
    silent_per_address_max: int


def greeting(tls: ssl.SSLContext | None) -> Greet:
    """The TLS end of a listener that asks for no client certificate; None: plain HTTP."""

    async def greet(line: asyncio.Protocol, sock: socket.socket) -> None:
        await asyncio.get_running_loop().connect_accepted_socket(
            lambda: line,
            sock,
            ssl=tls,
            ssl_handshake_timeout=None if tls is None else limits.HTTP_TLS_TIMEOUT_S,
        )

    return greet


class HttpDoor:
    """Lets devices in to an application, from ``start`` to ``stop``."""

    def __init__(
        self,
        street: HttpStreet,
        app: web.Application,
        *,
        greet: Greet,
        refused: Callable[[str, str], None],
        stop_s: int,
    ) -> None:
        """``refused`` counts who was refused: the door's name, and why."""
        self.port = street.port
        self._street, self._greet, self._refused = street, greet, refused
        app.middlewares.append(self._admit)
        self._runner = web.AppRunner(
            app,
            shutdown_timeout=stop_s,
            handle_signals=False,
            keepalive_timeout=limits.HTTP_KEEP_ALIVE_S,
        )
        self._greeting: dict[asyncio.Task[None], str] = {}
        self._silent: dict[RequestHandler, tuple[str, asyncio.TimerHandle]] = {}
        self._quiet_until: dict[str, float] = {}
        self._socket: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen; ``port_taken`` where somebody else does."""
        await self._runner.setup()
        host, port = self._street.host, self._street.port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            self._socket = socket.create_server(
                (host, port), family=family, backlog=limits.HTTP_ACCEPT_BACKLOG
            )
        except OSError as error:
            await self._runner.cleanup()
            raise OperatingError("port_taken", f"{host}:{port} ({error.strerror})") from error
        self._socket.setblocking(False)
        self.port = int(self._socket.getsockname()[1])
        self._accepting = asyncio.get_running_loop().create_task(self._accept(self._socket))

    async def stop(self) -> None:
        """Let nobody in any more; who is served may go on for a moment."""
        tasks = [*self._greeting, *([self._accepting] if self._accepting else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._socket is not None:
            self._socket.close()
        await self._runner.cleanup()
        for _, timer in self._silent.values():
            timer.cancel()
        self._silent.clear()

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, address = await loop.sock_accept(listener)
            except OSError as error:
                # Out of descriptors, most likely: those who leave give some back.
                self._say("accept_failed", error.strerror or "")
                await asyncio.sleep(limits.HTTP_ACCEPT_RETRY_S)
                continue
            why = self._objection(address[0])
            if why is not None:
                self._refuse(why, address[0])
                sock.close()
                continue
            task = loop.create_task(self._let_in(sock, address[0]))
            self._greeting[task] = address[0]
            task.add_done_callback(self._greeting.pop)

    def _objection(self, address: str) -> str | None:
        open_max = self._street.connections_max + limits.HTTP_REFUSALS_MAX
        if self._count() + len(self._greeting) >= open_max:
            return "closed"
        quiet = Counter(self._greeting.values()) + Counter(
            one for line, (one, _) in self._silent.items() if line.transport is not None
        )
        return "silent" if quiet[address] >= self._street.silent_per_address_max else None

    async def _let_in(self, sock: socket.socket, address: str) -> None:
        serves = self._runner.server
        assert serves is not None
        line = serves()
        try:
            await self._greet(line, sock)
        except OSError:  # a failed handshake is one, and so is TimeoutError
            sock.close()
            return
        loop = asyncio.get_running_loop()
        timer = loop.call_later(limits.HTTP_FIRST_REQUEST_S, self._give_up, line)
        self._silent[line] = address, timer

    def _give_up(self, line: RequestHandler) -> None:
        """Close a socket that has asked nothing in time, or forget one that is gone."""
        self._silent.pop(line, None)
        if line.transport is not None:
            line.transport.abort()

    @web.middleware
    async def _admit(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        _, timer = self._silent.pop(request.protocol, ("", None))
        if timer is not None:
            timer.cancel()
        if self._count() <= self._street.connections_max:
            try:
                return await handler(request)
            except web.HTTPError as error:
                error.force_close()  # a stranger keeps no place
                raise
        self._refuse("connections_max", request.remote or "")
        again = {"Retry-After": str(limits.HTTP_RETRY_AFTER_S)}
        refused = web.json_response(
            {"error": OperatingError("busy").to_wire()}, status=503, headers=again
        )
        refused.force_close()
        return refused

    def _count(self) -> int:
        return len(self._runner.server.connections) if self._runner.server is not None else 0

    def _refuse(self, why: str, address: str) -> None:
        self._refused(self._street.name, why)
        self._say(why, address)

    def _say(self, why: str, detail: str) -> None:
        """Log it, but each reason only now and then, so that nobody can fill the disk by coming
        often."""
        now = asyncio.get_running_loop().time()
        if now >= self._quiet_until.get(why, now):
            self._quiet_until[why] = now + limits.HTTP_QUIET_S
            _log.warning("http_refused", door=self._street.name, why=why, detail=detail)
