"""The whole hub as one value that takes events and asks for effects.

    core.arrive(...)  →  core.take_effects()  →  [Verify, …]  →  core.verified(...)  →  …

Every handler returns at once. Call ``settle_group`` after a group of events, and ``tick`` at
least every ``TICK_MS`` or at ``next_at_ms``. One thread owns a core.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hub.domain.admission import Arrival, Position, Transport
from hub.domain.backlog import Backlog
from hub.domain.delivery import Delivery
from hub.domain.effects import (
    Announce,
    CheckedAnswer,
    Disconnect,
    Effect,
    Mode,
    Parcel,
    ParcelKey,
    Push,
    SendBatch,
    StoreDevices,
    StorePushes,
    UplinkRow,
)
from hub.domain.floor_limits import Floor, FloorRules
from hub.domain.forwarding import Forwarding, ForwardingLimits
from hub.domain.limits import DEGRADED_AFTER_MS, HUB_STATE_EVERY_MS
from hub.domain.line import Line, is_over
from hub.domain.passages import Passages
from hub.domain.registry import Device, Registry
from hub.domain.uplink import Uplink
from protocol.clock import Clock, Entropy


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What the spool gave back at start."""

    epoch: int
    cursor: int = 0
    devices: tuple[Device, ...] = ()
    positions: Mapping[str, Position] = field(default_factory=dict)
    queued: tuple[UplinkRow, ...] = ()
    parcels: tuple[Parcel, ...] = ()


