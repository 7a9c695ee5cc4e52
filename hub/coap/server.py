"""The CoAP server of the hub: a socket, the resources, and the way back to devices."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import aiocoap

from hub.coap.edge import BoundedMessageManager, bound_transfers, open_socket, serve
from hub.coap.given_context import GivenContexts
from hub.coap.given_keys import KeyBook
from hub.coap.limits import ANSWER_WAIT_GRACE_S, NOTIFY_TIMEOUT_S
from hub.coap.protection import Contexts, ProtectedSite
from hub.coap.rate import RateLimit
from hub.coap.resources import (
    DeviceBranch,
    Exchange,
    HubStateResource,
    LimitedSite,
    RequestResource,
    ResourceList,
    signed,
)
from hub.metrics import Tally
from protocol.clock import Clock
from protocol.topics import COAP_HUB_STATE_PATH, COAP_REQUEST_PATH

_DEVICES_PATH = ("p1", "t")


class CoapServer:
    """A ``CoapLink``. The port is bound when it is made, so a taken one is known at once. With
    ``given``, the keys of devices that cannot agree on one, only protected requests are served."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        clock: Clock,
        tally: Tally,
        rate: RateLimit,
        unknown_after_ms: int,
        given: KeyBook | None,
    ) -> None:
        self._socket: socket.socket | None = open_socket(host, port)
        self.port = int(self._socket.getsockname()[1])
        self._clock = clock
        self._tally = tally
        self._rate = rate
        self._answer_wait_s = unknown_after_ms / 1000 + ANSWER_WAIT_GRACE_S
        self._state = HubStateResource()
        self._branch: DeviceBranch | None = None
        self._context: aiocoap.Context | None = None
        self._messages: BoundedMessageManager | None = None
        self._contexts: Contexts | None = None
        if given is not None:
            self._contexts = Contexts(self._resealed, GivenContexts(given, self._resealed))
        self._turns: dict[str, asyncio.Lock] = {}

    async def start(self, exchange: Exchange, on_observer: Callable[[str], None]) -> None:
        """Serve."""
        assert self._socket is not None, "already started"
        self._branch = DeviceBranch(on_observer)
        site: Any = LimitedSite(self._admits)
        requests = RequestResource(
            exchange,
            answer_wait_s=self._answer_wait_s,
            must_be_protected=self._contexts is not None,
        )
        core = ResourceList(site.get_resources_as_linkheader, impl_info=None)
        for one in (requests, self._state, self._branch, core):
            bound_transfers(one)
        site.add_resource(COAP_REQUEST_PATH, requests)
        site.add_resource(COAP_HUB_STATE_PATH, self._state)
        site.add_resource(_DEVICES_PATH, self._branch)
        site.add_resource((".well-known", "core"), core)
        sock, self._socket = self._socket, None
        if self._contexts is not None:
            site = ProtectedSite(site, self._contexts, admits=self._admits)
        self._context, self._messages = await serve(site, sock)

    async def stop(self) -> None:
        """Close the socket."""
        if self._context is not None:
            await self._context.shutdown()
        if self._socket is not None:
            self._socket.close()

    async def notify(self, tid: str, payload: bytes) -> bool:
        """Give a parcel to a device that observes; True when the device acknowledged it."""
        assert self._branch is not None
        assert self._messages is not None
        # Observation is lossy: a second trigger would replace the first, so each waits its turn.
        async with self._turns.setdefault(tid, asyncio.Lock()):
            observer = self._branch.observer(tid)
            if observer is None:
                return False
            message = signed(payload, aiocoap.CONTENT)
            acknowledged = self._messages.acknowledged(message)
            observer.observation.trigger(message)
            ends = (acknowledged, observer.gone)
            await asyncio.wait(ends, timeout=NOTIFY_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
            is_over = acknowledged.done() and acknowledged.result()
            acknowledged.cancel()
            return is_over

    def bind_source(self, tid: str, source: str) -> None:
        """A device's signed envelope came from this endpoint and was accepted."""
        assert self._branch is not None
        self._branch.bind_source(tid, source)

    def disconnect(self, tid: str) -> None:
        """End a device's observation and forget its endpoint."""
        assert self._branch is not None
        self._branch.forget(tid)
        self._turns.pop(tid, None)

    def publish_hub_state(self, payload: bytes) -> None:
        """Say how the hub is to everybody who observes it."""
        self._state.change(payload)

    @property
    def edhoc_key(self) -> bytes | None:
        """The key for EDHOC, where the link is protected."""
        return None if self._contexts is None else self._contexts.public_key

    def _resealed(self, message: aiocoap.Message, sealed: aiocoap.Message) -> None:
        assert self._messages is not None
        self._messages.resealed(message, sealed)

    def _admits(self, endpoint: str) -> bool:
        if self._rate.admits(endpoint, now_ms=self._clock.now_ms()):
            return True
        self._tally.coap_limited += 1
        return False
