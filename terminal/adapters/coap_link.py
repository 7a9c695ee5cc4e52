"""The way to the hub over CoAP (RFC 7252), for a device that has little memory.

A request is a CON POST to ``p1/req``; its answer is the response, or comes later by observing
(RFC 7641) ``p1/t/{tid}/cmd``. The link is up while the hub's state can be observed.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from typing import Any

import structlog
from aiocoap import GET, POST, Context, Message, error
from aiocoap.numbers.contentformat import ContentFormat
from aiocoap.oscore import NotAProtectedMessage

from protocol import topics
from protocol.limits import ANSWER_BYTES_MAX
from terminal.adapters.coap_protection import HubKey, protect
from terminal.adapters.hub_turns import Address, HubTurns
from terminal.effects import Transmit
from terminal.inputs import (
    AnswerArrived,
    HubStateArrived,
    LinkDown,
    LinkRefused,
    LinkUp,
    Undelivered,
)
from terminal.limits import (
    COAP_ANSWER_WAIT_S,
    COAP_OBSERVE_RENEW_S,
    CONNECT_WAIT_S,
    OUTBOX_MAX,
)
from terminal.uplink import Deliver

log = structlog.get_logger("terminal.coap")
COSE_SIGN1 = ContentFormat(18)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoapPlace:
    """Where the hub listens, and as whom we come."""

    host: str
    port: int
    tid: str
    others: tuple[Address, ...] = ()
    """The store's other hubs."""
    hub_key: HubKey | None = None
    """Reads a hub's key for EDHOC from its signed state; None: the link is not protected."""


class CoapLink:
    """As ``UplinkPort``. The hub's state is watched to know that it is there; our own branch is
    watched after each accepted request, because the hub gives it only to the endpoint that a
    signed request came from.
    """

    def __init__(self, place: CoapPlace) -> None:
        self._place = place
        self._context: Context | None = None
        self._deliver: Deliver | None = None
        self._underway: set[asyncio.Task[None]] = set()
        self._branch: asyncio.Task[None] | None = None
        self._turns = HubTurns([(place.host, place.port), *place.others])
        self._patience: asyncio.Timeout | None = None

    async def run(self, deliver: Deliver) -> None:
        """As ``UplinkPort.run``."""
        self._deliver = deliver
        while True:
            # A context of its own for each connection: nothing of an earlier one is repeated.
            context = await Context.create_client_context(transports=["oscore", "udp6"])
            try:
                was_up = await self._is_safe(context) and await self._watch_hub(context, deliver)
            finally:
                await self._leave(context)
            if not was_up:
                deliver(LinkRefused("hub_unreachable"))
            await asyncio.sleep(self._turns.next_after(was_up=was_up))

    def transmit(self, parcel: Transmit) -> None:
        """As ``UplinkPort.transmit``."""
        deliver = self._deliver
        if deliver is None:
            return
        if self._context is None or len(self._underway) >= OUTBOX_MAX:
            deliver(Undelivered(parcel.request_id))
            return
        self._spawn(self._exchange(self._context, deliver, parcel))

    def try_other_hub(self) -> None:
        """As ``UplinkPort.try_other_hub``."""
        if self._patience is not None and self._turns.leave():
            self._begin_anew()

    def _begin_anew(self) -> None:
        if self._patience is not None and not self._patience.expired():
            self._patience.reschedule(asyncio.get_running_loop().time())

    def _uri(self, path: tuple[str, ...]) -> str:
        host, port = self._turns.current
        return f"coap://{host}:{port}/{'/'.join(path)}"

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._underway.add(task)
        task.add_done_callback(self._underway.discard)
        return task

    async def _is_safe(self, context: Context) -> bool:
        place = self._place
        if place.hub_key is None:
            return True
        state_uri, base = self._uri(topics.COAP_HUB_STATE_PATH), self._uri(()).removesuffix("/")
        try:
            async with asyncio.timeout(CONNECT_WAIT_S):
                return await protect(context, base, state_uri, tid=place.tid, key_of=place.hub_key)
        except TimeoutError:
            return False

    async def _leave(self, context: Context) -> None:
        self._context = None
        tasks = list(self._underway)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await context.shutdown()

    async def _exchange(self, context: Context, deliver: Deliver, parcel: Transmit) -> None:
        message = Message(
            code=POST,
            uri=self._uri(topics.COAP_REQUEST_PATH),
            payload=parcel.sealed,
            content_format=COSE_SIGN1,
        )
        try:
            async with asyncio.timeout(COAP_ANSWER_WAIT_S):
                response = await context.request(message).response
        except (error.Error, OSError, TimeoutError) as failure:
            log.info("post_failed", request_id=parcel.request_id, reason=type(failure).__name__)
            deliver(Undelivered(parcel.request_id))
            if isinstance(failure, NotAProtectedMessage):
                # The hub has no keys for us any more: begin anew, with others.
                self._begin_anew()
            return
        # The response code speaks of the transport only; the agent believes signatures.
        if 0 < len(response.payload) <= ANSWER_BYTES_MAX:
            deliver(AnswerArrived(response.payload))
        if not response.code.is_successful():
            deliver(Undelivered(parcel.request_id))
        elif self._branch is None or self._branch.done():
            self._branch = self._spawn(self._watch_branch(context, deliver))

    async def _watch_hub(self, context: Context, deliver: Deliver) -> bool:
        """Watch the hub's state until it is silent; whether it was there at all."""
        is_up = False
        try:
            async with asyncio.timeout(None) as self._patience:
                async for state in self._watch(context, topics.COAP_HUB_STATE_PATH):
                    if not is_up:
                        is_up = True
                        self._context = context
                        deliver(LinkUp())
                    if state:
                        deliver(HubStateArrived(state))
        except TimeoutError:
            log.info("hub_left")
        finally:
            self._context = self._patience = None
            if is_up:
                deliver(LinkDown())
        return is_up

    async def _watch_branch(self, context: Context, deliver: Deliver) -> None:
        was_watched = False
        async for pushed in self._watch(context, topics.coap_push_path(self._place.tid)):
            was_watched = True
            if pushed:
                deliver(AnswerArrived(pushed))
        if was_watched:
            # The hub knows us no more (it began anew, or this device was stopped for a while), and
            # would tell us nothing before our next request.
            self._begin_anew()

    async def _watch(self, context: Context, path: tuple[str, ...]) -> AsyncIterator[bytes]:
        """The notifications of one observation, and one fresh question after each long silence."""
        while True:
            request = context.request(Message(code=GET, uri=self._uri(path), observe=0))
            try:
                async with asyncio.timeout(CONNECT_WAIT_S):
                    first = await request.response
                if not first.code.is_successful():
                    log.info("observe_refused", path=path[-1], code=str(first.code))
                    return
                yield bytes(first.payload[:ANSWER_BYTES_MAX])
                async for pushed in _until_silent(request.observation):
                    yield bytes(pushed.payload[:ANSWER_BYTES_MAX])
            except (error.Error, OSError, TimeoutError) as failure:
                log.info("observe_ended", path=path[-1], reason=type(failure).__name__)
                return
            finally:
                if request.observation is not None and not request.observation.cancelled:
                    request.observation.cancel()


async def _until_silent(observation: Any) -> AsyncIterator[Message]:  # noqa: ANN401  # untyped
    arriving = aiter(observation)
    while True:
        try:
            async with asyncio.timeout(COAP_OBSERVE_RENEW_S):
                pushed = await anext(arriving)
        except (TimeoutError, StopAsyncIteration):
            return
        yield pushed
