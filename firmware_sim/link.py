"""The link hangs a device on a line.

Rule 1: everything here runs on one event loop, so a device needs no lock; there is no task, only
the line's bytes and one timer. Rule 2: bytes leave by absolute deadline, at the line's rate, in
bursts of a few milliseconds. Rule 3: where the client's rate differs from the device's, both ends
see junk. Rule 4: a device without power hears and says nothing. Rule 5: what is said to a device
that holds its host waits, here and at the client, and is heard once the device lets go.
"""

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import structlog

from firmware_sim.devices.device import Device, Holding, Output
from firmware_sim.faults import Fault, FaultPlan, FaultyWay, Strike
from firmware_sim.frames import Side
from firmware_sim.limits import (
    BROWN_OUT_MS,
    HOLD_PIECE_BYTES,
    LINE_INBOX_BYTES_MAX,
    LINE_OUTBOX_BYTES_MAX,
    PACE_BURST_MS,
    WARM_UP_MS,
)
from firmware_sim.transports.line import Line

_BITS_PER_BYTE = 10
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Burst:
    """Bytes on their way to one side, or what befalls the device in between."""

    at_ms: int
    data: bytes
    baud: int
    strike: Strike = Strike.NOTHING


@dataclass(slots=True)
class LinkCounts:
    """What went over a line."""

    to_device_bytes: int = 0
    to_client_bytes: int = 0
    garbled_bytes: int = 0
    lost_bytes: int = 0


Tap = Callable[[Side, bytes, int], None]
"""Hears what the device hears and says: who spoke, the bytes as they arrived, when (ms)."""


