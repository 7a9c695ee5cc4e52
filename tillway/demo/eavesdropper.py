"""Somebody on the vending machine's wire: passes every datagram on, keeps what went to the hub.

CoAP without OSCORE has no privacy and no sender's identity of its own; what protects the hub is
the envelope. The demo proves it by recording a paid request here and sending it again.
"""

import asyncio
import contextlib
import selectors
import socket
import threading
from typing import Final

import aiocoap

from protocol import answers
from protocol.errors import OperatingError

_DATAGRAM_BYTES_MAX: Final = 65_536
_POLL_S: Final = 0.2
_ANSWER_S: Final = 20
_KEPT_MAX: Final = 1_000


class Eavesdropper:
    """A UDP relay between one device and the hub's CoAP port. Close it when done."""

    def __init__(self, hub_port: int) -> None:
        self._hub = ("127.0.0.1", hub_port)
        self._near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._near.bind(("127.0.0.1", 0))
        self._lines: dict[socket.socket, tuple[str, int]] = {}
        self._recorded: list[bytes] = []
        self._is_open = True
        self._thread = threading.Thread(target=self._relay, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where the device believes the hub to be."""
        return int(self._near.getsockname()[1])

    def recorded_requests(self) -> list[bytes]:
        """The envelopes that went by in one piece, oldest first: a payment's does."""
        found = []
        for datagram in list(self._recorded):
            message = aiocoap.Message.decode(datagram)
            is_part = message.opt.block1 is not None  # of a longer one (RFC 7959)
            if message.code == aiocoap.POST and message.payload and not is_part:
                found.append(bytes(message.payload))
        return found

    def close(self) -> None:
        """Stop relaying."""
        self._is_open = False
        self._thread.join()
        for line in (self._near, *self._lines):
            line.close()

    def _relay(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._near, selectors.EVENT_READ)
            while self._is_open:
                for key, _ in selector.select(_POLL_S):
                    with contextlib.suppress(ConnectionError):
                        self._pass_on(selector, key.fileobj)

    def _pass_on(self, selector: selectors.BaseSelector, source: object) -> None:
        assert isinstance(source, socket.socket)
        datagram, sender = source.recvfrom(_DATAGRAM_BYTES_MAX)
        if source is not self._near:
            self._near.sendto(datagram, self._lines[source])
            return
        self._recorded = [*self._recorded, datagram][-_KEPT_MAX:]
        line = next((known for known, device in self._lines.items() if device == sender), None)
        if line is None:
            line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            line.connect(self._hub)
            self._lines[line] = sender
            selector.register(line, selectors.EVENT_READ)
        line.send(datagram)


def post_envelope(hub_port: int, envelope: bytes) -> answers.Answer:
    """Send an envelope to the hub as a CoAP request of our own; the answer, unchecked."""
    return asyncio.run(_post(hub_port, envelope))


async def _post(hub_port: int, envelope: bytes) -> answers.Answer:
    context = await aiocoap.Context.create_client_context()
    try:
        request = aiocoap.Message(
            code=aiocoap.POST,
            uri=f"coap://127.0.0.1:{hub_port}/p1/req",
            payload=envelope,
            content_format=18,
        )
        async with asyncio.timeout(_ANSWER_S):
            response = await context.request(request).response
    except (TimeoutError, aiocoap.error.Error) as error:
        raise OperatingError("timeout", f"the hub's CoAP port: {error}") from error
    finally:
        await context.shutdown()
    return answers.unseal(response.payload).answer
