"""A serial port with a simulated device behind it, in real time and without an operating system.

For what a driver makes of a device and of a bad line; that it survives a real port is tried over
ptys elsewhere.
"""

import time
from collections import deque

from firmware_sim.devices.device import Device, Output
from firmware_sim.faults import Fault, FaultyWay, Strike

SLICE_S = 0.02


class DevicePort:
    """What a driver uses of ``serial.Serial``; ``device`` is the other end."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.written: list[bytes] = []
        self.is_cut = False
        self._began = time.monotonic()
        self._faults = FaultyWay()
        self._arriving: deque[tuple[int, bytes]] = deque()
        self._free_at = 0
        device.boot(0)

    def set_fault(self, fault: Fault) -> None:
        """Make the line faulty; ``Fault()`` heals it."""
        self._faults.set([fault], self.now_ms())

    def now_ms(self) -> int:
        """Since the port was made."""
        return int((time.monotonic() - self._began) * 1000)

    @property
    def in_waiting(self) -> int:
        """Bytes that can be read at once."""
        self._run()
        due = self.now_ms()
        return sum(len(data) for at, data in self._arriving if at <= due)

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes within a slice."""
        until = time.monotonic() + SLICE_S
        while not self.in_waiting:
            if size == 0 or time.monotonic() >= until:
                return b""
            time.sleep(0.002)
        due, found = self.now_ms(), bytearray()
        while self._arriving and self._arriving[0][0] <= due and len(found) < size:
            at, data = self._arriving.popleft()
            rest = data[size - len(found) :]
            found += data[: size - len(found)]
            if rest:
                self._arriving.appendleft((at, rest))
        return bytes(found)

    def write(self, data: bytes, /) -> int:
        """Into the device's ear."""
        self._run()
        self.written.append(data)
        self._send(list(self.device.feed(data, self.now_ms())))
        return len(data)

    def reset_input_buffer(self) -> None:
        """Forget what has arrived."""
        due = self.now_ms()
        self._arriving = deque((at, data) for at, data in self._arriving if at > due)

    def close(self) -> None:
        """Nothing to close."""

    def _run(self) -> None:
        if self.is_cut:
            raise OSError("the plug was pulled")
        due = self.device.next_deadline_ms()
        if due is not None and due <= self.now_ms():
            self._send(list(self.device.poll(self.now_ms())))

    def _send(self, outputs: list[Output]) -> None:
        for output in outputs:
            at = max(output.at_ms, self._free_at)
            for delivery in self._faults.deliver(output.payload, output.at_ms):
                at += delivery.wait_ms
                self._arriving.append((at, delivery.data))
                self.is_cut = self.is_cut or delivery.strike is Strike.UNPLUG
            self._free_at = at
