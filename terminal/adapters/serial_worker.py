"""One thread per serial port; jobs go in by one queue, answers come back to the agent's loop.

Rule 1: only the thread touches the port. A job is plain blocking code that talks through a
``Dialogue``; it runs alone on the port and in the order asked.
Rule 2: every wait in a job has a deadline, and a job nobody waits for any more does not begin, or
ends at its next read.
Rule 3: a port that fails is closed, its job gets ``device_disconnected``, and the thread looks
for the port again by itself. A job that finds the port gone waits a moment for it to come back.
"""

import asyncio
import contextlib
import queue
import termios
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar

import serial
import structlog

from protocol.errors import OperatingError, TillwayError
from terminal.adapters.limits import (
    OPEN_ATTEMPT_GAP_S,
    OPEN_WAIT_S,
    PORT_CHECK_S,
    PORT_CLOSE_S,
    PORT_JOBS_MAX,
    PORT_SLICE_S,
    PORT_WRITE_S,
)

log = structlog.get_logger()
Answer = TypeVar("Answer")


class Port(Protocol):
    """What we use of ``serial.Serial``."""

    @property
    def in_waiting(self) -> int:
        """Bytes that can be read at once."""
        ...

    def read(self, size: int, /) -> bytes | None:
        """Up to ``size`` bytes within the port's slice."""
        ...

    def write(self, data: bytes, /) -> int | None:
        """Write all."""
        ...

    def reset_input_buffer(self) -> None:
        """Forget what has arrived."""
        ...

    def close(self) -> None:
        """Close."""
        ...


class AbandonedError(Exception):
    """Nobody waits for this job any more."""


class Dialogue:
    """A job's way to its port."""

    def __init__(self, port: Port, cancelled: threading.Event) -> None:
        self._port = port
        self._cancelled = cancelled

    def send(self, data: bytes) -> None:
        """Write all of ``data``."""
        self._port.write(data)

    def receive(self, until: float) -> bytes:
        """What arrives before ``until`` (monotonic seconds), as soon as anything does."""
        while True:
            if self._cancelled.is_set():
                raise AbandonedError
            first = self._port.read(1) or b""
            if first:
                return first + (self._port.read(self._port.in_waiting) or b"")
            if time.monotonic() >= until:
                return b""

    def discard_input(self) -> None:
        """Forget what has arrived."""
        try:
            self._port.reset_input_buffer()
        except termios.error as error:  # what pyserial lets through when the line is gone
            raise OSError(*error.args) from error

    def pause(self, seconds: float) -> None:
        """Wait, but no longer than somebody waits for the job."""
        if self._cancelled.wait(seconds):
            raise AbandonedError


@dataclass(slots=True)
class _Ticket:
    job: Callable[[Dialogue], object]
    loop: asyncio.AbstractEventLoop
    answer: "asyncio.Future[object]"
    cancelled: threading.Event = field(default_factory=threading.Event)

    def settle(self, value: object = None, error: BaseException | None = None) -> None:
        """Give the result to the loop that asked; nothing happens if it has closed."""
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self._settle, value, error)

    def _settle(self, value: object, error: BaseException | None) -> None:
        if self.answer.done():
            return
        if error is None:
            self.answer.set_result(value)
        else:
            self.answer.set_exception(error)


Flow = Literal["none", "xonxoff", "dtr"]
"""How the device asks us to wait: not at all, by bytes, or by its DTR line on our DSR."""


def open_serial(path: str, baud: int, flow: Flow = "none") -> Port:
    """The real port: 8N1, raw, for us alone."""
    return serial.Serial(
        path, baud, timeout=PORT_SLICE_S, write_timeout=PORT_WRITE_S, exclusive=True,
        xonxoff=flow == "xonxoff", dsrdtr=flow == "dtr",
    )  # fmt: skip


