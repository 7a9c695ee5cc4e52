"""What we change inside aiocoap 0.4: it gets our socket, bounds on what it remembers (messages
seen, bodies sent in blocks), and tells us when an ACK comes.

Rule: only this file and ``protection`` touch private names of aiocoap. ``tests/unit/hub`` tries
each of these behaviours over a real socket, so a release of aiocoap that changes one is noticed.
"""

import asyncio
import ipaddress
import socket
from collections import OrderedDict, deque
from contextlib import suppress
from typing import Any

import aiocoap
from aiocoap.interfaces import Resource
from aiocoap.messagemanager import MessageManager
from aiocoap.numbers.types import ACK
from aiocoap.tokenmanager import TokenManager
from aiocoap.transports.udp6 import MessageInterfaceUDP6
from aiocoap.util import socknumbers
from aiocoap.util.asyncio.timeoutdict import TimeoutDict

from hub.coap.limits import (
    OBSERVE_NUMBERS,
    RECEIVE_BUFFER_BYTES,
    RECENT_MESSAGES_MAX,
    SEND_BUFFER_BYTES,
    TRANSFERS_MAX,
)
from protocol.errors import OperatingError

_Key = tuple[object, int]


class BoundedMessageManager(MessageManager):  # type: ignore[misc]  # aiocoap has no types
    """aiocoap's message layer with four differences.

    1. It remembers at most ``RECENT_MESSAGES_MAX`` requests (aiocoap #183 has no bound) and needs
       one timer for all of them.
    2. A message id that comes again with another *token* is another request, not a retransmission
       (aiocoap #80 would send the old answer).
    3. ``acknowledged`` tells when a message that we sent was acknowledged.
    4. The number of a notification is cut to the bits that it may have; aiocoap takes the sender's
       OSCORE number as it is.
    """

    def __init__(self, token_manager: TokenManager) -> None:
        super().__init__(token_manager)
        self._recent_messages: OrderedDict[_Key, aiocoap.Message | None] = OrderedDict()
        self._tokens: dict[_Key, bytes] = {}
        self._expiries: deque[tuple[float, _Key]] = deque()
        self._acknowledgements: dict[_Key, asyncio.Future[bool]] = {}
        self._awaited: dict[int, asyncio.Future[bool]] = {}

    def acknowledged(self, message: aiocoap.Message) -> "asyncio.Future[bool]":
        """A future that becomes True when this message, sent later, is acknowledged."""
        future: asyncio.Future[bool] = self.loop.create_future()
        mark = id(message)
        self._awaited[mark] = future
        future.add_done_callback(lambda _: self._awaited.pop(mark, None))
        return future

    def resealed(self, message: aiocoap.Message, sealed: aiocoap.Message) -> None:
        """What was to be sent goes as this one: its acknowledgement is the other's."""
        future = self._awaited.pop(id(message), None)
        if future is not None:
            mark = id(sealed)
            self._awaited[mark] = future
            future.add_done_callback(lambda _: self._awaited.pop(mark, None))

    def send_message(self, message: aiocoap.Message, messageerror_monitor: object) -> None:
        if message.opt.observe is not None:
            message.opt.observe %= OBSERVE_NUMBERS
        super().send_message(message, messageerror_monitor)

    def _add_exchange(self, message: aiocoap.Message, messageerror_monitor: object) -> None:
        future = self._awaited.get(id(message))
        if future is not None and not future.done():
            key = (message.remote, message.mid)
            self._acknowledgements[key] = future
            future.add_done_callback(lambda _: self._acknowledgements.pop(key, None))
        super()._add_exchange(message, messageerror_monitor)

    def _remove_exchange(self, message: aiocoap.Message) -> None:
        future = self._acknowledgements.get((message.remote, message.mid))
        if future is not None and not future.done():
            future.set_result(message.mtype is ACK)
        super()._remove_exchange(message)

    def _deduplicate_message(self, message: aiocoap.Message) -> bool:
        self._expire()
        key = (message.remote, message.mid)
        if key in self._recent_messages and self._tokens[key] == message.token:
            return bool(super()._deduplicate_message(message))
        self._recent_messages[key] = None
        self._tokens[key] = message.token
        lifetime_s = message.transport_tuning.EXCHANGE_LIFETIME
        self._expiries.append((self.loop.time() + lifetime_s, key))
        if len(self._expiries) > RECENT_MESSAGES_MAX:
            self._drop_oldest()
        return False

    def _expire(self) -> None:
        now = self.loop.time()
        while self._expiries and self._expiries[0][0] <= now:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        _, key = self._expiries.popleft()
        self._recent_messages.pop(key, None)
        self._tokens.pop(key, None)


