"""A private Redis on a socket in a temporary folder: no port, nothing kept, no system server."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

START_TIMEOUT_S = 20
STOP_TIMEOUT_S = 10
PROBE_EVERY_S = 0.02


class NoRedis(Exception):  # noqa: N818 - it is not an error, only a reason to skip
    """Redis's server is not installed here."""


@dataclass
class RedisServer:
    """A running server; ``stop`` ends it and removes its folder."""

    folder: Path
    child: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """How programs reach it."""
        return f"unix://{self.folder}/redis.sock"

    def stop(self) -> None:
        """End it."""
        self.child.terminate()
        try:
            self.child.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def start_redis() -> RedisServer:
    """Returns when it takes connections. Raises ``NoRedis``."""
    program = shutil.which("redis-server")
    if program is None:
        raise NoRedis("redis-server is not installed")
    folder = Path(tempfile.mkdtemp(prefix="tillway-redis-"))
    settings = {"port": "0", "unixsocket": "redis.sock", "dir": str(folder), "save": "",
                "appendonly": "no"}  # fmt: skip
    words = [word for name, value in settings.items() for word in (f"--{name}", value)]
    child = subprocess.Popen(
        [program, *words], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    server = RedisServer(folder, child)
    deadline = time.monotonic() + START_TIMEOUT_S
    while not _is_listening(folder / "redis.sock"):
        if child.poll() is not None or time.monotonic() > deadline:
            server.stop()
            raise RuntimeError("redis-server did not start")
        time.sleep(PROBE_EVERY_S)
    return server


@contextmanager
def running_redis() -> Iterator[RedisServer]:
    """A server to the end of the block. Skips the test where there is none."""
    try:
        server = start_redis()
    except NoRedis as missing:
        pytest.skip(str(missing))
    yield server
    server.stop()


def _is_listening(path: Path) -> bool:
    """The file is there before anybody takes connections."""
    with socket.socket(socket.AF_UNIX) as line:
        return line.connect_ex(str(path)) == 0
