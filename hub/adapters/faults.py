"""Breaks the line for real, for the demo and the tests: sockets fail, and nothing above is told.

``cut``: no new connection is made and every open one is aborted. ``drop_answers``: a request goes
out whole, and the moment the first byte of its answer arrives (so the backend has committed) the
connection is aborted and the byte thrown away unread.

Rule: the only code in the hub that knows about faults, and only built in when the configuration
says ``fault_control``.
"""

import asyncio
from functools import partial
from typing import Any, cast

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.tracing import Trace

from hub.adapters.peer import PeerConnector, PeerHandler
from transport.contexts import ClientTls


class LineFaults:
    """What is wrong with the line now."""

    def __init__(self) -> None:
        self.drop_answers = False
        self.cut = False
        self.answers_dropped = 0
        self._open: set[FaultyHandler] = set()

    def change(self, *, drop_answers: bool | None = None, cut: bool | None = None) -> None:
        """Set faults; what is None stays. A cut breaks what is connected at once."""
        if drop_answers is not None:
            self.drop_answers = drop_answers
        if cut is not None:
            self.cut = cut
        if self.cut:
            for handler in list(self._open):
                handler.abort()

    def opened(self, handler: "FaultyHandler") -> None:
        """A connection was made."""
        self._open.add(handler)

    def closed(self, handler: "FaultyHandler") -> None:
        """A connection is gone."""
        self._open.discard(handler)


class FaultyHandler(PeerHandler):
    """aiohttp's connection, with a wire that can be cut."""

    def __init__(self, faults: LineFaults, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._faults = faults

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection as open."""
        super().connection_made(transport)
        self._faults.opened(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Count the connection as gone."""
        self._faults.closed(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes from the wire, or lose them."""
        if self._faults.drop_answers or self._faults.cut:
            self._faults.answers_dropped += 1
            self.abort()
            return
        super().data_received(data)

    def abort(self) -> None:
        """Break the connection without a word."""
        if self.transport is not None:
            # uvloop's transports are no subclass of asyncio's, so nothing is asked by type here.
            cast(asyncio.WriteTransport, self.transport).abort()


class FaultyConnector(PeerConnector):
    """aiohttp's connector on a line that can be cut."""

    def __init__(
        self,
        tls: ClientTls | None,
        faults: LineFaults,
        **options: Any,  # noqa: ANN401  # passed on
    ) -> None:
        super().__init__(tls, **options)
        self._faults = faults
        self._factory = partial(_factory_of(faults), loop=self._loop)

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109
    ) -> Any:  # noqa: ANN401  # aiohttp's own connection type
        """Connect, unless the line is cut."""
        if self._faults.cut:
            raise aiohttp.ClientConnectionError("the line is cut")
        return await super().connect(req, traces, timeout)


def _factory_of(faults: LineFaults) -> type[ResponseHandler]:
    """``FaultyHandler`` of these faults, in the shape that aiohttp's connector calls."""
    return cast(type[ResponseHandler], partial(FaultyHandler, faults))
