"""Where chargers dial in: ``ws(s)://HOST:PORT/ocpp/NAME``.

Rule 1: a charger is who its certificate says, or who knows the charger's password (OCPP security
        profiles 1 to 3); the path must name the same. Wrong passwords are counted (``tries``).
Rule 2: a charger that dials again takes over from its own line of before.
"""

import base64
import binascii
import hmac
import ssl
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from aiohttp import web

from hub import limits
from hub.http_door import HttpDoor, HttpStreet, greeting
from hub.ocpp.answering import Answering, Patience
from hub.ocpp.book import ChargeBook
from hub.ocpp.connection import Connection, Outbox
from hub.ocpp.dialect import Desk, Dialect, Send
from hub.ocpp.keeper import Keeper
from hub.ocpp.limits import LISTENER_STOP_S, MESSAGE_BYTES_TAKEN_MAX, PING_EVERY_S
from hub.ocpp.v16 import Dialect16
from hub.ocpp.v201 import Dialect201
from hub.ocpp.wrong_passwords import WrongPasswords
from protocol.clock import Clock
from protocol.errors import CallerError
from protocol.tls import peer_of

log = structlog.get_logger("hub.ocpp")
DIALECTS: dict[str, Callable[[Desk, Send], Dialect]] = {
    Dialect201.subprotocol: Dialect201,
    Dialect16.subprotocol: Dialect16,
}
_KINDS = frozenset({"terminal", "thing"})


class OcppServer:
    """The listener."""

    def __init__(
        self,
        book: ChargeBook,
        keeper: Keeper,
        *,
        passwords: Mapping[str, bytes],
        host: str,
        port: int,
        tls: ssl.SSLContext | None,
        clock: Clock,
        refused: Callable[[str, str], None],
    ) -> None:
        """``passwords`` by charger; one without is known by its certificate only. ``refused``
        counts whom there was no place for."""
        self._book = book
        self._keeper = keeper
        self._passwords = passwords
        self._clock = clock
        self._tries = WrongPasswords()
        self._lines: dict[str, Connection] = {}
        self._patience: defaultdict[str, Patience] = defaultdict(Patience)
        app = web.Application()
        app.router.add_get("/ocpp/{name}", self._serve)
        self._door = HttpDoor(
            HttpStreet(
                name="chargers",
                host=host,
                port=port,
                connections_max=limits.HTTP_CHARGERS_MAX,
                silent_per_address_max=limits.HTTP_CHARGERS_SILENT_PER_ADDRESS_MAX,
            ),
            app,
            greet=greeting(tls),
            refused=refused,
            stop_s=LISTENER_STOP_S,
        )

    @property
    def port(self) -> int:
        """Where chargers dial in."""
        return self._door.port

    async def start(self) -> None:
        """Listen; ``port_taken`` if that cannot be."""
        await self._door.start()

    async def stop(self) -> None:
        """Close the listener and the lines."""
        for line in list(self._lines.values()):
            await line.close()
        await self._door.stop()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if not self._is_known(name, request) or name not in self._book.posts:
            log.warning("charger_not_admitted", charger=name, peer=request.remote)
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": 'Basic realm="ocpp"'})
        socket = web.WebSocketResponse(
            protocols=tuple(DIALECTS), heartbeat=PING_EVERY_S, max_msg_size=MESSAGE_BYTES_TAKEN_MAX
        )
        ready = socket.can_prepare(request)
        if not ready.ok or ready.protocol not in DIALECTS:
            raise web.HTTPBadRequest(text="ocpp1.6 or ocpp2.0.1 over a WebSocket\n")
        await socket.prepare(request)
        outbox = Outbox()
        desk = Desk(name, self._book, self._keeper)
        dialect = DIALECTS[ready.protocol](desk, outbox.put)
        line = Connection(name, socket, Answering(desk, dialect, self._patience[name]), outbox)
        earlier = self._lines.get(name)
        self._lines[name], self._book.lines[name] = line, dialect
        if earlier is not None:
            await earlier.close()
        log.info("charger_connected", charger=name, subprotocol=dialect.subprotocol)
        dialect.greet()
        try:
            await line.serve()
        finally:
            if self._lines.get(name) is line:
                del self._lines[name], self._book.lines[name]
            log.info("charger_gone", charger=name)
        return socket

    def _is_known(self, name: str, request: web.Request) -> bool:
        transport = request.transport
        certificate: Mapping[str, Any] | None = (
            transport.get_extra_info("peercert") if transport is not None else None
        )
        if certificate:
            return is_charger(certificate, name)
        shown = _basic(request.headers.get("Authorization", ""))
        return bool(shown) and self._is_password(name, shown, request.remote or "")

    def _is_password(self, name: str, shown: bytes, address: str) -> bool:
        now_ms = self._clock.now_ms()
        if not self._tries.admits(address, now_ms=now_ms):
            raise web.HTTPTooManyRequests
        expected = self._passwords.get(name, b"")
        user, _, password = shown.partition(b":")
        is_right = hmac.compare_digest(password, expected) and user == name.encode()
        if not (expected and is_right):
            self._tries.note(address, now_ms=now_ms)
            return False
        return True


def is_charger(certificate: Mapping[str, Any], name: str) -> bool:
    """Whether a verified certificate is this device's; a merchant's or an operator's of the same
    name is not."""
    try:
        peer = peer_of(certificate)
    except CallerError:
        return False
    return peer.kind in _KINDS and peer.name == name


def _basic(header: str) -> bytes:
    """User and password of an ``Authorization: Basic`` header, as they were before Base64."""
    scheme, _, word = header.partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(word, validate=True)
    except (binascii.Error, ValueError):
        return b""
