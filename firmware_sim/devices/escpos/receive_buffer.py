"""The receive buffer: operations that wait for the head, and when the host is asked to wait.

Rule 1: an operation that finds no room is lost whole, except that one which finds nothing before
it is being printed while it arrives and needs no room.
"""

from collections import deque

from firmware_sim.devices.escpos.parser import Operation

BUSY_ROOM_BYTES, READY_ROOM_BYTES = 128, 256
"""The host is stopped when so little room is left, and let go on when there is so much again."""


class ReceiveBuffer:
    """Operations in order, in so many bytes."""

    def __init__(self, capacity_bytes: int) -> None:
        self._capacity_bytes = capacity_bytes
        self._waiting: deque[Operation] = deque()
        self.used_bytes = 0
        self.overrun_bytes = 0
        self.is_host_stopped = False

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def first(self) -> Operation:
        """The next to be printed."""
        return self._waiting[0]

    def put(self, operation: Operation) -> None:
        """At the end, if there is room."""
        if self._waiting and self.used_bytes + operation.size > self._capacity_bytes:
            self.overrun_bytes += operation.size
            return
        self._waiting.append(operation)
        self.used_bytes += operation.size

    def take(self) -> Operation:
        """The next one."""
        operation = self._waiting.popleft()
        self.used_bytes -= operation.size
        return operation

    def clear(self) -> None:
        """Forget all."""
        self._waiting.clear()
        self.used_bytes = 0

    def stop_or_release_host(self, held_bytes: int, *, is_shut: bool) -> bool:
        """See whether the host has to wait; returns whether that has changed. ``held_bytes`` is
        what has arrived of an operation that is not whole, ``is_shut`` that nothing is taken."""
        used = self.used_bytes + held_bytes if self._waiting else 0
        room = self._capacity_bytes - used
        limit = READY_ROOM_BYTES if self.is_host_stopped else BUSY_ROOM_BYTES
        before, self.is_host_stopped = self.is_host_stopped, is_shut or room < limit
        return before != self.is_host_stopped
