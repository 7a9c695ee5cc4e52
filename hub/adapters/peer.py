"""A connection that goes to the backend and nobody else with a certificate of our CA."""

import asyncio
from functools import partial
from typing import Any, cast

import aiohttp
import structlog
from aiohttp.client_proto import ResponseHandler

from protocol.errors import CallerError
from protocol.tls import ShowsCertificate, require_peer
from transport.contexts import ClientTls
from transport.streams import TlsLayer

log = structlog.get_logger("hub.line")


class PeerHandler(ResponseHandler):
    """aiohttp's connection, which asks whom it reached before a word is said."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Break a TLS connection to any other kind of machine than a backend."""
        super().connection_made(transport)
        tls: ShowsCertificate | None = transport.get_extra_info("ssl_object")
        if tls is None:
            return  # Plain HTTP: only where the client was made without TLS, in tests.
        try:
            require_peer(tls.getpeercert(), "backend")
        except CallerError as error:
            log.warning("backend_identity_wrong", detail=error.detail)
            cast(asyncio.WriteTransport, transport).abort()


class PeerConnector(aiohttp.TCPConnector):
    """aiohttp's connector of such connections."""

    def __init__(self, tls: ClientTls | None, **options: Any) -> None:  # noqa: ANN401  # passed on
        """``tls`` is None only in tests that speak plain HTTP to a fake."""
        super().__init__(**options)
        self._tls = tls
        self._factory = partial(cast(type[ResponseHandler], PeerHandler), loop=self._loop)

    async def _wrap_create_connection(
        self,
        *args: Any,  # noqa: ANN401  # aiohttp's
        server_hostname: str | None = None,
        **options: Any,  # noqa: ANN401
    ) -> tuple[asyncio.Transport, ResponseHandler]:
        """Connect as aiohttp does, and put our TLS between the socket and its protocol."""
        tls = self._tls
        if tls is None or server_hostname is None:
            return await super()._wrap_create_connection(*args, **options)
        make_above, *rest = args
        layer = TlsLayer(tls.machine(server_hostname), make_above())
        await super()._wrap_create_connection(lambda: layer, *rest, **{**options, "ssl": None})
        return await layer.opened(), cast(ResponseHandler, layer.above)