class SerialWorker:
    """The thread of one port. ``greet`` runs once per connection, before its first job."""

    def __init__(
        self,
        name: str,
        open_port: Callable[[], Port],
        greet: Callable[[Dialogue], None] = lambda _: None,
    ) -> None:
        self._name = name
        self._open_port = open_port
        self._greet = greet
        self._jobs: queue.Queue[_Ticket | None] = queue.Queue(PORT_JOBS_MAX)
        self._port: Port | None = None
        self._is_greeted = False
        self._current: _Ticket | None = None
        self._is_closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"port-{name}", daemon=True)
        self._thread.start()

    @property
    def is_connected(self) -> bool:
        """Whether the port was open when last looked at."""
        return self._port is not None

    async def run(self, job: Callable[[Dialogue], Answer], *, limit_s: float) -> Answer:
        """Run a job on the port; ``device_no_reply`` if it takes longer than ``limit_s``."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        ticket = _Ticket(job, loop, answer)  # type: ignore[arg-type]
        if self._is_closing.is_set():
            raise OperatingError("device_disconnected", f"{self._name}: closed")
        try:
            self._jobs.put_nowait(ticket)
        except queue.Full:
            raise OperatingError("busy", f"{self._name}: {PORT_JOBS_MAX} jobs wait") from None
        try:
            async with asyncio.timeout(limit_s):
                return await answer
        except TimeoutError:
            raise OperatingError("device_no_reply", f"{self._name}: {limit_s} s") from None
        finally:
            ticket.cancelled.set()

    async def aclose(self) -> None:
        """End the thread and close the port."""
        self._is_closing.set()
        if (current := self._current) is not None:
            current.cancelled.set()
        with contextlib.suppress(queue.Full):
            self._jobs.put_nowait(None)
        await asyncio.to_thread(self._thread.join, PORT_CLOSE_S)

    def _work(self) -> None:
        while not self._is_closing.is_set():
            try:
                ticket = self._jobs.get(timeout=PORT_CHECK_S)
            except queue.Empty:
                self._check()
                continue
            if ticket is not None:
                self._current = ticket
                self._serve(ticket)
                self._current = None
        self._drop("closed")
        while True:
            try:
                left = self._jobs.get_nowait()
            except queue.Empty:
                return
            if left is not None:
                left.settle(error=OperatingError("device_disconnected", f"{self._name}: closed"))

    def _serve(self, ticket: _Ticket) -> None:
        try:
            port = self._connected(ticket.cancelled)
            dialogue = Dialogue(port, ticket.cancelled)
            if not self._is_greeted:
                self._greet(dialogue)
                self._is_greeted = True
            if ticket.cancelled.is_set() or self._is_closing.is_set():
                raise AbandonedError
            ticket.settle(ticket.job(dialogue))
        except AbandonedError:
            log.info("port_job_abandoned", port=self._name)
            ticket.settle(error=OperatingError("device_disconnected", f"{self._name}: closed"))
        except TillwayError as error:
            log.warning("port_job_failed", port=self._name, code=error.code, detail=error.detail)
            ticket.settle(error=error)
        except serial.SerialTimeoutException:
            self._drop("write_timeout")
            ticket.settle(error=OperatingError("device_no_reply", f"{self._name}: write"))
        except OSError as error:  # SerialException is one, and so is EIO of a line that is gone
            self._drop(type(error).__name__)
            ticket.settle(error=OperatingError("device_disconnected", self._name))
        except Exception as error:  # outermost loop of the thread: the port outlives a bug
            log.exception("port_job_broken", port=self._name)
            ticket.settle(error=error)

    def _connected(self, cancelled: threading.Event) -> Port:
        self._check()
        deadline = time.monotonic() + OPEN_WAIT_S
        while self._port is None:
            if time.monotonic() >= deadline:
                raise OperatingError("device_disconnected", self._name)
            if cancelled.wait(OPEN_ATTEMPT_GAP_S):
                raise AbandonedError
            self._check()
        return self._port

    def _check(self) -> None:
        """Close a port that is gone; open it again once it is back."""
        try:
            if self._port is None:
                self._port = self._open_port()
                self._is_greeted = False
                log.info("port_opened", port=self._name)
            else:
                _ = self._port.in_waiting
        except (OSError, ValueError, termios.error) as error:
            self._drop(type(error).__name__)

    def _drop(self, why: str) -> None:
        if self._port is not None:
            log.info("port_dropped", port=self._name, why=why)
            with contextlib.suppress(OSError):
                self._port.close()
        self._port = None
        self._is_greeted = False
