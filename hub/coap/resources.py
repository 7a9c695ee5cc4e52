"""The resources of the CoAP side (``docs``: RFC 7252, 7641; paths in ``protocol.topics``).

Plain CoAP proves no identity: a device is who its envelope's signature says. Its pushes are given
only to the endpoint (address and port) that its last accepted envelope came from. Where the link
is protected (``protection``), the endpoint is the security context, and what comes plainly is
refused with 4.01, but for the hub's state, which is signed and no secret.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiocoap
from aiocoap import error, resource
from aiocoap.numbers.codes import Code
from aiocoap.pipe import Pipe
from aiocoap.protocol import ServerObservation

from hub.coap.limits import EXCHANGES_MAX, OBSERVERS_MAX, RETRY_AFTER_S
from hub.coap.protection import context_of
from protocol.limits import ENVELOPE_BYTES_MAX

COSE_SIGN1 = 18
"""The content format ``application/cose; cose-type="cose-sign1"`` (RFC 9052 §11.4)."""
CBOR = 60

Exchange = Callable[[bytes, str], Awaitable[bytes]]


def address_of(request: aiocoap.Message) -> str:
    """Address and port of the sender, as one word."""
    remote = request.remote
    host, port = (remote if context_of(request) is None else remote.underlying_address).sockaddr[:2]
    return f"[{host}]:{port}"


def endpoint_of(request: aiocoap.Message) -> str:
    """Who sends: the security context if there is one, else address and port."""
    return context_of(request) or address_of(request)


def signed(payload: bytes, code: Code | None = None) -> aiocoap.Message:
    """A response whose body is a signed answer (or nothing)."""
    return aiocoap.Message(code=code, payload=payload, content_format=CBOR)


class LimitedSite(resource.Site):  # type: ignore[misc]  # aiocoap has no types
    """The resources, for as many requests as ``admits`` allows an address and port: each block is
    one, and so is what asks for nothing that is here."""

    def __init__(self, admits: Callable[[str], bool]) -> None:
        super().__init__()
        self._admits = admits

    async def render_to_pipe(self, pipe: Pipe) -> None:
        """Answer, or say 4.29."""
        if not self._admits(address_of(pipe.request)):
            raise TooMany
        await super().render_to_pipe(pipe)


class RequestResource(resource.Resource):  # type: ignore[misc]  # aiocoap has no types
    """``POST /p1/req``: an envelope in, a signed answer out, always 2.04.

    The response code speaks of the transport only: 4.15 wrong content format, 4.13 too large,
    4.00 not confirmable, 4.29 too many requests, 5.03 no answer at all. What became of the
    request stands in the signed answer.
    """

    rt = "tillway.req"
    ct = str(COSE_SIGN1)

    def __init__(
        self,
        exchange: Exchange,
        *,
        answer_wait_s: float,
        must_be_protected: bool,
    ) -> None:
        super().__init__()
        self._must_be_protected = must_be_protected
        self._exchange = exchange
        self._answer_wait_s = answer_wait_s
        self._open = 0

    async def needs_blockwise_assembly(self, request: aiocoap.Message) -> bool:
        """Yes, up to an envelope's size: aiocoap itself would put together a body of any length."""
        block = request.opt.block1
        if block is not None and block.start > ENVELOPE_BYTES_MAX:
            raise error.RequestEntityTooLarge
        return True

    async def render_post(self, request: aiocoap.Message) -> aiocoap.Message:
        """Take an envelope and wait for its answer."""
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        self._open += 1
        try:
            async with asyncio.timeout(self._answer_wait_s):
                answer = await self._exchange(request.payload, endpoint_of(request))
        except TimeoutError:
            return _later(Code.SERVICE_UNAVAILABLE)
        finally:
            self._open -= 1
        return signed(answer, Code.CHANGED)

    def _refusal(self, request: aiocoap.Message) -> aiocoap.Message | None:
        if self._must_be_protected and context_of(request) is None:
            return aiocoap.Message(code=Code.UNAUTHORIZED, payload=b"protected requests only")
        # What was inside a protected message has no type of its own.
        if request.mtype is not aiocoap.CON and context_of(request) is None:
            return aiocoap.Message(code=Code.BAD_REQUEST, payload=b"confirmable requests only")
        if request.opt.content_format not in (None, COSE_SIGN1):
            return aiocoap.Message(code=Code.UNSUPPORTED_CONTENT_FORMAT)
        if len(request.payload) > ENVELOPE_BYTES_MAX:
            return aiocoap.Message(code=Code.REQUEST_ENTITY_TOO_LARGE)
        if self._open >= EXCHANGES_MAX:
            return _later(Code.SERVICE_UNAVAILABLE)
        return None


