"""One charger's WebSocket: its calls in their order, ours one at a time (OCPP-J §4.1.1).

Rule 1: reading never waits for a charger's answer to us, so neither side can wait for the other.
Rule 2: every queue has an end: a charger that calls faster than we work is not read; what we would
        tell one that does not answer is dropped, oldest first, and said again when it matters.
"""

import asyncio
import itertools
from collections import deque
from dataclasses import dataclass

import structlog
from aiohttp import WebSocketError, WSCloseCode, WSMsgType, web

from hub.ocpp.answering import Answering
from hub.ocpp.dialect import Json
from hub.ocpp.limits import (
    CALL_TIMEOUT_S,
    CALLS_OPEN_MAX,
    MESSAGE_BYTES_MAX,
    UNREAD_CHARS_MAX,
)
from protocol.framing import ocppj
from protocol.framing.ocppj import BadMessage, Call, CallError, CallResult

log = structlog.get_logger("hub.ocpp")


@dataclass(frozen=True, slots=True)
class _Call:
    action: str
    payload: Json
    shows: int | None


class Outbox:
    """Our calls to one charger, oldest first."""

    def __init__(self) -> None:
        self._calls: deque[_Call] = deque()
        self._is_filled = asyncio.Event()

    def put(self, action: str, payload: Json, *, shows: int | None = None) -> None:
        """Queue a call. What the display of a connector is shown replaces what that was to be shown
        before, and gives way first where there is no room."""
        if shows is not None:
            self._calls = deque(one for one in self._calls if one.shows != shows)
        if len(self._calls) >= CALLS_OPEN_MAX:
            shown = (one for one in self._calls if one.shows is not None)
            self._calls.remove(next(shown, self._calls[0]))
        self._calls.append(_Call(action, payload, shows))
        self._is_filled.set()

    async def take(self) -> tuple[str, Json]:
        """The next call, when there is one."""
        while not self._calls:
            self._is_filled.clear()
            await self._is_filled.wait()
        call = self._calls.popleft()
        return call.action, call.payload


class Connection:
    """Serves one connected charger until it goes."""

    def __init__(
        self, name: str, socket: web.WebSocketResponse, answering: Answering, outbox: Outbox
    ) -> None:
        self._name = name
        self._socket = socket
        self._answering = answering
        self._outbox = outbox
        self._calls: asyncio.Queue[tuple[Call | BadMessage, str]] = asyncio.Queue(CALLS_OPEN_MAX)
        self._answers: dict[str, asyncio.Future[CallResult | CallError]] = {}
        self._numbers = itertools.count(1)

    async def serve(self) -> None:
        """Until the socket is closed from either side."""
        workers = [asyncio.create_task(self._work()), asyncio.create_task(self._say())]
        try:
            async for message in self._socket:
                if message.type is WSMsgType.TEXT:
                    await self._hear(message.data)
                    continue
                if message.type is WSMsgType.BINARY:
                    await self._socket.close(code=WSCloseCode.UNSUPPORTED_DATA)
                    await self._answering.line_broken("WebSocket 1003: no message is binary")
                elif isinstance(message.data, WebSocketError):
                    why = f"WebSocket {int(message.data.code)}: {message.data}"
                    await self._answering.line_broken(why)
                break
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def close(self) -> None:
        """Close the connection from our side."""
        await self._socket.close()

    async def _hear(self, line: str) -> None:
        if len(line) > MESSAGE_BYTES_MAX:
            message: ocppj.Message = BadMessage("", f"{len(line)} characters are too many")
            line = line[:UNREAD_CHARS_MAX]
        else:
            message = ocppj.decode(line.encode())
        match message:
            case Call() | BadMessage():
                await self._calls.put((message, line))
            case CallResult() | CallError():
                waiting = self._answers.get(message.message_id)
                if waiting is not None and not waiting.done():
                    waiting.set_result(message)

    async def _work(self) -> None:
        while True:
            heard, line = await self._calls.get()
            if isinstance(heard, Call):
                await self._send(await self._answering.answer(heard))
            elif (answer := await self._answering.answer_bad(heard, line)) is not None:
                await self._send(answer)

    async def _say(self) -> None:
        while True:
            action, payload = await self._outbox.take()
            message_id = f"tillway-{next(self._numbers)}"
            future = asyncio.get_running_loop().create_future()
            self._answers[message_id] = future
            try:
                await self._send(Call(message_id, action, payload))
                async with asyncio.timeout(CALL_TIMEOUT_S):
                    answer = await future
            except TimeoutError:
                log.warning("charger_silent", charger=self._name, action=action)
                continue
            finally:
                self._answers.pop(message_id, None)
            if isinstance(answer, CallError):
                log.info("charger_refused", charger=self._name, action=action, code=answer.code)

    async def _send(self, message: Call | CallResult | CallError) -> None:
        if not self._socket.closed:
            await self._socket.send_str(ocppj.encode(message).decode("ascii").rstrip("\n"))
