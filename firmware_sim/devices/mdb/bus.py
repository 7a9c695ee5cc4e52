"""The multi-drop bus: one master asks, the addressed peripheral answers (MDB 4.2 chapter 2).

What would take milliseconds on the wire happens at once here: a block takes at most 36 ms, and a
peripheral answers within 5.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from firmware_sim.limits import MDB_TRACE_BLOCKS_MAX
from protocol.framing import mdb
from protocol.framing.mdb import Block

TRIES_MAX = 3


class Peripheral(Protocol):
    """What hangs on the bus."""

    @property
    def address(self) -> int:
        """Its address; its commands are that and 0 to 7."""
        ...

    def hear(self, block: Block, now_ms: int) -> Block | None:
        """Hear a master's block that is addressed to it, or the master's word on its last answer.
        None: it keeps silent."""
        ...


@dataclass(frozen=True, slots=True)
class Heard:
    """A block as a listener sees it."""

    at_ms: int
    is_from_master: bool
    block: Block


@dataclass(slots=True)
class Bus:
    """A bus with its peripherals. ``spoil`` is what the wire does to each block."""

    peripherals: list[Peripheral] = field(default_factory=list)
    spoil: Callable[[Block], Block] = lambda block: block
    trace: deque[Heard] = field(default_factory=lambda: deque(maxlen=MDB_TRACE_BLOCKS_MAX))

    def ask(self, command: bytes, now_ms: int) -> bytes | None:
        """Ask until an answer is sound: its data, ``b""`` for ACK. None: no answer, or NAK."""
        block = mdb.encode_command(command)
        for _ in range(TRIES_MAX):
            answer = self._send(block, command[0] & mdb.ADDRESS_MASK, now_ms)
            if answer is None or answer == mdb.ANSWER_NAK:
                return None
            if answer == mdb.ANSWER_ACK:
                return b""
            data = mdb.parse_answer(answer)
            if isinstance(data, bytes):
                self._send(mdb.MASTER_ACK, command[0] & mdb.ADDRESS_MASK, now_ms)
                return data
            block = mdb.MASTER_RET
        return None

    def _send(self, block: Block, address: int, now_ms: int) -> Block | None:
        self.trace.append(Heard(now_ms, is_from_master=True, block=block))
        heard = self.spoil(block)
        for peripheral in self.peripherals:
            if peripheral.address == address:
                answer = peripheral.hear(heard, now_ms)
                if answer is not None:
                    answer = self.spoil(answer)
                    self.trace.append(Heard(now_ms, is_from_master=False, block=answer))
                return answer
        return None