@dataclass(slots=True)
class Link:
    """A device on a line. ``plug`` begins to serve; ``act`` is how people reach the device."""

    name: str
    device: Device
    open_line: Callable[[], Line]
    now_ms: Callable[[], int]
    pace: bool = True
    after_turn: Callable[[], None] = lambda: None
    after_plug: Callable[[str | None], None] = lambda _: None
    tap: Tap = lambda _side, _data, _at_ms: None
    counts: LinkCounts = field(default_factory=LinkCounts)
    line: Line | None = None
    is_powered: bool = False
    _outbox: deque[_Burst] = field(default_factory=deque)
    _outbox_bytes: int = 0
    _free_at_ms: int = 0
    _inbox: deque[_Burst] = field(default_factory=deque)
    _inbox_bytes: int = 0
    _in_free_at_ms: int = 0
    _is_held: bool = False
    _client_baud: int | None = None
    _ways: dict[Side, FaultyWay] = field(
        default_factory=lambda: {side: FaultyWay() for side in Side}
    )
    _timer: asyncio.TimerHandle | None = None
    _timer_ms: int = 0
    _restart_at_ms: int | None = None

    @property
    def client_path(self) -> str | None:
        """What a client opens, or ``None`` while unplugged."""
        return self.line.client_path if self.line else None

    @property
    def faults(self) -> list[Fault]:
        """The faults set now, of both directions."""
        return [plan.fault for plan in self.fault_plans]

    @property
    def fault_plans(self) -> list[FaultPlan]:
        """The same, as they are at work."""
        return [plan for way in self._ways.values() for plan in way.plans]

    @property
    def is_idle(self) -> bool:
        """Whether nothing is on its way on the line."""
        return not self._outbox and not self._inbox

    def start(self) -> None:
        """Plug in a device that has had its power for a while: its start is over, and what it
        said then nobody heard."""
        if not self.is_powered:
            self.is_powered = True
            self.device.boot(self.now_ms() - WARM_UP_MS)
        self.plug()

    def plug(self) -> None:
        """Connect the device, and give it power if it has none; a pty gets a new name."""
        if self.line is None:
            self.line = self.open_line()
            self._client_baud = None
            self.after_plug(self.client_path)
            self.line.open(self._hear)
            self._set_timer()
        self.power_on()

    def unplug(self) -> None:
        """Pull the plug: the client's next read or write fails, and the device loses its power."""
        self.power_off()
        if self.line is not None:
            line, self.line = self.line, None
            self._is_held = False
            self.after_plug(None)
            line.close()

    def power_on(self) -> None:
        """Give the device power."""
        self._restart_at_ms = None
        if not self.is_powered:
            self.is_powered = True
            self._schedule(self.device.boot(self.now_ms()))
            self._turn_over()

    def power_off(self) -> None:
        """Take the device's power; the line stays where it is. What was on its way is lost. Until
        now time has gone by for the device; what it would say of that is not said."""
        if self.is_powered:
            self.device.poll(self.now_ms())
        self.is_powered = False
        self._restart_at_ms = None
        self._outbox.clear()
        self._inbox.clear()
        self._outbox_bytes = self._inbox_bytes = 0
        self._free_at_ms = self._in_free_at_ms = 0
        self._set_timer()

    def set_faults(self, faults: Sequence[Fault]) -> None:
        """Make the line faulty from now on, in place of all faults before."""
        for side, way in self._ways.items():
            way.set([fault for fault in faults if fault.side is side], self.now_ms())

    def set_fault(self, fault: Fault) -> None:
        """One fault in place of all before; ``Fault()`` heals the line."""
        self.set_faults([fault])

    def add_fault(self, fault: Fault) -> None:
        """One more fault, beside those that are at work already; these go on as they are."""
        self._ways[fault.side].add(fault, self.now_ms())

    def remove_fault(self, plan: FaultPlan) -> None:
        """One fault less; the others go on as they are."""
        self._ways[plan.fault.side].remove(plan)

    def act(self, deed: Callable[[int], Sequence[Output] | None]) -> None:
        """Let a person do something to the device; ``deed`` gets the time. What a device without
        power would say is not said."""
        outputs = deed(self.now_ms()) or ()
        if self.is_powered:
            self._schedule(outputs)
        self._turn_over()

    def catch_up(self) -> None:
        """Let time go by for the device until now, so that it can be looked at as it is."""
        if self.is_powered:
            self._schedule(self.device.poll(self.now_ms()))
            self._turn_over()

    def _hear(self, data: bytes) -> None:
        """The client said something: through the faults of its way to the device."""
        self.counts.to_device_bytes += len(data)
        if self._inbox_bytes + len(data) > LINE_INBOX_BYTES_MAX:
            self.counts.lost_bytes += len(data)
            return
        now_ms = self.now_ms()
        baud = self._rate_sent() or 0
        at_ms = max(now_ms, self._in_free_at_ms)
        for delivery in self._ways[Side.HOST].deliver(data, now_ms):
            at_ms += delivery.wait_ms
            if not delivery.data and delivery.strike is Strike.NOTHING:
                continue
            *pieces, last = self._pieces(delivery.data)
            self._inbox += [_Burst(at_ms, piece, baud) for piece in pieces]
            self._inbox.append(_Burst(at_ms, last, baud, delivery.strike))
            self._inbox_bytes += len(delivery.data)
        self._in_free_at_ms = at_ms
        self._take_due(now_ms)
        self._turn_over()

    def _rate_sent(self) -> int | None:
        """The client's rate. Who speaks and changes the rate at once is heard after the change, so
        the rate before has the benefit of the doubt, once, if it was the right one."""
        before = self._client_baud
        self._client_baud = self.line.client_baud if self.line else None
        return before if before == self.device.baud else self._client_baud

    def _pieces(self, data: bytes) -> list[bytes]:
        """What a device that may hold its host hears at once is little, so that it can stop it."""
        size = HOLD_PIECE_BYTES if isinstance(self.device, Holding) else max(1, len(data))
        return [data[at : at + size] for at in range(0, len(data), size)] or [b""]

    def _is_holding(self) -> bool:
        return self.is_powered and isinstance(self.device, Holding) and self.device.is_holding

    def _take_due(self, now_ms: int) -> None:
        while self._inbox and self._inbox[0].at_ms <= now_ms and not self._is_holding():
            burst = self._inbox.popleft()
            self._inbox_bytes -= len(burst.data)
            if burst.data and self.is_powered:
                heard = self._over_the_wire(burst.data, burst.baud or None, self.device.baud)
                self.tap(Side.HOST, heard, now_ms)
                self._schedule(self.device.feed(heard, now_ms))
            self._strike(burst.strike, now_ms)

    def _schedule(self, outputs: Iterable[Output]) -> None:
        now_ms = self.now_ms()
        for output in outputs:
            free_at = max(output.at_ms, self._free_at_ms)
            for delivery in self._ways[Side.DEVICE].deliver(output.payload, now_ms):
                free_at += delivery.wait_ms
                free_at = self._pace(free_at, delivery.data, output.baud)
                if delivery.strike is not Strike.NOTHING:
                    self._outbox.append(_Burst(free_at, b"", output.baud, delivery.strike))
            self._free_at_ms = free_at

    def _pace(self, free_at: int, data: bytes, baud: int) -> int:
        size = max(1, baud * PACE_BURST_MS // (1000 * _BITS_PER_BYTE)) if self.pace else len(data)
        for start in range(0, len(data), size or 1):
            piece = data[start : start + size]
            if self._outbox_bytes + len(piece) > LINE_OUTBOX_BYTES_MAX:
                self.counts.lost_bytes += len(piece)
                continue
            if self.pace:
                free_at += -(-len(piece) * _BITS_PER_BYTE * 1000 // baud)
            self._outbox.append(_Burst(free_at, piece, baud))
            self._outbox_bytes += len(piece)
        return free_at

    def _turn_over(self) -> None:
        """After anything happened: say what is due, look at the device, set the timer."""
        now_ms = self.now_ms()
        self._take_due(now_ms)
        self._send_due(now_ms)
        if self.line is not None:
            self.line.tune(self.device.baud)
            if self._is_held != self._is_holding():
                self._is_held = not self._is_held
                self.line.hold(is_held=self._is_held)
        self.after_turn()
        self._set_timer()

    def _send_due(self, now_ms: int) -> None:
        while self._outbox and self._outbox[0].at_ms <= now_ms:
            burst = self._outbox.popleft()
            self._outbox_bytes -= len(burst.data)
            if burst.data and self.line is not None:
                self.tap(Side.DEVICE, burst.data, now_ms)
                said = self._over_the_wire(burst.data, burst.baud, self.line.client_baud)
                lost = self.line.write(said)
                self.counts.to_client_bytes += len(said) - lost
                self.counts.lost_bytes += lost
            self._strike(burst.strike, now_ms)

    def _strike(self, strike: Strike, now_ms: int) -> None:
        match strike:
            case Strike.UNPLUG:
                log.info("sim_line_cut", device=self.name)
                self.unplug()
            case Strike.POWER_OFF:
                log.info("sim_power_cut", device=self.name)
                self.power_off()
            case Strike.RESTART:
                self.power_off()
                self._restart_at_ms = now_ms + BROWN_OUT_MS

    def _due(self) -> None:
        self._timer = None
        now_ms = self.now_ms()
        if self._restart_at_ms is not None and now_ms >= self._restart_at_ms:
            self.power_on()
        if self.is_powered:
            self._take_due(now_ms)
            self._schedule(self.device.poll(now_ms))
        self._turn_over()

    def _set_timer(self) -> None:
        """One timer for the soonest of: bytes to send, bytes to hear, the device, a restart."""
        due_ms = self._soonest_ms()
        if self._timer is not None:
            if due_ms == self._timer_ms:
                return
            self._timer.cancel()
            self._timer = None
        if due_ms is not None:
            self._timer_ms = due_ms
            wait_s = max(0, due_ms - self.now_ms()) / 1000
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._due)

    def _soonest_ms(self) -> int | None:
        due = [self._outbox[0].at_ms] if self._outbox else []
        if self._inbox and not self._is_holding():
            due.append(self._inbox[0].at_ms)
        if self._restart_at_ms is not None:
            due.append(self._restart_at_ms)
        deadline = self.device.next_deadline_ms() if self.is_powered else None
        if deadline is not None:
            due.append(deadline)
        return min(due, default=None)

    def _over_the_wire(self, data: bytes, sent_at: int | None, heard_at: int | None) -> bytes:
        """Bytes sent at one rate and heard at another are junk, and not the same number."""
        if sent_at is None or heard_at is None or abs(sent_at - heard_at) * 20 <= heard_at:
            return data
        self.counts.garbled_bytes += len(data)
        count = max(1, len(data) * heard_at // sent_at) if data else 0
        return hashlib.shake_256(data).digest(min(count, 4 * len(data)))
