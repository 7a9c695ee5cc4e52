"""The file that a command writes its answer into: whole, or what it was before."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from backend.risk.table_faults import Fault


@contextmanager
def answer_file(out: Path, *read: Path) -> Iterator[BinaryIO]:
    """Write beside, then rename: what was begun and not ended goes. It is opened before the work
    begins, so that what cannot be written is told then. Raises ``CallerError`` where it would be
    written over a file that is ``read``, and ``OSError``."""
    if out.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(out))
    if out.exists() and any(path.exists() and out.samefile(path) for path in read):
        raise Fault("would be written over itself", "不能覆盖输入文件").refusal(out.name)
    beside = out.with_name(f".{out.name}.part")
    try:
        with beside.open("wb") as file:
            yield file
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)
