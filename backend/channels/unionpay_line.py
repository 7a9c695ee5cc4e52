"""The TCP line to UnionPay's switch: many questions at once, each answer to its own.

Rule 1: an answer belongs to the question with its message type, terminal and STAN.
Rule 2: one task reads; when the line ends, whoever waits learns it at once.
Rule 3: a line that was lost is made again by the next question; one on which nothing at all came
        for as long as a question waits is given up as lost.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import structlog

from backend.channels.iso8583.codec import Message, decode
from backend.channels.iso8583.framing import Frame, FrameDecoder, write_frame
from backend.channels.iso8583.messages import need
from backend.channels.limits import CALL_TIMEOUT_S, LINE_READ_BYTES, QUESTIONS_AT_ONCE_MAX
from backend.channels.ports import NotSentError
from protocol.errors import CallerError, OperatingError

_log = structlog.get_logger()
_Key = tuple[str, str, str]
_PATIENCE = timedelta(seconds=CALL_TIMEOUT_S)


Where = Callable[[], tuple[str, int]]
"""The switch's host and port as they are now; it may have come back on others."""


class Line:
    """One connection, made when it is needed. Close it when done."""

    def __init__(self, where: Where, *, timeout: timedelta = _PATIENCE) -> None:
        self._where = where
        self._timeout = timeout
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._waiting: dict[_Key, asyncio.Future[tuple[Message, bytes]]] = {}
        self._connecting = asyncio.Lock()
        self._heard = 0
        """How many answers have come: by it a dead line is told from a slow answer."""

    async def close(self) -> None:
        """End the connection; whoever waits gets no answer."""
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        self._drop("closed")

    async def ask(self, question: Message, body: bytes) -> tuple[Message, bytes]:
        """The answer to a question, as read and as it came; ``OperatingError`` where none comes."""
        key = (f"{int(question.mti) + 10:04d}", need(question, 41), need(question, 11))
        if key in self._waiting or len(self._waiting) >= QUESTIONS_AT_ONCE_MAX:
            # Not ``NotSentError``: the one that waits may be about the very same order.
            raise OperatingError("busy", "a question of this number waits already")
        answer: asyncio.Future[tuple[Message, bytes]] = asyncio.get_running_loop().create_future()
        self._waiting[key] = answer
        heard = self._heard
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                writer = await self._connected()
                writer.write(write_frame(Frame(body)))
                await writer.drain()
                return await answer
        except TimeoutError:
            if self._heard == heard:
                self._drop("nothing came")
            raise OperatingError("timeout", "no answer of the switch") from None
        except OSError as error:
            raise OperatingError("timeout", f"the line: {error.strerror}") from None
        finally:
            self._waiting.pop(key, None)

    async def _connected(self) -> asyncio.StreamWriter:
        async with self._connecting:
            if self._writer is not None and not self._writer.is_closing():
                return self._writer
            try:
                async with asyncio.timeout(self._timeout.total_seconds()):
                    host, port = self._where()
                    reader, writer = await asyncio.open_connection(host, port)
            except (OSError, TimeoutError, OperatingError):
                raise NotSentError("the switch cannot be reached") from None
            self._writer = writer
            self._reading = asyncio.create_task(self._read(reader, writer))
            return writer

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        decoder, why = FrameDecoder(), "the line ended"
        try:
            while data := await reader.read(LINE_READ_BYTES):
                for frame in decoder.feed(data):
                    self._hand_over(frame.body)
        except (CallerError, OSError) as error:
            why = str(error)
        finally:
            writer.close()
            if self._writer is writer:
                self._drop(why)

    def _hand_over(self, body: bytes) -> None:
        self._heard += 1
        message = decode(body)
        key = (message.mti, message.fields.get(41, ""), message.fields.get(11, ""))
        waiting = self._waiting.get(key)
        if waiting is None or waiting.done():
            _log.warning("answer_to_nobody", mti=message.mti, stan=key[2])
            return
        waiting.set_result((message, body))

    def _drop(self, why: str) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(OperatingError("timeout", why))
