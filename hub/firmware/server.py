"""``GET /firmware/{digest}``: for the devices of this store, by their client certificates. A device
that was cut off asks on from the byte that it has (``Range``)."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import structlog
from aiohttp import web

from hub import limits
from hub.firmware.limits import READ_BYTES, STOP_S
from hub.firmware.store import FirmwareStore
from hub.http_door import HttpDoor, HttpStreet
from protocol.errors import CallerError, OperatingError, TillwayError
from protocol.tls import peer_of
from transport.contexts import ServerTls
from transport.streams import accept

log = structlog.get_logger("hub.firmware")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_RANGE = re.compile(r"bytes=(\d{1,9})-")
_OK, _PARTIAL, _NO_RANGE = 200, 206, 416
_KINDS = frozenset({"terminal", "thing"})


class FirmwareServer:
    """Serves from ``start`` to ``stop``. ``port`` is where."""

    def __init__(
        self,
        store: FirmwareStore,
        *,
        admits: Callable[[str], bool],
        host: str,
        port: int,
        tls: ServerTls,
        refused: Callable[[str, str], None],
    ) -> None:
        """``refused`` counts whom there was no place for."""
        self._store = store
        self._admits = admits
        app = web.Application()
        app.router.add_get("/firmware/{digest}", self._get)
        self._door = HttpDoor(
            HttpStreet(
                name="firmware",
                host=host,
                port=port,
                connections_max=limits.HTTP_FIRMWARE_MAX,
                silent_per_address_max=limits.HTTP_FIRMWARE_SILENT_PER_ADDRESS_MAX,
            ),
            app,
            greet=lambda line, sock: accept(tls, line, sock, greeting_s=limits.HTTP_TLS_TIMEOUT_S),
            refused=refused,
            stop_s=STOP_S,
        )

    @property
    def port(self) -> int:
        """Where devices ask."""
        return self._door.port

    async def start(self) -> None:
        """Returns when devices can ask; ``port_taken`` where somebody else listens."""
        await self._door.start()

    async def stop(self) -> None:
        """Let the downloads that run go on for a moment, then end."""
        await self._door.stop()

    async def _get(self, request: web.Request) -> web.StreamResponse:
        digest = request.match_info["digest"]
        try:
            device = self._device(request)
            if _DIGEST.fullmatch(digest) is None:
                raise CallerError("firmware_unknown", "no digest")
            path = await self._store.file(digest)
        except TillwayError as error:
            status = 503 if isinstance(error, OperatingError) else _STATUS.get(error.code, 404)
            log.info("firmware_not_given", code=error.code, detail=error.detail)
            return web.json_response({"error": error.to_wire()}, status=status)
        log.info("firmware_given", device=device, digest=digest)
        return await _send(request, path)

    def _device(self, request: web.Request) -> str:
        """Who asks; ``identity_mismatch`` for no device, ``device_unknown`` for none of ours."""
        tls = request.transport.get_extra_info("ssl_object") if request.transport else None
        peer = peer_of(tls.getpeercert() if tls is not None else None)
        if peer.kind not in _KINDS:
            raise CallerError("identity_mismatch", f"a {peer.kind}")
        if not self._admits(peer.name):
            raise CallerError("device_unknown", peer.name)
        return peer.name


async def _send(request: web.Request, path: Path) -> web.StreamResponse:
    """The file, or what is left of it from a byte on. (aiohttp's own answer of files needs a
    transport that the system can copy to, which TLS of ours is not.)"""
    size = (await asyncio.to_thread(path.stat)).st_size
    wanted = _RANGE.fullmatch(request.headers.get("Range", ""))
    offset = int(wanted.group(1)) if wanted is not None else 0
    if offset > size:
        return web.Response(status=_NO_RANGE)
    headers = {"Content-Range": f"bytes {offset}-{size - 1}/{size}"} if offset else {}
    answer = web.StreamResponse(status=_PARTIAL if offset else _OK, headers=headers)
    answer.content_length = size - offset
    await answer.prepare(request)
    with path.open("rb") as file:
        file.seek(offset)
        while some := await asyncio.to_thread(file.read, READ_BYTES):
            await answer.write(some)
    await answer.write_eof()
    return answer


_STATUS = {"identity_mismatch": 403, "device_unknown": 403}
