"""One socket of the MQTT server."""

import asyncio
from typing import Protocol, cast

from hub import limits
from protocol.errors import CallerError
from protocol.tls import ShowsCertificate, peer_of

DEVICE_KINDS = frozenset({"terminal", "thing"})


class LineOwner(Protocol):
    """What a line tells its endpoint."""

    def on_opened(self, line: "Line") -> None:
        """The line is ready (for TLS: after the handshake)."""
        ...

    def on_bytes(self, line: "Line", data: bytes) -> None:
        """Bytes came."""
        ...

    def on_lost(self, line: "Line") -> None:
        """The line is gone."""
        ...


class Line(asyncio.Protocol):
    """Bytes in and out, and when not to read. Reading stops for two reasons, each on its own."""

    def __init__(self, owner: LineOwner, line_id: int) -> None:
        self.line_id = line_id
        self.identity: str | None = None
        self.tid: str | None = None
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._is_peer_slow = False
        self._is_hub_slow = False
        self._held = b""

    # --- asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio and uvloop set TCP_NODELAY themselves; a test holds them to it."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=limits.MQTT_WRITE_BUFFER_BYTES_MAX // 2)
        self.identity = device_name(transport.get_extra_info("ssl_object"))
        self._owner.on_opened(self)

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        self._owner.on_bytes(self, data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The line is gone, whoever ended it."""
        self._transport = None
        self._owner.on_lost(self)

    def pause_writing(self) -> None:
        """The peer does not read: take nothing more from it that would need an answer."""
        self._is_peer_slow = True
        self._set_reading()

    def resume_writing(self) -> None:
        """The peer reads again."""
        self._is_peer_slow = False
        self._set_reading()

    # --- the endpoint

    @property
    def is_holding(self) -> bool:
        """Whether something is held back, to be sent together with what comes next."""
        return bool(self._held)

    def hold(self, data: bytes) -> None:
        """Send together with what is written next: one record and one segment for both."""
        self._held += data

    def release(self) -> None:
        """Send what was held: nothing else came to send with it."""
        if self._held:
            self.write(b"")

    def write(self, data: bytes) -> None:
        """Send this after what was held. A peer that lets too much pile up is cut off."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        data, self._held = self._held + data, b""
        if transport.get_write_buffer_size() + len(data) > limits.MQTT_WRITE_BUFFER_BYTES_MAX:
            transport.abort()
            return
        transport.write(data)

    def close(self) -> None:
        """Close after what was written is sent. A peer that does not read is not waited for."""
        self.release()
        if self._transport is None:
            return
        if self._is_peer_slow:
            self._transport.abort()
        else:
            self._transport.close()

    def abort(self) -> None:
        """Close now."""
        if self._transport is not None:
            self._transport.abort()

    def set_hub_slow(self, is_slow: bool) -> None:
        """Stop reading while the hub has too many of this terminal's messages; go on when it has
        room."""
        if is_slow != self._is_hub_slow:
            self._is_hub_slow = is_slow
            self._set_reading()

    def _set_reading(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        should_read = not (self._is_peer_slow or self._is_hub_slow)
        if should_read and not transport.is_reading():
            transport.resume_reading()
        elif not should_read and transport.is_reading():
            transport.pause_reading()


def device_name(tls: ShowsCertificate | None) -> str | None:
    """The device whose certificate the peer showed; no other kind of machine speaks here."""
    try:
        peer = peer_of(tls.getpeercert() if tls is not None else None)
    except CallerError:
        return None
    return peer.name if peer.kind in DEVICE_KINDS else None
