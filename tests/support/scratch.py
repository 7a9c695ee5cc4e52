"""Where tests write: into memory where there is plenty, because no test is about a disk.

A program that is killed has lost nothing that it wrote, in memory as on a disk: only a machine
that loses its power would tell the difference, and that is simulated in the process.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEMORY = Path("/dev/shm")
FREE_BYTES_MIN = 2 * 1024**3
"""What has to be free; the whole suite holds less than a third of it at a time."""


@contextmanager
def memory_to_write_to() -> Iterator[None]:
    """Point this process and its children to a folder in memory, which is gone afterwards, unless
    there is none or someone has chosen a folder. What a failed test wrote stays, as pytest does it.
    """
    if "TMPDIR" in os.environ or min(_free_bytes(), _available_bytes()) < FREE_BYTES_MIN:
        yield
        return
    folder = tempfile.mkdtemp(prefix="tillway-tests-", dir=MEMORY)
    Path(folder).chmod(0o711)  # servers that are not to run as root pass through
    os.environ |= {"TMPDIR": folder, "PYTEST_DEBUG_TEMPROOT": str(MEMORY)}
    tempfile.tempdir = folder
    yield
    shutil.rmtree(folder, ignore_errors=True)


def _free_bytes() -> int:
    """Of the file system; none if it is not there or not ours to write."""
    if not os.access(MEMORY, os.W_OK | os.X_OK):
        return 0
    state = os.statvfs(MEMORY)
    return state.f_bavail * state.f_frsize


def _available_bytes() -> int:
    """Of the machine, as the kernel counts it."""
    for line in Path("/proc/meminfo").read_text("ascii").splitlines():
        name, _, amount = line.partition(":")
        if name == "MemAvailable":
            return int(amount.split()[0]) * 1024
    return 0
