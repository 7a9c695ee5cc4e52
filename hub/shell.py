"""The asyncio shell around the core: performs effects, reports back, knows no rule.

Rule 1: only the loop's thread touches the core.
Rule 2: effects are drained once per turn of the loop, so what arrives together travels together.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from hub.coap.link import CoapLink
from hub.disk import Disk
from hub.domain.admission import Arrival
from hub.domain.checking import is_signed
from hub.domain.core import HubCore
from hub.domain.effects import (
    Announce,
    Deliver,
    Disconnect,
    Effect,
    Forget,
    Parcel,
    RecordAnswers,
    SendBatch,
    Settle,
    Speak,
    Store,
    StoreDevices,
    StorePushes,
    UplinkRow,
    Verify,
)
from hub.domain.limits import TICK_MS
from hub.forwarder import Forwarder
from hub.logs import log_words
from hub.metrics import Tally
from hub.news import News
from hub.ports import Inbound, Outcome, TerminalLink
from hub.shell_limits import SPEAK_GROUP_MAX, VERIFY_CHUNK_MAX
from hub.spool.writer import SpoolWriter
from hub.words import seal_state
from hub.workers import Workers
from protocol import answers
from protocol.answers import Answer
from protocol.clock import Clock
from protocol.crypto.keys import SigningKey
from protocol.errors import CallerError, OperatingError

log = structlog.get_logger("hub")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellPorts:
    """What the shell is given. ``mqtt`` and ``coap`` may each be missing."""

    core: HubCore
    writer: SpoolWriter
    forwarder: Forwarder
    workers: Workers
    signing_key: SigningKey
    introduction: bytes
    clock: Clock
    tally: Tally
    mqtt: TerminalLink | None
    coap: CoapLink | None


class HubShell:
    """Made and used inside the running loop."""

    def __init__(self, ports: ShellPorts) -> None:
        self._ports = ports
        self._core = ports.core
        self._loop = asyncio.get_running_loop()
        self._settled: dict[int, asyncio.Future[None]] = {}
        self._exchanges: dict[int, asyncio.Future[bytes]] = {}
        self._sources: dict[int, str] = {}
        self._local: dict[str, Callable[[bytes], None]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._disk = Disk(ports.core, ports.writer, ports.clock, self._schedule)
        self._is_scheduled = False
        self._ticker: asyncio.Task[None] | None = None
        self._linger: asyncio.TimerHandle | None = None

    # --- life

    def start(self) -> None:
        """Begin to tick."""
        self._ticker = self._loop.create_task(self._tick())
        self._schedule()

    async def stop(self) -> None:
        """Stop what is on the way. What is in the spool stays there."""
        self._core.delivery.flush()
        self._drain()
        if self._linger is not None:
            self._linger.cancel()
        tasks = [*self._tasks, *([self._ticker] if self._ticker else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- terminals

    async def on_publish(self, message: Inbound) -> None:
        """A terminal published. Returning means: committed, or refused with a signed word."""
        if message.kind != "req" or message.is_retained:
            self._ports.tally.ignored += 1
            return
        self._ports.tally.arrivals["mqtt"] += 1
        ticket = self._core.arrive(
            Arrival(
                transport="mqtt",
                payload=message.payload,
                received_at_ms=self._ports.clock.now_ms(),
                identity=message.tid,
                response_topic=message.response_topic,
            )
        )
        done: asyncio.Future[None] = self._loop.create_future()
        self._settled[ticket] = done
        self._schedule()
        try:
            await done
        finally:
            self._settled.pop(ticket, None)

    def on_presence(self, tid: str, is_there: bool) -> None:  # the port's shape
        """A terminal can be reached over MQTT, or no more."""
        if is_there:
            self._core.connected(tid, "mqtt")
            self._schedule()

    async def exchange(self, payload: bytes, source: str) -> bytes:
        """A CoAP request; the signed answer that goes back with it."""
        at_ms = self._ports.clock.now_ms()
        return await self._exchanged(
            Arrival(transport="coap", payload=payload, received_at_ms=at_ms, source=source)
        )

    async def exchange_local(self, tid: str, payload: bytes) -> bytes:
        """The request of a device in this process; its signed answer, or the hub's signed word."""
        at_ms = self._ports.clock.now_ms()
        return await self._exchanged(
            Arrival(transport="local", payload=payload, received_at_ms=at_ms, identity=tid)
        )

    def attach(self, tid: str, hear: Callable[[bytes], None]) -> None:
        """A device of this process hears what comes for it unasked."""
        self._local[tid] = hear
        self._core.connected(tid, "local")
        self._schedule()

    async def _exchanged(self, arrival: Arrival) -> bytes:
        self._ports.tally.arrivals[arrival.transport] += 1
        ticket = self._core.arrive(arrival)
        answer: asyncio.Future[bytes] = self._loop.create_future()
        self._exchanges[ticket] = answer
        if arrival.source:
            self._sources[ticket] = arrival.source
        self._schedule()
        try:
            return await answer
        finally:
            self._exchanges.pop(ticket, None)
            self._sources.pop(ticket, None)

    def on_observer(self, tid: str) -> None:
        """A CoAP device observes its queue."""
        self._core.connected(tid, "coap")
        self._schedule()

    # --- news of the backend

    async def take_news(self, news: News) -> None:
        """Returns when the pushes are committed and the cursor may move."""
        if news.cursor <= self._core.cursor:
            return
        self._ports.tally.pushes += len(news.pushes) + len(news.devices)
        done = self._disk.news_stored(news.cursor)
        self._core.pushes_arrived(news.cursor, news.pushes, news.devices)
        self._schedule()
        await done

    def report_group(self, callbacks: list[Callable[[], None]]) -> None:
        """Called by the spool writer's thread after each commit."""
        self._loop.call_soon_threadsafe(self._disk.committed, callbacks)

    def changed(self) -> None:
        """The core was told something from outside; do what follows."""
        self._schedule()

    # --- the turn

    def _schedule(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_soon(self._drain)

    def _drain(self) -> None:
        self._is_scheduled = False
        checks: list[Verify] = []
        words: list[Speak] = []
        self._core.settle_group()
        while effects := self._core.take_effects():
            for effect in effects:
                match effect:
                    case Verify():
                        checks.append(effect)
                    case Speak():
                        words.append(effect)
                    case _:
                        self._perform(effect)
            self._core.settle_group()
        for start in range(0, len(checks), VERIFY_CHUNK_MAX):
            self._spawn(self._verify(checks[start : start + VERIFY_CHUNK_MAX]))
        for start in range(0, len(words), SPEAK_GROUP_MAX):
            self._spawn(self._speak(words[start : start + SPEAK_GROUP_MAX]))
        if self._linger is None and (left_ms := self._core.forwarding.linger_left_ms()) is not None:
            self._linger = self._loop.call_later(left_ms / 1000, self._lingered)

    def _lingered(self) -> None:
        self._linger = None
        self._schedule()

    def _perform(self, effect: Effect) -> None:
        match effect:
            case Settle(ticket, device):
                self._bind(ticket, device)
                if (done := self._settled.get(ticket)) is not None and not done.done():
                    done.set_result(None)
            case Deliver():
                self._deliver(effect)
            case SendBatch(number, rows):
                self._spawn(self._forward(number, rows))
            case Store() | StorePushes() | RecordAnswers() | Forget() | StoreDevices():
                self._disk.perform(effect)
            case Disconnect(device):
                self._spawn(self._disconnect(device))
            case Announce():
                self._spawn(self._announce(effect))

    # --- signatures

    async def _verify(self, checks: Sequence[Verify]) -> None:
        verdicts = await self._ports.workers.run(len(checks), _verify_all, checks)
        for check, is_good in zip(checks, verdicts, strict=True):
            self._core.verified(check.ticket, is_good=is_good)
        self._schedule()

    async def _speak(self, words: Sequence[Speak]) -> None:
        spoken: list[Answer] = [word.answer for word in words]
        wires = await self._ports.workers.run(
            len(spoken), answers.seal_group, spoken, self._ports.signing_key
        )
        log_words(words)
        for word, wire in zip(words, wires, strict=True):
            if not self._reply(word.ticket, wire) and word.transport == "mqtt":
                self._say(word.answer.device, wire)

    async def _forward(self, number: int, rows: Sequence[UplinkRow]) -> None:
        batches = self._ports.tally.batches
        try:
            checked = await self._ports.forwarder.carry(rows)
        except OperatingError as error:
            is_busy, code = error.code == "busy", error.code
            batches["put_off" if is_busy else "lost"] += 1
            log.warning("batch_unanswered", number=number, code=code, detail=error.detail)
            (self._core.batch_put_off if is_busy else self._core.line_failed)(number)
        except CallerError as error:
            batches["refused"] += 1
            log.warning("batch_refused", number=number, items=len(rows), detail=error.detail)
            self._core.batch_refused(number)
        else:
            batches["answered"] += 1
            self._ports.tally.items += sum(answer is not None for answer in checked)
            self._core.answers_arrived(number, checked)
        self._schedule()

    # --- to the terminals

    def _deliver(self, effect: Deliver) -> None:
        parcel = effect.parcel
        if effect.ticket is not None and self._reply(effect.ticket, parcel.payload):
            self._ports.tally.delivered += 1
            self._core.delivered(parcel.device, parcel.key)
            self._schedule()
        elif parcel.device in self._local:
            self._local[parcel.device](parcel.payload)
            self._report(parcel, is_over=True)
        elif effect.transport == "coap" and self._ports.coap is not None:
            self._spawn(self._carry(parcel, self._ports.coap.notify(parcel.device, parcel.payload)))
        elif self._ports.mqtt is not None:
            self._spawn(self._publish(parcel, self._ports.mqtt))
        else:
            self._core.undelivered(parcel.device, parcel.key)

    async def _publish(self, parcel: Parcel, mqtt: TerminalLink) -> None:
        try:
            outcome = await mqtt.publish(parcel.device, parcel.kind, parcel.payload)
        except (OperatingError, CallerError) as error:
            log.info("parcel_waits", device=parcel.device, code=error.code)
            outcome = Outcome.REFUSED
        self._report(parcel, is_over=outcome in (Outcome.ACKNOWLEDGED, Outcome.SENT))

    async def _carry(self, parcel: Parcel, sending: Coroutine[Any, Any, bool]) -> None:
        self._report(parcel, is_over=await sending)

    def _report(self, parcel: Parcel, *, is_over: bool) -> None:
        if is_over:
            self._ports.tally.delivered += 1
            self._core.delivered(parcel.device, parcel.key)
        else:
            self._core.undelivered(parcel.device, parcel.key)
        self._schedule()

    def _bind(self, ticket: int, device: str) -> None:
        source = self._sources.get(ticket)
        if device and source is not None and self._ports.coap is not None:
            self._ports.coap.bind_source(device, source)

    def _reply(self, ticket: int | None, wire: bytes) -> bool:
        """Answer the request of this ticket over CoAP or in this process, if it still waits."""
        waiting = self._exchanges.get(ticket) if ticket is not None else None
        if waiting is None or waiting.done():
            return False
        waiting.set_result(wire)
        return True

    def _say(self, device: str, wire: bytes) -> None:
        if self._ports.mqtt is None or not device:
            return
        try:
            said = self._ports.mqtt.publish(device, "res", wire)
        except (OperatingError, CallerError) as error:
            log.info("word_not_said", device=device, code=error.code)
            return
        self._spawn(_await(said))

    async def _disconnect(self, device: str) -> None:
        log.info("device_cut_off", device=device)
        if self._ports.coap is not None:
            self._ports.coap.disconnect(device)
        if self._ports.mqtt is not None:
            await self._ports.mqtt.disconnect(device)

    async def _announce(self, effect: Announce) -> None:
        state = await self._ports.workers.run(1, self._seal_state, effect)
        if self._ports.mqtt is not None:
            self._ports.mqtt.publish_hub_state(state)
        if self._ports.coap is not None:
            self._ports.coap.publish_hub_state(state)

    def _seal_state(self, effect: Announce) -> bytes:
        return seal_state(
            effect.mode,
            effect.at_ms,
            store=self._core.store,
            epoch=self._core.epoch,
            key=self._ports.signing_key,
            floor=effect.floor,
            edhoc_key=None if self._ports.coap is None else self._ports.coap.edhoc_key,
            introduction=self._ports.introduction,
        )

    # --- time and tasks

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_MS / 1000)
            self._core.tick()
            self._schedule()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("hub_task_failed", exc_info=error)


def _verify_all(checks: Sequence[Verify]) -> list[bool]:
    return [is_signed(check.sealed, check.key) for check in checks]


async def _await(said: Any) -> None:  # noqa: ANN401  # any awaitable
    await said
