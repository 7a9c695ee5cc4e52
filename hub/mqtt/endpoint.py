"""The hub's own MQTT server for its terminals: the shell around ``hub.mqtt.core``.

Rule 1: TLS 1.3 with client certificates, always; who a line belongs to is the certificate's common
name. The one exception is a server for tests and benchmarks, which must be asked for by name
(``plain_for_tests``) and listens on loopback only.
Rule 2: PUBACK goes out when ``on_publish`` has returned, and not before; that of a request goes
with its answer, if there is one soon (``held_pubacks``).
"""

import asyncio
import contextlib
import ipaddress
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import structlog
from prometheus_client import CollectorRegistry

from hub import limits
from hub.mqtt.actions import Action, Close, Deliver, Presence, Send
from hub.mqtt.connection import ACCEPTED, Verdict
from hub.mqtt.core import MqttCore
from hub.mqtt.door import Door, Street
from hub.mqtt.held_pubacks import HeldPubacks
from hub.mqtt.lanes import Lane
from hub.mqtt.line import Line
from hub.mqtt.metrics import MqttCollector
from hub.ports import Admits, OnPresence, OnPublish, Outcome
from protocol.errors import CallerError, OperatingError
from protocol.topics import Kind
from transport.contexts import ServerTls

_log = structlog.get_logger("hub.mqtt")


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """Where to listen."""

    store: str
    host: str = "127.0.0.1"
    port: int = 0
    tls: ServerTls | None = None
    plain_for_tests: bool = False

    def check(self) -> None:
        """Refuse a server that would let anybody in."""
        if self.plain_for_tests:
            if self.tls is not None or not ipaddress.ip_address(self.host).is_loopback:
                raise CallerError("config_invalid", "plain MQTT is for tests on loopback only")
        elif self.tls is None:
            raise CallerError("config_invalid", "MQTT needs TLS")