class _Transfers(TimeoutDict[Any, Any]):  # type: ignore[misc]  # aiocoap has no types
    """Bodies on their way in blocks, at most ``TRANSFERS_MAX``; one goes when it times out.

    Where there is no room for one more, an address with more than its share loses its own oldest;
    otherwise the oldest of all goes. So an address that begins many pushes out only its own.
    """

    def __init__(self, timeout_s: float) -> None:
        super().__init__(timeout_s)
        self._of: dict[object, dict[object, None]] = {}
        """The keys of each address, oldest first."""

    def __setitem__(self, key: object, value: object) -> None:
        if key in self._items:
            self._drop(key)
        super().__setitem__(key, value)
        own = self._of.setdefault(_host(key), {})
        own[key] = None
        if len(self._items) > TRANSFERS_MAX:
            has_its_share = (len(own) - 1) * len(self._of) >= TRANSFERS_MAX
            self._drop(next(iter(own if has_its_share else self._items)))

    def _drop(self, key: object) -> None:
        del self._items[key]
        if self._recently_accessed is not None:
            self._recently_accessed.discard(key)
        self._forget(key)

    def _forget(self, key: object) -> None:
        host = _host(key)
        del self._of[host][key]
        if not self._of[host]:
            del self._of[host]

    def _tick(self) -> None:
        before = self._items
        super()._tick()
        for key in before.keys() - self._items.keys():
            self._forget(key)


def _host(key: Any) -> object:  # noqa: ANN401
    """Whose transfer it is: the address without the port, since a sender can choose its port."""
    remote = key[0]
    if isinstance(remote[0][0], tuple):
        remote = remote[0]  # protected: (what it would be plainly, the context's key)
    return remote[0][0]


def bound_transfers(resource: Resource) -> None:
    """Bound how many bodies in blocks a resource keeps."""
    spool, cache = resource._block1, resource._block2  # noqa: SLF001
    spool._assemblies = _Transfers(spool._assemblies.timeout)  # noqa: SLF001
    cache._completes = _Transfers(cache._completes.timeout)  # noqa: SLF001


class _Interface(MessageInterfaceUDP6):  # type: ignore[misc]  # aiocoap has no types
    """aiocoap's socket, which drops a message with an option that is not UTF-8, as it drops any
    other that it cannot read. aiocoap would log an exception, which anybody could cause at will."""

    def datagram_msg_received(
        self, data: bytes, ancdata: object, flags: int, address: object
    ) -> None:
        with suppress(UnicodeDecodeError):
            super().datagram_msg_received(data, ancdata, flags, address)


def open_socket(host: str, port: int) -> socket.socket:
    """A bound UDP socket. Not SO_REUSEPORT, as aiocoap does: a taken port must be noticed."""
    found = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    try:
        found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        found.bind((_mapped(host), port))
    except OSError as error:
        found.close()
        raise OperatingError("port_taken", f"{host}:{port}/udp ({error.strerror})") from None
    return found


async def serve(
    site: Resource, sock: socket.socket
) -> tuple[aiocoap.Context, BoundedMessageManager]:
    """A server context on this socket, and its message layer."""
    loop = asyncio.get_running_loop()
    context = aiocoap.Context(loop=loop, serversite=site, loggername="coap-server")
    tokens = TokenManager(context)
    messages = BoundedMessageManager(tokens)
    transport = await _Interface._create_transport_endpoint(  # noqa: SLF001
        sock, messages, context.log, loop
    )
    _ignore_refusals(sock)
    messages.message_interface = transport
    tokens.token_interface = messages
    context.request_interfaces.append(tokens)
    return context, messages


def _ignore_refusals(sock: socket.socket) -> None:
    """Have the system not report that nobody is at a port any more (ICMP), which aiocoap asks for.

    Such a report makes uvloop stop reading a socket for good, so a single device that is gone
    before its answer would make us deaf to all. Who is gone acknowledges nothing, and is given up
    by that.
    """
    if socknumbers.HAS_RECVERR:
        sock.setsockopt(socket.IPPROTO_IPV6, socknumbers.IPV6_RECVERR, 0)
        sock.setsockopt(socket.IPPROTO_IP, socknumbers.IP_RECVERR, 0)


def _mapped(host: str) -> str:
    address = ipaddress.ip_address(host)
    return f"::ffff:{address}" if address.version == 4 else str(address)
