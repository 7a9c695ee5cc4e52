"""One stack per directory, and an end on SIGTERM as on Ctrl-C."""

import contextlib
import fcntl
import signal
from collections.abc import Iterator
from pathlib import Path

from protocol.errors import CallerError
from tillway.private_files import make_directory


@contextlib.contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Make the directory and hold it; a second holder is told so, and who may not write there."""
    try:
        make_directory(directory)
        opened = (directory / ".lock").open("w")
    except OSError as error:
        raise CallerError("config_invalid", f"{directory}: {error.strerror}") from None
    with opened as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CallerError(
                "config_invalid", f"a stack is running in {directory}; give --directory another"
            ) from None
        yield


@contextlib.contextmanager
def signals_raise() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does: every program is stopped."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
