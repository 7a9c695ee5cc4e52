"""The ports that a stack is to have, and whether it can have them."""

import random
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

from protocol.errors import OperatingError

HOST = "127.0.0.1"
_GIVEN = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST, _GIVEN_FROM_ELSEWHERE = 10_000, 32_768


@dataclass(frozen=True, slots=True)
class Ports:
    """Fixed ports for the pages; 0 lets the system choose."""

    backend_public: int = 0
    backend_hub: int = 0
    hub_mqtt: int = 0
    hub_coap: int = 0
    hub_http: int = 0
    till: int = 0

    def refuse_taken(self) -> None:
        """``OperatingError("port_taken")`` names one that somebody holds: before anything starts,
        and not after all that starts before the program that wants it."""
        for name, port in asdict(self).items():
            if port:
                _try(port, socket.SOCK_DGRAM if name == "hub_coap" else socket.SOCK_STREAM)


def lasting_port() -> int:
    """A port, free for TCP and UDP just now, for what cannot choose one itself or comes back at the
    same place.

    It is none of those that the system gives to each connection's near end: while nobody listens
    there, any connection of this machine might get such a one.
    """
    given_from = int(_GIVEN.read_text().split()[0]) if _GIVEN.exists() else _GIVEN_FROM_ELSEWHERE
    while True:
        port = random.SystemRandom().randrange(_LOWEST, given_from)
        if all(_is_free(port, kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)):
            return port


def _is_free(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _try(port: int, kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:  # connections that have ended hold no port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise OperatingError("port_taken", f"{HOST}:{port} ({error.strerror})") from None
