"""The link hangs a device on a line: one task owns the device.

Rule 1: only this task (and ``act``, on the same loop) touches the device, so a device needs no
lock. Rule 2: bytes leave by absolute deadline, at the line's rate, in bursts of a few
milliseconds. Rule 3: where the client's rate differs from the device's, both ends see junk.
"""

import asyncio
import contextlib
import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import structlog

from firmware_sim.devices.device import Device, Output
from firmware_sim.faults import Fault, FaultPlan
from firmware_sim.limits import IDLE_WAIT_MS, LINE_OUTBOX_BYTES_MAX, PACE_BURST_MS
from firmware_sim.transports.line import Line

_BITS_PER_BYTE = 10
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Burst:
    at_ms: int
    data: bytes
    baud: int
    is_cut: bool = False


@dataclass(slots=True)
class LinkCounts:
    """What went over a line."""

    to_device_bytes: int = 0
    to_client_bytes: int = 0
    garbled_bytes: int = 0
    lost_bytes: int = 0


@dataclass(slots=True)
class Link:
    """A device on a line. ``run`` is its task; ``act`` is how people reach the device."""

    name: str
    device: Device
    open_line: Callable[[], Line]
    now_ms: Callable[[], int]
    pace: bool = True
    after_turn: Callable[[], None] = lambda: None
    after_plug: Callable[[str | None], None] = lambda _: None
    counts: LinkCounts = field(default_factory=LinkCounts)
    line: Line | None = None
    _outbox: deque[_Burst] = field(default_factory=deque)
    _outbox_bytes: int = 0
    _free_at_ms: int = 0
    _faults: FaultPlan = field(default_factory=FaultPlan)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def client_path(self) -> str | None:
        """What a client opens, or ``None`` while unplugged."""
        return self.line.client_path if self.line else None

    def plug(self) -> None:
        """Connect the device; a pty gets a new name."""
        if self.line is None:
            self.line = self.open_line()
            self.after_plug(self.client_path)
            self._wake.set()

    def unplug(self) -> None:
        """Pull the plug: the client's next read or write fails."""
        if self.line is not None:
            line, self.line = self.line, None
            self._outbox.clear()
            self._outbox_bytes = 0
            self.after_plug(None)
            line.close()
            self._wake.set()

    def set_fault(self, fault: Fault) -> None:
        """Make the line faulty from now on; ``Fault()`` heals it."""
        self._faults = FaultPlan(fault)

    def act(self, deed: Callable[[int], Sequence[Output] | None]) -> None:
        """Let a person do something to the device; ``deed`` gets the time."""
        self._schedule(deed(self.now_ms()) or ())
        self.after_turn()
        self._wake.set()

    async def run(self) -> None:
        """Serve the line until cancelled."""
        while True:
            if self.line is None:
                self._wake.clear()
                await self._wake.wait()
                continue
            line = self.line
            with contextlib.suppress(ConnectionError):
                await self._serve(line)

    async def _serve(self, line: Line) -> None:
        reading = asyncio.ensure_future(line.read())
        try:
            while self.line is line:
                await self._send_due(line)
                waking = asyncio.ensure_future(self._wake.wait())
                try:
                    await asyncio.wait(
                        {reading, waking},
                        timeout=self._wait_ms() / 1000,
                        return_when=asyncio.FIRST_COMPLETED,
                    )
                finally:
                    waking.cancel()
                self._wake.clear()
                if reading.done():
                    self._take(line, reading.result())
                    reading = asyncio.ensure_future(line.read())
                self._schedule(self.device.poll(self.now_ms()))
                self.after_turn()
        finally:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await reading

    def _take(self, line: Line, data: bytes) -> None:
        self.counts.to_device_bytes += len(data)
        heard = self._over_the_wire(data, line.client_baud, self.device.baud)
        self._schedule(self.device.feed(heard, self.now_ms()))

    def _schedule(self, outputs: Iterable[Output]) -> None:
        for output in outputs:
            free_at = max(output.at_ms, self._free_at_ms)
            for delivery in self._faults.outgoing(output.payload):
                free_at += delivery.wait_ms
                free_at = self._pace(free_at, delivery.data, output.baud)
                if delivery.is_cut:
                    self._outbox.append(_Burst(free_at, b"", output.baud, is_cut=True))
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

    async def _send_due(self, line: Line) -> None:
        while self._outbox and self._outbox[0].at_ms <= self.now_ms():
            burst = self._outbox.popleft()
            self._outbox_bytes -= len(burst.data)
            if burst.is_cut:
                log.info("sim_line_cut", device=self.name)
                self.unplug()
                raise ConnectionError("the plug was pulled")
            said = self._over_the_wire(burst.data, burst.baud, line.client_baud)
            lost = await line.write(said)
            self.counts.to_client_bytes += len(said) - lost
            self.counts.lost_bytes += lost

    def _wait_ms(self) -> int:
        due = [burst.at_ms for burst in list(self._outbox)[:1]]
        deadline = self.device.next_deadline_ms()
        if deadline is not None:
            due.append(deadline)
        return min(max(0, min(due, default=IDLE_WAIT_MS + self.now_ms()) - self.now_ms()), 60_000)

    def _over_the_wire(self, data: bytes, sent_at: int | None, heard_at: int | None) -> bytes:
        """Bytes sent at one rate and heard at another are junk, and not the same number."""
        if sent_at is None or heard_at is None or abs(sent_at - heard_at) * 20 <= heard_at:
            return data
        self.counts.garbled_bytes += len(data)
        count = max(1, len(data) * heard_at // sent_at) if data else 0
        return hashlib.shake_256(data).digest(min(count, 4 * len(data)))
