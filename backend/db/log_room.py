"""Room in SQLite's write-ahead log beyond what is used of it.

A commit that makes the file longer makes the disk write twice, the data and the file's new length;
one that stays within it, once. So when a commit had to make it longer, zeros are put behind it, and
the commits that follow stay within. Recovery reads a log up to the first frame that is not one
(sqlite.org/fileformat2.html §4.1), and zeros are none.

Rule 1: ``keep`` is called by whoever holds SQLite's write lock: nobody else can be writing there.
Rule 2: no room is not an error: a disk that is nearly full is left alone.
"""

import os
from pathlib import Path

import structlog

from backend.db.limits import (
    LOG_ROOM_BYTES_MIN,
    LOG_ROOM_DISK_SHARE,
    LOG_ROOM_STEP_BYTES_MAX,
    LOG_ROOM_STEP_BYTES_MIN,
)

_BLOCK = bytes(1024 * 1024)
_log = structlog.get_logger()


class LogRoom:
    """One database's log. None as its path: a database in memory, which has no log."""

    def __init__(self, database: Path | None) -> None:
        self._path = None if database is None else Path(f"{database}-wal")
        self._size = 0

    def keep(self) -> None:
        """Make room, if the log has become longer since the last time."""
        if self._path is None:
            return
        try:
            size = os.stat(self._path).st_size  # noqa: PTH116  # once a group: no Path for it
            if self._size < size >= LOG_ROOM_BYTES_MIN:
                size = _extend(self._path, size)
        except OSError as error:
            _log.warning("log_room_missing", reason=error.strerror)
            self._path = None
            return
        self._size = size


def _extend(path: Path, size: int) -> int:
    """The file's length now."""
    step = max(LOG_ROOM_STEP_BYTES_MIN, min(size, LOG_ROOM_STEP_BYTES_MAX))
    disk = os.statvfs(path)
    if disk.f_bavail * disk.f_frsize < step * LOG_ROOM_DISK_SHARE:
        return size
    with path.open("r+b") as file:
        file.seek(size)
        for begin in range(0, step, len(_BLOCK)):
            file.write(_BLOCK[: step - begin])
    return size + step
