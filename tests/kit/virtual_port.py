"""A serial port whose other end is a simulated device, in virtual time: a driver's whole talk with
it, waits of minutes included, takes milliseconds.

The driver's modules must take their time from here: ``port.rule(monkeypatch, module, …)``.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from firmware_sim.devices.device import Device, Output
from terminal.adapters.limits import PORT_SLICE_S
from terminal.adapters.serial_worker import Dialogue

Spoil = Callable[[int, int], Sequence[int]]
"""What becomes of a byte: its place in all that was said this way, and its value."""


def sound(place: int, value: int) -> Sequence[int]:
    """Nothing happens to it."""
    return (value,)


def lose(at: int) -> Spoil:
    """One byte is lost."""
    return lambda place, value: () if place == at else (value,)


def flip(at: int, bit: int) -> Spoil:
    """One bit is flipped."""
    return lambda place, value: (value ^ 1 << bit,) if place == at else (value,)


def noise(at: int) -> Spoil:
    """Line noise before one byte."""
    return lambda place, value: (0xFF, 0x00, value) if place == at else (value,)


@dataclass(slots=True)
class VirtualPort:
    """``serial_worker.Port`` on a device. ``people`` do things at times, ``byte_ms`` slows it."""

    device: Device
    to_device: Spoil = sound
    to_host: Spoil = sound
    byte_ms: int = 0
    cut_at: int | None = None
    now_ms: int = 0
    _people: list[tuple[int, int, Callable[[int], Sequence[Output]]]] = field(default_factory=list)
    _coming: list[tuple[int, int, int, int]] = field(default_factory=list)
    _heard: bytearray = field(default_factory=bytearray)
    said: int = 0
    _free_ms: int = 0
    written: int = 0

    def rule(self, monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> None:
        """Let these modules live in this port's time."""
        clock: Any = SimpleNamespace(monotonic=lambda: self.now_ms / 1000)
        for module in modules:
            monkeypatch.setattr(module, "time", clock)

    def dialogue(self) -> Dialogue:
        """A job's way to this port; nobody gives the job up, and its pauses take virtual time."""

        def wait(seconds: float) -> bool:
            self.pass_time(int(seconds * 1000))
            return False

        patience: Any = SimpleNamespace(is_set=lambda: False, wait=wait)
        return Dialogue(self, patience)

    def pass_time(self, milliseconds: int) -> None:
        """Let the device, and the people around it, go on."""
        until = self.now_ms + milliseconds
        while self.now_ms < until:
            self._go_on(until)

    def at(self, ms: int, deed: Callable[[int], Sequence[Output]]) -> None:
        """Let a person do something to the device at a time."""
        heapq.heappush(self._people, (ms, len(self._people), deed))

    @property
    def in_waiting(self) -> int:
        """Bytes that have arrived."""
        return len(self._heard)

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes, or none after a slice of time."""
        until = self.now_ms + int(PORT_SLICE_S * 1000)
        while not self._heard and self.now_ms < until:
            self._go_on(until)
        found = bytes(self._heard[:size])
        del self._heard[:size]
        return found

    def write(self, data: bytes, /) -> int:
        """Let the device hear."""
        arrived = bytearray()
        for value in data:
            arrived += bytes(self.to_device(self.written, value))
            self.written += 1
        self._say(self.device.feed(bytes(arrived), self.now_ms))
        return len(data)

    def reset_input_buffer(self) -> None:
        """Forget what has arrived."""
        self._heard.clear()

    def close(self) -> None:
        """Nothing to close."""

    def _say(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            self._free_ms = max(self._free_ms, output.at_ms)
            for value in output.payload:
                for nth, left in enumerate(self.to_host(self.said, value)):
                    heapq.heappush(self._coming, (self._free_ms, self.said, nth, left))
                self.said += 1
                self._free_ms += self.byte_ms

    def _go_on(self, until: int) -> None:
        """To the next thing that happens, or to ``until``."""
        due = [entry[0][0] for entry in (self._coming, self._people) if entry]
        if (deadline := self.device.next_deadline_ms()) is not None:
            due.append(deadline)
        self.now_ms = max(self.now_ms, min([*due, until]))
        if self.cut_at is not None and self.now_ms >= self.cut_at:
            raise OSError("gone")
        while self._people and self._people[0][0] <= self.now_ms:
            self._say(heapq.heappop(self._people)[2](self.now_ms))
        self._say(self.device.poll(self.now_ms))
        while self._coming and self._coming[0][0] <= self.now_ms:
            self._heard.append(heapq.heappop(self._coming)[3])
