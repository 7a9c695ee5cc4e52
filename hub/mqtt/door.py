"""The listening socket of the MQTT server, and how many may stand in it.

Rule 1: a socket counts from its accept, not from the end of its handshake. A peer that says nothing
holds a place for ``MQTT_TLS_TIMEOUT_S`` and no more, and one address holds few such places.
Rule 2: whoever finds no place is closed at once; nothing queues in the hub.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from hub import limits
from hub.mqtt.line import Line
from protocol.errors import OperatingError
from transport.contexts import ServerTls
from transport.failures import why
from transport.streams import accept

_log = structlog.get_logger("hub.mqtt")


@dataclass(frozen=True, slots=True)
class Street:
    """Where the door is, and what a line speaks behind it."""

    host: str
    port: int
    tls: ServerTls | None


class Door:
    """Accepts sockets and makes lines of them. Made and used inside the running loop."""

    def __init__(
        self,
        street: Street,
        *,
        make_line: Callable[[], Line],
        lines: Callable[[], int],
        tally: Counter[tuple[str, str]],
    ) -> None:
        """Bind now: a taken port raises ``OperatingError("port_taken")``."""
        self._tls = street.tls
        self._make_line = make_line
        self._lines = lines
        self._tally = tally
        self._greetings: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._quiet_until: dict[str, float] = {}
        family = socket.AF_INET6 if ":" in street.host else socket.AF_INET
        try:
            self._socket = socket.create_server(
                (street.host, street.port), family=family, backlog=limits.MQTT_ACCEPT_BACKLOG
            )
        except OSError as error:
            raise OperatingError("port_taken", f"{street.host}:{street.port}") from error
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]
        self._accepting = asyncio.get_running_loop().create_task(self._accept())

    async def close(self) -> None:
        """Let nobody in any more; those in their handshake are closed."""
        tasks = [self._accepting, *self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._socket.close()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, address = await loop.sock_accept(self._socket)
            except OSError as error:
                # Out of descriptors, most likely: those who leave give some back.
                _log.warning("mqtt_accept_failed", error=error.strerror)
                await asyncio.sleep(limits.MQTT_ACCEPT_RETRY_S)
                continue
            refused = self._objection(address[0])
            if refused is not None:
                self._tally["refused", refused] += 1
                sock.close()
                continue
            self._greetings[address[0]] += 1
            task = loop.create_task(self._greet(sock, address[0]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _say(self, reason: str, address: str) -> None:
        """Log it, but each reason only now and then, so that nobody can fill the disk by coming
        often."""
        now = asyncio.get_running_loop().time()
        if now >= self._quiet_until.get(reason, now):
            self._quiet_until[reason] = now + limits.MQTT_HANDSHAKE_QUIET_S
            _log.info("mqtt_handshake_refused", reason=reason, address=address)

    def _objection(self, address: str) -> str | None:
        greetings = self._greetings.total()
        if self._lines() + greetings >= limits.MQTT_CONNECTIONS_MAX:
            return "connections_max"
        if greetings >= limits.MQTT_HANDSHAKES_MAX:
            return "handshakes_max"
        if self._greetings[address] >= limits.MQTT_HANDSHAKES_PER_ADDRESS_MAX:
            return "handshakes_per_address_max"
        return None

    async def _greet(self, sock: socket.socket, address: str) -> None:
        line = self._make_line()
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is None:
                await asyncio.get_running_loop().connect_accepted_socket(lambda: line, sock)
            else:
                await accept(self._tls, line, sock, greeting_s=limits.MQTT_TLS_TIMEOUT_S)
        except OSError as error:  # TlsError is one, and so is TimeoutError
            self._tally["refused", "handshake"] += 1
            self._say(why(error), address)
            sock.close()
        finally:
            self._greetings[address] -= 1
            if not self._greetings[address]:
                del self._greetings[address]
