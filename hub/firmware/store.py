"""Firmware files of the hub: each is fetched once, goes on where a cut left it, and is checked.

Rule 1: a file under its own name was whole when it came; what is on its way ends in ``.part``.
        Disks forget, so its digest is looked at again whenever it is handed out: what is damaged
        is given to nobody, and fetched anew.
Rule 2: however many devices ask for a file, it is fetched once.
Rule 3: what is on its way counts as what is kept, also what an earlier run left unfinished; what is
        fetched right now is never taken away for the sake of another.
"""

import asyncio
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from weakref import WeakValueDictionary

import structlog

from hub.firmware.limits import FETCHES_MAX, STORE_BYTES_MAX
from protocol.errors import CallerError, OperatingError
from protocol.limits import FIRMWARE_BYTES_MAX

log = structlog.get_logger("hub.firmware")
FIRMWARE_DIRECTORY = "firmware"
"""In the hub's state directory."""
_PART = ".part"


class FirmwareLine(Protocol):
    """Where firmware comes from."""

    async def firmware(self, digest: str, *, offset: int) -> bytes:
        """Some bytes from an offset on; none at the end. ``OperatingError`` where there is no
        answer, ``CallerError`` for what the backend does not have."""
        ...


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that was whole when it was stored, and whether it still is."""

    digest: str
    size: int
    is_whole: bool


def kept_files(directory: Path) -> Iterator[KeptFile]:
    """What is kept in a hub's directory, read from its disk and compared with its digests."""
    for path in sorted(directory.iterdir()) if directory.is_dir() else ():
        if path.suffix != _PART:
            yield KeptFile(path.name, path.stat().st_size, _has_digest(path, path.name))


class FirmwareStore:
    """One directory. Owned by the event loop."""

    def __init__(self, directory: Path, line: FirmwareLine) -> None:
        self._directory = directory
        self._line = line
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """Of each digest, for as long as anybody holds it or waits for it."""
        self._fetches = asyncio.Semaphore(FETCHES_MAX)
        self._coming: set[Path] = set()
        self.fetched_bytes = 0
        self.damaged = 0
        """Files found damaged since the start."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._make_room(0)

    async def file(self, digest: str) -> Path:
        """The whole file, fetched if it is not here, or damaged. ``firmware_unknown`` if there is
        none, and ``OperatingError`` for not now: the backend does not answer (what came so far is
        kept), ``firmware_damaged`` came from it, or the disk takes nothing."""
        path = self._directory / digest
        try:
            async with self._locks.setdefault(digest, asyncio.Lock()):
                if not await self._is_kept(digest, path):
                    async with self._fetches:
                        await self._fetch(digest, path)
                os.utime(path)
        except OSError as error:
            raise OperatingError("spool_unwritable", f"firmware: {error}") from error
        return path

    async def _is_kept(self, digest: str, path: Path) -> bool:
        if await asyncio.to_thread(_has_digest, path, digest):
            return True
        if await asyncio.to_thread(_drop, path):
            self._note_damage(digest, "kept")
        return False

    def _note_damage(self, digest: str, where: str) -> None:
        self.damaged += 1
        log.warning("firmware_damaged", digest=digest, where=where)

    async def _fetch(self, digest: str, path: Path) -> None:
        part = path.with_suffix(_PART)
        self._coming.add(part)
        try:
            await self._complete(digest, path)
        finally:
            self._coming.remove(part)

    async def _complete(self, digest: str, path: Path) -> None:
        part = path.with_suffix(_PART)
        offset = part.stat().st_size if part.is_file() else 0
        while some := await self._line.firmware(digest, offset=offset):
            if offset + len(some) > FIRMWARE_BYTES_MAX:
                part.unlink(missing_ok=True)
                raise CallerError("firmware_refused", "longer than firmware may be")
            self._make_room(len(some))
            await asyncio.to_thread(_append, part, some, offset)
            offset += len(some)
            self.fetched_bytes += len(some)
        if not await asyncio.to_thread(_has_digest, part, digest):
            self._note_damage(digest, "came")
            part.unlink(missing_ok=True)
            raise OperatingError("firmware_damaged", "as it came; it begins anew")
        part.replace(path)
        log.info("firmware_kept", digest=digest, bytes=offset)

    def _make_room(self, wanted: int) -> None:
        kept = [(one.stat().st_mtime, one.stat().st_size, one) for one in self._directory.iterdir()]
        total = sum(size for _, size, _ in kept) + wanted
        for _, size, oldest in sorted(kept):
            if total <= STORE_BYTES_MAX:
                return
            if oldest not in self._coming:
                total -= size
                oldest.unlink()


def _append(part: Path, some: bytes, offset: int) -> None:
    """Write at the offset, so that a write that a crash tore apart is written over."""
    with part.open("r+b" if part.is_file() else "xb") as file:
        file.seek(offset)
        file.write(some)
        file.flush()
        os.fsync(file.fileno())


def _has_digest(path: Path, digest: str) -> bool:
    """Whether the file is there and says what it is named by; not one that the disk cannot read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == digest
    except FileNotFoundError:
        return False
    except OSError as error:
        log.warning("firmware_unreadable", digest=digest, detail=str(error))
        return False


def _drop(path: Path) -> bool:
    """Take the file away; whether there was one."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True
