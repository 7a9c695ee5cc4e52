"""Who is at the other end of a TLS connection, told to the application.

uvicorn keeps the peer's certificate to itself; this protocol reads its common name once per
connection and puts it into ``scope["extensions"]["tillway.tls"]["peer"]``. A client cannot set
this: extensions come from the server only.
"""

import asyncio
import ssl

from fastapi import Request
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from protocol.errors import CallerError

EXTENSION = "tillway.tls"


class PeerProtocol(HttpToolsProtocol):
    """httptools HTTP/1.1 that knows its peer."""

    _peer = ""

    def connection_made(  # type: ignore[override]  # uvicorn narrows the transport, too
        self, transport: asyncio.Transport
    ) -> None:
        """Read the certificate that the handshake has verified."""
        self._peer = common_name(transport.get_extra_info("ssl_object"))
        super().connection_made(transport)

    def on_message_begin(self) -> None:
        """Add the peer to each request's scope."""
        super().on_message_begin()
        self.scope["extensions"] = {EXTENSION: {"peer": self._peer}}


def common_name(tls: ssl.SSLObject | None) -> str:
    """The one common name of the peer's certificate; empty without one or with several."""
    certificate = tls.getpeercert() if tls is not None else None
    if not certificate:
        return ""
    subject = certificate.get("subject", ())
    names = [
        value
        for relative in subject  # type: ignore[union-attr]
        for name, value in relative  # type: ignore[misc]
        if name == "commonName"
    ]
    return str(names[0]) if len(names) == 1 else ""


def peer_of(request: Request) -> str:
    """The verified name at the other end; ``CallerError("not_authorized")`` without one."""
    peer = request.scope.get("extensions", {}).get(EXTENSION, {}).get("peer", "")
    if not peer:
        raise CallerError("not_authorized", "no client certificate")
    return str(peer)