class HubCore:
    """The store gateway's rules, all of them."""

    def __init__(
        self,
        *,
        store: str,
        clock: Clock,
        entropy: Entropy,
        remembered: Remembered,
        limits: ForwardingLimits | None = None,
        floor: FloorRules | None = None,
    ) -> None:
        self.store = store
        self.epoch = remembered.epoch
        self.cursor = remembered.cursor
        self._clock = clock
        self._effects: list[Effect] = []
        self.passages = Passages(clock)
        self._is_poll_silent = False
        self._mode: Mode | None = None
        self._announced_at_ms = 0
        self._announced_held_minor = 0
        self._floor = Floor(floor)
        self._floor.remember(row.envelope for row in remembered.queued)
        self.registry = Registry(remembered.devices)
        self.line = Line(clock=clock, entropy=entropy)
        self._backlog = Backlog(clock)
        self.delivery = Delivery(clock=clock, emit=self._emit, parcels=remembered.parcels)
        self.forwarding = Forwarding(
            store=store,
            clock=clock,
            line=self.line,
            limits=limits or ForwardingLimits(),
            emit=self._emit,
            answered=self._answered,
            rows=remembered.queued,
        )
        self.uplink = Uplink(
            store=store,
            registry=self.registry,
            positions=remembered.positions,
            clock=clock,
            emit=self._emit,
            has_room=self.forwarding.has_room,
            is_late=self._is_late,
            accepted=self._accepted,
        )
        self._discard_gone(parcel.device for parcel in remembered.parcels)

    def take_effects(self) -> Sequence[Effect]:
        """What is to be done, in order; the shell does all of it."""
        effects, self._effects = self._effects, []
        return effects

    # --- terminals

    def arrive(self, arrival: Arrival) -> int:
        """Bytes came from a terminal line; effects name them by the ticket returned."""
        return self.uplink.arrive(arrival)

    def verified(self, ticket: int, *, is_good: bool) -> None:
        """``Verify`` is done."""
        self.uplink.verified(ticket, is_good=is_good)

    def stored(self, ticket: int, row: int) -> None:
        """``Store`` is committed as this row."""
        self.uplink.stored(ticket, row)

    def not_stored(self, ticket: int, code: str) -> None:
        """``Store`` failed and left nothing behind; ``code`` says why."""
        self.uplink.not_stored(ticket, code)

    def connected(self, device: str, transport: Transport) -> None:
        """A device can be reached by this line."""
        self.delivery.connected(device, transport)

    def delivered(self, device: str, key: ParcelKey) -> None:
        """``Deliver`` was acknowledged."""
        origin, row = key
        if origin == "uplink":
            self.passages.handed_over(row)
        self.delivery.delivered(device, key)

    def undelivered(self, device: str, key: ParcelKey) -> None:
        """``Deliver`` found nobody."""
        self.delivery.undelivered(device, key)

    # --- backend

    def answers_arrived(self, number: int, answers: Sequence[CheckedAnswer | None]) -> None:
        """``SendBatch`` was answered; None stands for an answer that did not fit its row."""
        self.forwarding.answers_arrived(number, answers)
        done = sum(answer is not None for answer in answers)
        self._backlog.answered(done, self._ahead)

    def line_failed(self, number: int) -> None:
        """``SendBatch`` got no answer that can be believed."""
        self._is_poll_silent = False  # from here on a batch has to be answered
        self._backlog.forget()
        self.forwarding.line_failed(number)

    def poll_failed(self) -> None:
        """The long poll has found nobody several times. That counts in a quiet store: where
        anything waits, its batch tells, and a backend that is too busy for polls is not gone.
        """
        if self.line.is_up and not self.forwarding.rows:
            self._is_poll_silent = True
            self.line.fail()

    def poll_answered(self) -> None:
        """The backend is there again, if its silence towards the poll was all that we knew."""
        if self._is_poll_silent:
            self._is_poll_silent = False
            self.line.recover()

    def batch_refused(self, number: int) -> None:
        """``SendBatch`` was refused whole by a backend that is there."""
        self.forwarding.batch_refused(number)
        self._backlog.answered(0, self._ahead)

    def batch_put_off(self, number: int) -> None:
        """``SendBatch`` found the backend, which is *busy*: the same again after a pause."""
        self._backlog.put_off()
        self.forwarding.batch_put_off(number)

    def pushes_arrived(
        self, cursor: int, pushes: Iterable[Push], devices: Iterable[Device]
    ) -> None:
        """A long poll brought news. Device rows count at once, before they are written."""
        if cursor <= self.cursor:
            return
        rows = tuple(devices)
        self._enforce([device for device in rows if self.registry.apply(device)])
        # Also those applied before: the same page may come again because it was not written.
        current = tuple(device for device in rows if self.registry.find(device.tid) == device)
        self._emit(StorePushes(tuple(pushes), current, cursor))

    def pushes_stored(self, cursor: int, parcels: Iterable[Parcel]) -> None:
        """``StorePushes`` is committed; its pushes have rows now."""
        self.cursor = max(self.cursor, cursor)
        for parcel in parcels:
            self.delivery.add(parcel)
            self._discard_gone((parcel.device,))

    def devices_arrived(
        self, devices: Iterable[Device], *, known: frozenset[str] | None = None
    ) -> None:
        """The backend's whole device table of this store; ``known`` as in ``Registry.replace``."""
        known = self.registry.names() if known is None else known
        changed, gone = self.registry.replace(devices, known=known)
        self._enforce(changed)
        for tid in gone:
            self._cut_off(tid)
        self._emit(StoreDevices(tuple(self.registry), tuple(gone)))

    # --- time

    def settle_group(self) -> None:
        """After a group of events: send what can be sent now."""
        self.forwarding.pump()

    def tick(self) -> None:
        """Time has passed."""
        self.forwarding.tick()
        self.delivery.tick()
        self._announce()
        self.forwarding.pump()

    def mode(self) -> Mode:
        """How the hub is, in a word."""
        if self.line.is_up:
            return "online"
        since = self.line.down_since_ms or 0
        is_long = is_over(since, self._clock.now_ms(), DEGRADED_AFTER_MS)
        return "offline" if is_long else "degraded"

    @property
    def _ahead(self) -> int:
        """Envelopes that arrived and have neither a refusal nor an answer."""
        return self.forwarding.rows + self.uplink.waiting

    def _is_late(self) -> bool:
        return self.line.is_up and self._backlog.is_late(self._ahead)

    def _accepted(self, row: UplinkRow, ticket: int) -> None:
        self._floor.take(row.envelope)
        self.passages.spooled(row)
        self.delivery.route(row.device, row.transport)
        self.forwarding.add(row, None if row.transport == "mqtt" else ticket)

    def _answered(self, row: UplinkRow, answer: CheckedAnswer, ticket: int | None) -> None:
        self._floor.release(row.envelope)
        self.passages.answered(row.row)
        parcel = Parcel(
            key=("uplink", row.row),
            device=row.device,
            kind="res",
            payload=answer.wire,
            since_ms=self._clock.now_ms(),
        )
        self.delivery.add(parcel, ticket)
        self._discard_gone((row.device,))

    def _enforce(self, devices: Iterable[Device]) -> None:
        for device in devices:
            if device.refusal is not None:
                self._cut_off(device.tid)

    def _cut_off(self, tid: str) -> None:
        self._emit(Disconnect(tid))
        self._discard_gone((tid,))

    def _discard_gone(self, tids: Iterable[str]) -> None:
        """Whoever is revoked or unknown never comes for what waits here."""
        for tid in tids:
            known = self.registry.find(tid)
            if known is None or known.status == "revoked":
                self.delivery.discard_device(tid)

    def _announce(self) -> None:
        now, mode, held_minor = self._clock.now_ms(), self.mode(), self._floor.held_minor
        is_news = mode != self._mode or held_minor != self._announced_held_minor
        # A clock that jumped back does not silence the hub.
        if is_news or abs(now - self._announced_at_ms) >= HUB_STATE_EVERY_MS:
            self._mode, self._announced_at_ms = mode, now
            self._announced_held_minor = held_minor
            self._emit(Announce(mode, now, self._floor.limits()))

    def _emit(self, effect: Effect) -> None:
        if isinstance(effect, SendBatch):
            self.passages.forwarded(effect.rows)
        self._effects.append(effect)
