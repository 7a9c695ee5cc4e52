"""Where tests write: into memory where there is plenty, because no test is about a disk.

A program that is killed has lost nothing that it wrote, in memory as on a disk: only a machine
that loses its power would tell the difference, and that is simulated in the process.
"""

import os
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
FREE_BYTES_MIN = 2 * 1024**3
"""What has to be free; the whole suite holds less than a third of it at a time."""


def write_into_memory() -> None:
    """Point this process and its children to memory, unless someone has chosen a folder."""
    if "TMPDIR" not in os.environ and min(_free_bytes(), _available_bytes()) >= FREE_BYTES_MIN:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


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
