"""A WebSocket that the device opens itself: the network module of an EV charger.

Rule 1: the device says ``DIAL ocpp1.6`` and hears ``CONNECT ocpp1.6`` once the central system has
taken that subprotocol, ``NO CARRIER`` where it does not, or when the connection ends; ``HANGUP``
ends it (``protocol.framing.ocppj``). Rule 2: a line is a text message, either way; a text that is
no JSON array reaches the device as ``[``, so that a peer cannot speak the module's words.
Rule 3: what the central system does not take in time is lost, and counted.
"""

import asyncio
import contextlib

import aiohttp
import structlog
from yarl import URL

from firmware_sim.limits import WS_CLOSE_WAIT_S, WS_DIAL_TIMEOUT_S, WS_LINES_WAITING_MAX
from firmware_sim.transports.line import LINE_TASK, Hear
from protocol.errors import CallerError
from protocol.framing import ocppj
from protocol.framing.limits import OCPP_LINE_BYTES_MAX

_NOT_A_MESSAGE = b"[\n"
log = structlog.get_logger()


class WsLine:
    """The device's network module. ``url`` may hold a user and a password for Basic auth."""

    def __init__(self, url: str) -> None:
        self._url = url_of(url)
        self._hear: Hear | None = None
        self._said = ocppj.LineParser()
        self._to_send: asyncio.Queue[str] | None = None
        self._talk: asyncio.Task[None] | None = None

    @property
    def client_path(self) -> str:
        """The central system's address, without a password."""
        return str(self._url.with_user(None).with_password(None))

    @property
    def client_baud(self) -> int | None:
        """A network has no rate."""
        return None

    def open(self, hear: Hear) -> None:
        """As ``Line.open``."""
        self._hear = hear

    def write(self, data: bytes) -> int:
        """As ``Line.write``: takes the device's lines, whole or in pieces."""
        lost = 0
        for line in self._said.feed(data):
            if line.startswith(ocppj.DIAL):
                self._dial(line[len(ocppj.DIAL) :].strip().decode("ascii", errors="replace"))
            elif line.startswith(ocppj.HANGUP):
                self._hang_up()
            else:
                lost += self._send(line.decode("utf-8", errors="replace"))
        return lost

    def tune(self, baud: int) -> None:
        """A network has no rate."""

    def hold(self, *, is_held: bool) -> None:
        """Messages are small and are taken as they come."""

    def close(self) -> None:
        """As ``Line.close``."""
        self._hear = None
        self._hang_up()

    def _send(self, text: str) -> int:
        if self._to_send is None or self._to_send.full():
            return len(text)
        self._to_send.put_nowait(text)
        return 0

    def _hang_up(self) -> None:
        self._to_send = None
        if self._talk is not None:
            self._talk.cancel()
            self._talk = None

    def _dial(self, subprotocol: str) -> None:
        self._hang_up()
        name = f"{LINE_TASK} {self.client_path}"
        self._talk = asyncio.get_running_loop().create_task(self._run(subprotocol), name=name)

    async def _run(self, subprotocol: str) -> None:
        """One connection, from the dial to its end."""
        mine = asyncio.current_task()
        try:
            await self._converse(subprotocol)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            log.info("sim_ws_ended", url=self.client_path, error=type(error).__name__)
        if self._talk is mine:
            self._to_send = self._talk = None
            self._tell(ocppj.module_line(ocppj.NO_CARRIER))

    async def _converse(self, subprotocol: str) -> None:
        close_wait = aiohttp.ClientWSTimeout(ws_close=WS_CLOSE_WAIT_S)
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(WS_DIAL_TIMEOUT_S)) as session,
            session.ws_connect(
                self._url, protocols=(subprotocol,), timeout=close_wait,
                max_msg_size=OCPP_LINE_BYTES_MAX,
            ) as ws,
        ):  # fmt: skip
            if ws.protocol != subprotocol:
                return
            self._to_send = asyncio.Queue(WS_LINES_WAITING_MAX)
            self._tell(ocppj.module_line(ocppj.CONNECT, subprotocol))
            sending = asyncio.create_task(_send_all(ws, self._to_send))
            try:
                async for message in ws:
                    if message.type is aiohttp.WSMsgType.TEXT:
                        self._tell(_line_of(message.data))
            finally:
                sending.cancel()
                with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                    await sending

    def _tell(self, line: bytes) -> None:
        if self._hear is not None:
            self._hear(line)


def url_of(text: str) -> URL:
    """The address of a central system; its refusal does not repeat the text, which may hold a
    password."""
    try:
        url = URL(text)
        if url.scheme in {"ws", "wss"} and url.host:
            return url
    except ValueError:
        pass
    raise CallerError(
        "config_invalid",
        "the transport is no ws://HOST:PORT/path URL",
        detail_zh="连接方式不是 ws://HOST:PORT/path 网址",
    )


async def _send_all(ws: aiohttp.ClientWebSocketResponse, lines: asyncio.Queue[str]) -> None:
    while True:
        await ws.send_str(await lines.get())


def _line_of(text: str) -> bytes:
    """A raw line break in JSON stands between its parts only, where a space does as well."""
    line = text.replace("\n", " ").strip()
    return line.encode() + b"\n" if line.startswith("[") else _NOT_A_MESSAGE