class _ReadOnly:
    """A resource that takes no body, so that not even the first block of one is kept."""

    async def needs_blockwise_assembly(self, request: aiocoap.Message) -> bool:
        """For answers only."""
        if request.opt.block1 is not None:
            raise error.RequestEntityTooLarge
        return True


class ResourceList(_ReadOnly, resource.WKCResource):  # type: ignore[misc]
    """``GET /.well-known/core``: what is here."""


class HubStateResource(_ReadOnly, resource.ObservableResource):  # type: ignore[misc]
    """``GET /p1/hub/state``, observable: the hub's signed state."""

    rt = "tillway.hub.state"
    ct = str(CBOR)

    def __init__(self) -> None:
        super().__init__()
        self._state = b""

    def change(self, state: bytes) -> None:
        """Show a new state and tell the observers."""
        self._state = state
        self.updated_state()

    async def add_observation(
        self, request: aiocoap.Message, serverobservation: ServerObservation
    ) -> None:
        """Accept an observer while there is room."""
        if len(self._observations) < OBSERVERS_MAX:
            await super().add_observation(request, serverobservation)

    async def render_get(self, _request: aiocoap.Message) -> aiocoap.Message:
        """The state now."""
        return signed(self._state)


@dataclass(frozen=True, slots=True)
class Observer:
    """A device's observation; ``gone`` is done when it has ended."""

    observation: ServerObservation
    gone: asyncio.Future[bool]

    def end(self) -> None:
        """End it: nobody waits for its acknowledgements any more."""
        if not self.gone.done():
            self.gone.set_result(False)


class DeviceBranch(_ReadOnly, resource.ObservableResource, resource.PathCapable):  # type: ignore[misc]
    """``GET /p1/t/{tid}/cmd``, observable: what waits for a device, one parcel per notification.

    The first response is empty; every notification is one signed answer, confirmable, and the
    device's ACK is what takes it off the hub's list.
    """

    def __init__(self, on_observer: Callable[[str], None]) -> None:
        super().__init__()
        self._on_observer = on_observer
        self._sources: dict[str, str] = {}
        self._observers: dict[str, Observer] = {}

    def bind_source(self, tid: str, source: str) -> None:
        """Remember where a device's accepted envelope came from."""
        self._sources[tid] = source

    def forget(self, tid: str) -> None:
        """End a device's observation."""
        self._sources.pop(tid, None)
        observer = self._observers.pop(tid, None)
        if observer is not None:
            observer.observation.trigger(aiocoap.Message(code=Code.FORBIDDEN), is_last=True)

    def observer(self, tid: str) -> Observer | None:
        """Who observes a device's queue now."""
        return self._observers.get(tid)

    async def add_observation(
        self, request: aiocoap.Message, serverobservation: ServerObservation
    ) -> None:
        """Accept the device's own endpoint; a later observation takes over from an earlier, which
        may be of a place where nobody is any more."""
        tid = self._device(request)
        if len(self._observers) >= OBSERVERS_MAX and tid not in self._observers:
            raise error.ServiceUnavailable

        loop = asyncio.get_running_loop()
        observer = Observer(serverobservation, loop.create_future())

        def ended() -> None:
            observer.end()
            if self._observers.get(tid) is observer:
                del self._observers[tid]

        serverobservation.accept(ended)
        earlier = self._observers.get(tid)
        if earlier is not None:
            earlier.end()
        self._observers[tid] = observer
        loop.call_soon(self._on_observer, tid)

    async def render_get(self, request: aiocoap.Message) -> aiocoap.Message:
        """Empty: parcels come as notifications only."""
        self._device(request)
        return signed(b"")

    def _device(self, request: aiocoap.Message) -> str:
        match request.opt.uri_path:
            case (tid, "cmd"):
                if self._sources.get(tid) != endpoint_of(request):
                    raise error.Unauthorized
                return str(tid)
        raise error.NotFound


class TooMany(error.TooManyRequests):  # type: ignore[misc]  # aiocoap has no types
    """The endpoint has sent too many requests."""

    def to_message(self) -> aiocoap.Message:
        """4.29, and when to come again."""
        return _later(Code.TOO_MANY_REQUESTS)


def _later(code: Code) -> aiocoap.Message:
    return aiocoap.Message(code=code, max_age=RETRY_AFTER_S)
