"""TLS on a line of asyncio: a layer between a transport below and a protocol above.

Rule 1: the protocol above sees a transport only when the handshake is done and the peer accepted.
Rule 2: nothing is kept here. What comes is handed up at once, what is written goes down at once;
        the transport below counts it and says when it is too much.
Rule 3: whoever does not finish its handshake, or does not read our last words, is cut off in time.
"""

import asyncio
import socket
from collections.abc import Iterable
from typing import Any, cast

from transport.contexts import ServerTls
from transport.limits import CLOSE_S_MAX, GREETING_S_MAX
from transport.machine import PeerCertificate, TlsError, TlsMachine


class TlsTransport(asyncio.Transport):
    """What the protocol above writes to. ``ssl_object`` of the extra info tells the peer."""

    def __init__(self, layer: "TlsLayer", lower: asyncio.Transport) -> None:
        super().__init__()
        self._layer = layer
        self._lower = lower

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401  # asyncio's
        """``ssl_object``, ``sslcontext``, or whatever the transport below knows."""
        if name == "ssl_object":
            return self._layer.peer
        if name == "sslcontext":
            return self._layer
        return self._lower.get_extra_info(name, default)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypt and send."""
        self._layer.write(data)

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        """Encrypt all together: one record is cheaper than many."""
        self._layer.write(b"".join(list_of_data))

    def close(self) -> None:
        """Say goodbye, send what was written, and close."""
        self._layer.close()

    def abort(self) -> None:
        """Close now."""
        self._layer.abort()

    def is_closing(self) -> bool:
        """Whether it was closed by either end."""
        return self._layer.is_closing

    def can_write_eof(self) -> bool:
        """Never: half a TLS connection is of no use to us."""
        return False

    def is_reading(self) -> bool:
        """As the transport below."""
        return self._lower.is_reading()

    def pause_reading(self) -> None:
        """As the transport below."""
        self._lower.pause_reading()

    def resume_reading(self) -> None:
        """As the transport below."""
        self._lower.resume_reading()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """As the transport below, in encrypted bytes."""
        self._lower.set_write_buffer_limits(high=high, low=low)

    def get_write_buffer_size(self) -> int:
        """As the transport below, in encrypted bytes."""
        return self._lower.get_write_buffer_size()

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The protocol above."""
        return self._layer.above


class TlsLayer(asyncio.Protocol):
    """The protocol below, which makes a :class:`TlsTransport` for ``above``."""

    def __init__(
        self,
        machine: TlsMachine,
        above: asyncio.Protocol,
        *,
        greeting_s: float = GREETING_S_MAX,
    ) -> None:
        self._machine = machine
        self.above = above
        self._opened: asyncio.Future[None] | None = None
        self._greeting_s = greeting_s
        self._lower: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._is_lost = False
        self._error: Exception | None = None
        self.is_closing = False
        self.transport: TlsTransport | None = None

    # --- asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The line is there: greet."""
        self._lower = cast(asyncio.Transport, transport)
        self._set_deadline(self._greeting_s)
        self._machine.start()
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Bytes of the line."""
        try:
            plain = self._machine.receive(data)
        except TlsError as error:
            self._flush()
            self._fail(error)
            return
        self._flush()
        if self._machine.is_open and self.transport is None:
            self._greeted()
        if plain and not self.is_closing:
            self.above.data_received(plain)
        if self._machine.is_ended and not self.is_closing:
            self.above.eof_received()
            self.close()

    def eof_received(self) -> bool | None:
        """The line ended below TLS: what was said last may be missing (RFC 8446 §6.1)."""
        if not self.is_closing:
            self._fail(TlsError("the line ended without a goodbye"))
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        """The line is gone, whoever ended it."""
        self._stop_deadline()
        self.is_closing = True
        self._is_lost = True
        if not self._machine.is_ended:  # Who has said goodbye need not hear ours.
            self._error = self._error or exc
        if self.transport is not None:
            self.above.connection_lost(self._error)
        elif self._opened is not None and not self._opened.done():
            self._opened.set_exception(self._why())

    def pause_writing(self) -> None:
        """Too much waits below."""
        if self.transport is not None:
            self.above.pause_writing()

    def resume_writing(self) -> None:
        """There is room again below."""
        if self.transport is not None:
            self.above.resume_writing()

    # --- who made it

    async def opened(self) -> TlsTransport:
        """The transport above, when the handshake is done; ``OSError`` if it never will be."""
        if self.transport is None:
            if self._is_lost:
                raise self._why()
            self._opened = asyncio.get_running_loop().create_future()
            try:
                await self._opened
            except asyncio.CancelledError:
                self.abort()
                raise
        assert self.transport is not None, "it is opened"
        return self.transport

    # --- the transport

    @property
    def peer(self) -> PeerCertificate:
        """Whom the peer proved to be."""
        return self._machine.peer

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypt and send; after the end it is thrown away, as asyncio does."""
        if self.is_closing or not data:
            return
        try:
            self._machine.send(data)
        except TlsError as error:
            self._fail(error)
        else:
            self._flush()

    def close(self) -> None:
        """Say goodbye and close when it is sent, in a bounded time."""
        if self.is_closing or self._lower is None:
            return
        self.is_closing = True
        self._machine.end()
        self._flush()
        self._lower.close()
        self._set_deadline(CLOSE_S_MAX)

    def abort(self) -> None:
        """Close now."""
        self.is_closing = True
        if self._lower is not None:
            self._lower.abort()

    # --- below

    def _greeted(self) -> None:
        self._stop_deadline()
        assert self._lower is not None, "bytes came by it"
        self.transport = TlsTransport(self, self._lower)
        if self._opened is not None and not self._opened.done():
            self._opened.set_result(None)
        self.above.connection_made(self.transport)

    def _why(self) -> Exception:
        return self._error or TlsError("the line ended in the handshake")

    def _flush(self) -> None:
        data = self._machine.outgoing()
        if data and self._lower is not None:
            self._lower.write(data)

    def _fail(self, error: TlsError) -> None:
        """An alert may be on its way: let it out, but do not wait for it long."""
        self._error = error
        self.is_closing = True
        if self._lower is not None:
            self._lower.close()
            self._set_deadline(CLOSE_S_MAX)

    def _set_deadline(self, seconds: float) -> None:
        self._stop_deadline()
        self._deadline = asyncio.get_running_loop().call_later(seconds, self._give_up)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        self._error = self._error or TimeoutError("the peer took too long")
        self.abort()


async def accept(
    tls: ServerTls, above: asyncio.Protocol, sock: socket.socket, *, greeting_s: float
) -> None:
    """Greet whom we accepted; ``above`` has its transport when this returns. ``OSError``."""
    layer = TlsLayer(tls.machine(), above, greeting_s=greeting_s)
    await asyncio.get_running_loop().connect_accepted_socket(lambda: layer, sock)
    await layer.opened()