class MqttEndpoint:
    """A ``TerminalLink`` that is itself the MQTT server."""

    def __init__(
        self,
        settings: EndpointSettings,
        *,
        admits: Admits,
        on_presence: OnPresence | None = None,
        registry: CollectorRegistry | None = None,
    ) -> None:
        settings.check()
        self._settings = settings
        self._core = MqttCore(
            settings.store, admits=admits, trusts_client_id=settings.plain_for_tests
        )
        self._on_presence = on_presence
        self._on_publish: OnPublish | None = None
        self._registry = registry
        self._collector = MqttCollector(self._core.tally, lambda: len(self._core.connected()))
        self._lines: dict[int, Line] = {}
        self._identities: Counter[str] = Counter()
        self._lanes: dict[str, Lane] = {}
        self._held_pubacks = HeldPubacks()
        self._futures: dict[int, asyncio.Future[Outcome]] = {}
        self._line_ids = count(1)
        self._tokens = count(1)
        self._door: Door | None = None
        self._ticker: asyncio.Task[None] | None = None
        self._gone: asyncio.Future[None] | None = None

    # --- TerminalLink

    async def start(self, on_publish: OnPublish) -> None:
        """Listen. A taken port raises ``OperatingError("port_taken")``."""
        self._on_publish = on_publish
        settings = self._settings
        self._door = Door(
            Street(settings.host, settings.port, settings.tls),
            make_line=lambda: Line(self, next(self._line_ids)),
            lines=lambda: len(self._lines),
            tally=self._core.tally,
        )
        if self._registry is not None:
            self._registry.register(self._collector)
        self._ticker = asyncio.get_running_loop().create_task(self._tick())
        _log.info("mqtt_listening", host=settings.host, port=self.port)

    @property
    def port(self) -> int:
        """The port in use, also when any free one was asked for."""
        assert self._door is not None, "not started"
        return self._door.port

    def publish(
        self,
        tid: str,
        kind: Kind,
        payload: bytes,
        *,
        retain: bool = False,
        expiry_s: int | None = None,
        correlation: bytes | None = None,
    ) -> "asyncio.Future[Outcome]":
        """Send to one terminal; ``ACKNOWLEDGED`` means the terminal's own PUBACK."""
        token = next(self._tokens)
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._futures[token] = future
        try:
            actions = self._core.publish(
                tid,
                kind,
                payload,
                token=token,
                now_ms=_now_ms(),
                retain=retain,
                expiry_s=expiry_s,
                correlation=correlation,
            )
        except (CallerError, OperatingError):
            del self._futures[token]
            raise
        self._apply(actions)
        return future

    def publish_hub_state(self, payload: bytes) -> None:
        """Say, retained, how the hub is."""
        self._apply(self._core.publish_hub_state(payload, _now_ms()))

    def connected(self) -> frozenset[str]:
        """The terminals with a connection."""
        return self._core.connected()

    def last_state(self, tid: str) -> bytes | None:
        """A terminal's retained state since this server started."""
        return self._core.last_state(tid)

    async def disconnect(self, tid: str) -> None:
        """Cut a terminal off now; its socket is closed when this returns to the loop."""
        _log.info("mqtt_cut", tid=tid)
        self._apply(self._core.cut(tid, _now_ms()))

    async def stop(self) -> None:
        """Tell everybody, close, and end the lanes."""
        if self._door is None:
            return
        await self._door.close()
        if self._ticker is not None:
            self._ticker.cancel()
            await asyncio.gather(self._ticker, return_exceptions=True)
        self._held_pubacks.stop()
        self._apply(self._core.shut_down(_now_ms()))
        for lane in list(self._lanes.values()):
            await lane.stop()
        self._lanes.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limits.MQTT_STOP_TIMEOUT_S):
                await self._until_closed()
        for line in list(self._lines.values()):
            line.abort()
        if self._registry is not None:
            self._registry.unregister(self._collector)
        self._door = None

    async def _until_closed(self) -> None:
        while self._lines:
            self._gone = asyncio.get_running_loop().create_future()
            await self._gone

    # --- LineOwner

    def on_opened(self, line: Line) -> None:
        """A line is ready."""
        if line.identity is not None:
            if self._identities[line.identity] >= limits.MQTT_LINES_PER_IDENTITY_MAX:
                self._core.tally["refused", "lines_per_identity_max"] += 1
                line.abort()
                return
            self._identities[line.identity] += 1
        self._lines[line.line_id] = line
        self._core.open(line.line_id, line.identity, _now_ms())

    def on_bytes(self, line: Line, data: bytes) -> None:
        """Bytes came."""
        self._apply(self._core.receive(line.line_id, data, _now_ms()))

    def on_lost(self, line: Line) -> None:
        """A line is gone."""
        if self._lines.pop(line.line_id, None) is None:
            return
        if line.identity is not None:
            self._identities[line.identity] -= 1
            if not self._identities[line.identity]:
                del self._identities[line.identity]
        self._apply(self._core.lose(line.line_id, _now_ms()))
        self._forget(line)
        if self._gone is not None and not self._gone.done() and not self._lines:
            self._gone.set_result(None)

    # --- actions

    def _apply(self, actions: Sequence[Action]) -> None:
        for action in actions:
            if isinstance(action, Send):
                line = self._lines.get(action.connection_id)
                if line is not None:
                    line.write(action.data)
            elif isinstance(action, Deliver):
                self._deliver(action)
            elif isinstance(action, Close):
                self._close(action.connection_id)
            elif isinstance(action, Presence):
                if self._on_presence is not None:
                    self._on_presence(action.tid, action.is_reachable)
            else:
                future = self._futures.pop(action.token, None)
                if future is not None and not future.done():
                    future.set_result(action.outcome)

    def _close(self, line_id: int) -> None:
        line = self._lines.get(line_id)
        if line is not None:
            self._forget(line)
            line.close()

    def _forget(self, line: Line) -> None:
        if line.tid is not None and line.tid in self._lanes:
            self._lanes[line.tid].forget(line.line_id)

    def _deliver(self, delivery: Deliver) -> None:
        tid = delivery.message.tid
        lane = self._lanes.get(tid)
        if lane is None:
            assert self._on_publish is not None, "not started"
            lane = self._lanes[tid] = Lane(
                self._on_publish, self._decide, lambda: self._set_slow(tid, False)
            )
        line = self._lines.get(delivery.connection_id)
        if line is not None:
            line.tid = tid
        lane.put(delivery)
        if lane.is_full and line is not None:
            line.set_hub_slow(True)

    def _decide(self, delivery: Deliver, verdict: Verdict) -> None:
        self._core.tally["verdict", verdict[1] or "accepted"] += 1
        if delivery.packet_id is None:
            return
        actions = self._core.acknowledge(delivery.connection_id, delivery.packet_id, verdict)
        if verdict is ACCEPTED and delivery.message.kind == "req":
            self._hold(actions)
        else:
            self._apply(actions)

    def _hold(self, actions: Sequence[Action]) -> None:
        for action in actions:
            line = self._lines.get(action.connection_id) if isinstance(action, Send) else None
            if line is None or not isinstance(action, Send):
                self._apply([action])
            else:
                self._held_pubacks.hold(line, action.data)

    def _set_slow(self, tid: str, is_slow: bool) -> None:
        for line in self._lines.values():
            if line.tid == tid:
                line.set_hub_slow(is_slow)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(limits.MQTT_TICK_S)
            try:
                self._apply(self._core.tick(_now_ms()))
            except Exception:  # noqa: BLE001
                # An outermost loop: without it no keep-alive, will or expiry would ever be due.
                _log.exception("mqtt_tick_failed")


def _now_ms() -> int:
    return int(asyncio.get_running_loop().time() * 1000)
