"""Disks without room, and with room again."""

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

Grow = Callable[[], None]


@contextmanager
def no_larger_files(limit_bytes: int) -> Iterator[Grow]:
    """No file of this process grows beyond a size, until ``grow``: the kernel refuses the write."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def grow() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        yield grow
    finally:
        grow()


@contextmanager
def small_disk(path: Path) -> Iterator[Grow]:
    """A file system of its own of 256 KiB (ENOSPC), until ``grow``."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(path)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no right to mount a file system")
    try:
        yield lambda: _run("mount", "-o", "remount,size=16m", str(path))
    finally:
        _run("umount", "-l", str(path))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
