"""Ports for what ends in a test and comes back at the same place.

A port that the system gave for nothing (``port = 0``) lies in the range from which it also gives
each connection its near end: while nobody listens there, any connection of this machine may get it.
"""

import random
import socket
from contextlib import closing
from pathlib import Path

_LOOPBACK = "127.0.0.1"
_GIVEN = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST, _GIVEN_FROM_ELSEWHERE = 10_000, 32_768


def lasting_port() -> int:
    """A port, free for TCP and UDP just now, that the system gives to no connection by itself."""
    given_from = int(_GIVEN.read_text().split()[0]) if _GIVEN.exists() else _GIVEN_FROM_ELSEWHERE
    while True:
        port = random.SystemRandom().randrange(_LOWEST, given_from)
        if all(_is_free(port, kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)):
            return port


def _is_free(port: int, kind: socket.SocketKind) -> bool:
    with closing(socket.socket(socket.AF_INET, kind)) as probe:
        try:
            probe.bind((_LOOPBACK, port))
        except OSError:
            return False
    return True
