"""What a program says to whoever started it: that it serves, and that its loop still turns.

To a person or a parent: one JSON line on the standard output. To systemd, where it is the one
(sd_notify(3), sd_watchdog_enabled(3)): ``READY=1``, and ``WATCHDOG=1`` twice as often as it wants.

Rule: the watchdog's word comes from the program's own loop. A loop that stands still says nothing,
and systemd starts the program anew.
"""

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

_S_PER_US = 1e-6


def say_ready(said: Mapping[str, object], environment: Mapping[str, str] = os.environ) -> None:
    """The program serves: ``said`` is what its starter must know, such as its ports."""
    sys.stdout.write(json.dumps({"ready": True, **said}) + "\n")
    sys.stdout.flush()
    _tell("READY=1", environment)


@asynccontextmanager
async def watched(environment: Mapping[str, str] = os.environ) -> AsyncIterator[None]:
    """Say that the loop turns, from now to the end of the block, if systemd wants to know."""
    every_s = _watchdog_s(environment) / 2
    if not every_s:
        yield
        return
    pulse = asyncio.create_task(_pulse(every_s, environment))
    try:
        yield
    finally:
        pulse.cancel()


def _watchdog_s(environment: Mapping[str, str]) -> float:
    """How long systemd waits for a word of this process; 0: it does not ask."""
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0
    wanted = environment.get("WATCHDOG_USEC", "")
    return int(wanted) * _S_PER_US if wanted.isdecimal() else 0


async def _pulse(every_s: float, environment: Mapping[str, str]) -> None:
    while True:
        _tell("WATCHDOG=1", environment)
        await asyncio.sleep(every_s)


def _tell(word: str, environment: Mapping[str, str]) -> None:
    """A datagram to systemd's socket: a path, or a name in the abstract space, shown with an @."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line, suppress(OSError):
        line.sendto(word.encode(), address)
