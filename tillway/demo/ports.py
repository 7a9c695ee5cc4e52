"""The ports that a stack is to have, and whether it can have them."""

import socket
from dataclasses import asdict, dataclass

from protocol.errors import OperatingError

HOST = "127.0.0.1"


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


def _try(port: int, kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:  # connections that have ended hold no port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise OperatingError("port_taken", f"{HOST}:{port} ({error.strerror})") from None
