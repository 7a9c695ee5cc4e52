"""Fetching firmware from the store's hub, a file at a time, going on where a cut left it.

Rule 1: nothing is installed before the whole file has the digest that the backend signed for.
Rule 2: one fetch at a time: a wish that is taken back and comes again finds the thread of before,
        which nothing can stop, still at the same file.
"""

import hashlib
import http.client
import io
import os
import socket
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

from protocol.errors import CallerError, OperatingError
from protocol.limits import FIRMWARE_BYTES_MAX
from terminal.adapters.limits import FIRMWARE_READ_BYTES, FIRMWARE_WAIT_S
from transport.contexts import ClientTls
from transport.failures import why
from transport.sockets import TlsSocket

_OK, _PARTIAL, _UNKNOWN = 200, 206, 404


class FirmwareDownload:
    """As ``FirmwareSource``. Blocking: call it on a thread."""

    def __init__(self, directory: Path, *, host: str, port: int, tls: ClientTls) -> None:
        self._directory = directory
        self._host, self._port = host, port
        self._tls = tls
        self._turn = threading.Lock()

    def fetch(self, digest: str, size: int) -> bytes:
        """The whole file. ``OperatingError`` where the hub does not answer (what came is kept) or
        hands out another file (``firmware_damaged``: it may have the right one later), or where the
        disk takes nothing (``file_unwritable``); ``firmware_unknown`` where the hub has none."""
        try:
            with self._turn:
                return self._fetch(digest, size)
        except OSError as error:
            raise OperatingError("file_unwritable", f"firmware: {error.strerror}") from error

    def _fetch(self, digest: str, size: int) -> bytes:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self._directory / f"{digest}.part"
        for _ in range(1 + part.is_file()):  # a power cut may have torn what was kept of it
            if not part.is_file() or part.stat().st_size < size:
                self._ask(digest, size, part)
            with part.open("rb") as file:
                data = file.read(FIRMWARE_BYTES_MAX + 1)
            if hashlib.sha256(data).hexdigest() == digest:
                return data
            part.unlink()
        raise OperatingError("firmware_damaged", "hub: another file than was signed for")

    def forget(self, digest: str) -> None:
        """The file is not needed any more."""
        (self._directory / f"{digest}.part").unlink(missing_ok=True)

    def _ask(self, digest: str, size: int, part: Path) -> None:
        have = part.stat().st_size if part.is_file() else 0
        try:
            with (
                socket.create_connection((self._host, self._port), FIRMWARE_WAIT_S) as plain,
                closing(self._tls.wrap_socket(plain, server_hostname=self._host)) as tls,
            ):
                self._read(tls, digest, part, have=have, size=size)
        except (OSError, http.client.HTTPException) as error:
            raise OperatingError("backend_unreachable", f"hub: {why(error)}") from error

    def _read(self, tls: TlsSocket, digest: str, part: Path, *, have: int, size: int) -> None:
        head = (
            f"GET /firmware/{digest} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n"
            f"Range: bytes={have}-\r\nConnection: close\r\n\r\n"
        ).encode("ascii")
        while head:
            head = head[tls.send(head) :]
        answer = http.client.HTTPResponse(_Readable(tls))  # type: ignore[arg-type]  # all it uses
        answer.begin()
        if answer.status == _UNKNOWN:
            raise CallerError("firmware_unknown", digest[:16])
        if answer.status not in {_OK, _PARTIAL}:
            raise OperatingError("backend_unreachable", f"hub: status {answer.status}")
        offset = have if answer.status == _PARTIAL else 0
        with part.open("r+b" if part.is_file() else "xb") as file:
            file.truncate(offset)
            file.seek(offset)
            while some := answer.read(FIRMWARE_READ_BYTES):
                offset += len(some)
                if offset > size:
                    raise OperatingError("backend_unreachable", "hub: more than was announced")
                file.write(some)
            file.flush()
            os.fsync(file.fileno())


class _Readable(io.RawIOBase):
    """A TLS socket as the file that ``http.client`` reads from."""

    def __init__(self, tls: TlsSocket) -> None:
        self._tls = tls

    def makefile(self, _mode: str) -> io.BufferedReader:
        """The socket itself, as ``http.client`` asks for it."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """True, as ``io.RawIOBase`` asks."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401  # as RawIOBase has it
        """Some bytes, none at the end."""
        some = self._tls.recv(len(buffer))
        buffer[: len(some)] = some
        return len(some)
