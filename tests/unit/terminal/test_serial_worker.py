"""Goal: a port's jobs run one by one, and what nobody waits for any more is not said."""

import asyncio
import threading

import pytest

from protocol.errors import OperatingError
from terminal.adapters.serial_worker import Dialogue, SerialWorker


class _Port:
    """A port that keeps what is written and hears nothing."""

    in_waiting = 0

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def read(self, size: int, /) -> bytes:
        """Nothing."""
        del size
        return b""

    def write(self, data: bytes, /) -> int:
        """Keep it."""
        self.written.append(data)
        return len(data)

    def reset_input_buffer(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is open."""


def test_a_job_that_was_given_up_in_the_queue_says_nothing() -> None:
    asyncio.run(_given_up())


async def _given_up() -> None:
    port, is_over = _Port(), threading.Event()
    worker = SerialWorker("test", lambda: port)

    def stand(dialogue: Dialogue) -> None:
        dialogue.send(b"first")
        assert is_over.wait(5)

    standing = asyncio.create_task(worker.run(stand, limit_s=5))
    await asyncio.sleep(0)  # it is the first in the queue
    with pytest.raises(OperatingError, match="device_no_reply"):
        await worker.run(lambda dialogue: dialogue.send(b"given up"), limit_s=0.05)
    is_over.set()
    await standing
    await worker.run(lambda dialogue: dialogue.send(b"last"), limit_s=5)
    await worker.aclose()
    assert port.written == [b"first", b"last"]
