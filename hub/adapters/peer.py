"""A connection that goes to the backend and nobody else with a certificate of our CA."""

import asyncio
import ssl
from functools import partial
from typing import Any, cast

import aiohttp
import structlog
from aiohttp.client_proto import ResponseHandler

from protocol.errors import CallerError
from protocol.tls import require_peer

log = structlog.get_logger("hub.line")


class PeerHandler(ResponseHandler):
    """aiohttp's connection, which asks whom it reached before a word is said."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Break a TLS connection to any other kind of machine than a backend."""
        super().connection_made(transport)
        tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        if tls is None:
            return  # Plain HTTP: only where the client was made without TLS, in tests.
        try:
            require_peer(cast(dict[str, Any] | None, tls.getpeercert()), "backend")
        except CallerError as error:
            log.warning("backend_identity_wrong", detail=error.detail)
            cast(asyncio.WriteTransport, transport).abort()


class PeerConnector(aiohttp.TCPConnector):
    """aiohttp's connector of such connections."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401  # passed through
        super().__init__(**options)
        self._factory = partial(cast(type[ResponseHandler], PeerHandler), loop=self._loop)
