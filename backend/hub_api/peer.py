"""Who is at the other end of a TLS connection, told to the application.

uvicorn keeps the peer's certificate to itself; this protocol takes it once per connection and puts
it into ``scope["extensions"]["tillway.tls"]``. A client cannot set this: extensions come from the
server only, and the handshake has verified the certificate against our CA.

uvicorn also waits for ever for a request that does not come. This protocol does not: a connection
has ``REQUEST_S_MAX`` from its first moment, and from the first byte after an answer, to say a
complete request; and one address has a bounded part of all connections.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from fastapi import Request
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from backend.limits import CONNECTIONS_PER_ADDRESS_MAX, REQUEST_S_MAX
from protocol.tls import require_peer

EXTENSION = "tillway.tls"


class PeerProtocol(HttpToolsProtocol):
    """httptools HTTP/1.1 that knows its peer and does not wait for ever."""

    _certificate: Mapping[str, Any] | None = None
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Keep what the handshake has verified."""
        tls = transport.get_extra_info("ssl_object")
        self._certificate = tls.getpeercert() if tls is not None else None
        super().connection_made(transport)
        if self._neighbours() > CONNECTIONS_PER_ADDRESS_MAX:
            transport.abort()
            return
        self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline with the connection."""
        self._stop_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Whatever comes must become a complete request in time."""
        if self._deadline is None:
            self._start_deadline()
        super().data_received(data)

    def on_message_complete(self) -> None:
        """The request is here: its answer may take as long as it takes."""
        self._stop_deadline()
        super().on_message_complete()

    def on_message_begin(self) -> None:
        """Add the peer to each request's scope."""
        super().on_message_begin()
        self.scope["extensions"] = {EXTENSION: {"certificate": self._certificate}}

    def _neighbours(self) -> int:
        """How many connections this one's address has, itself among them."""
        if self.client is None:
            return 0
        clients = (getattr(other, "client", None) for other in self.connections)
        return sum(client is not None and client[0] == self.client[0] for client in clients)

    def _start_deadline(self) -> None:
        self._deadline = self.loop.call_later(REQUEST_S_MAX, self._abort)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _abort(self) -> None:
        # Not ``close``: who says nothing does not answer a TLS farewell either.
        self._deadline = None
        self.transport.abort()


def certificate_of(request: Request) -> Mapping[str, Any] | None:
    """The verified certificate of the connection, as ``getpeercert()`` gives it."""
    found: Mapping[str, Any] | None = (
        request.scope.get("extensions", {}).get(EXTENSION, {}).get("certificate")
    )
    return found


def hub_of(request: Request) -> str:
    """The hub at the other end; ``CallerError("identity_mismatch")`` for anybody else."""
    return require_peer(certificate_of(request), "hub").name


def host_names(certificate: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The host names and addresses in a verified certificate."""
    names = (certificate or {}).get("subjectAltName", ())
    return tuple(str(value) for kind, value in names if kind in {"DNS", "IP Address"})
