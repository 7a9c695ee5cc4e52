"""Who is at the other end of a TLS connection, told to the application.

uvicorn keeps the peer's certificate to itself; this protocol takes it once per connection and puts
it into ``scope["extensions"]["tillway.tls"]``. A client cannot set this: extensions come from the
server only, and the handshake has verified the certificate against our CA.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from fastapi import Request
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from protocol.tls import require_peer

EXTENSION = "tillway.tls"


class PeerProtocol(HttpToolsProtocol):
    """httptools HTTP/1.1 that knows its peer."""

    _certificate: Mapping[str, Any] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Keep what the handshake has verified."""
        tls = transport.get_extra_info("ssl_object")
        self._certificate = tls.getpeercert() if tls is not None else None
        super().connection_made(transport)

    def on_message_begin(self) -> None:
        """Add the peer to each request's scope."""
        super().on_message_begin()
        self.scope["extensions"] = {EXTENSION: {"certificate": self._certificate}}


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
