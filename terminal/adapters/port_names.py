"""The ports a configuration may name: ``/dev/…`` or ``tcp:HOST[:PORT]``."""

from collections.abc import Callable
from functools import partial

from protocol.errors import CallerError
from terminal.adapters.limits import TCP_PRINTER_PORT
from terminal.adapters.serial_worker import Flow, Port, open_serial
from terminal.adapters.tcp_port import TcpPort

_TCP = ("tcp:", "socket://")


def opener_of(name: str, baud: int, flow: Flow = "none") -> Callable[[], Port]:
    """How the port of this name is opened. Over TCP neither rate nor flow is ours to choose.

    Raises ``CallerError("config_invalid")`` for a name that cannot be a port's.
    """
    for prefix in _TCP:
        if name.startswith(prefix):
            return partial(TcpPort, *_address(name, name.removeprefix(prefix)))
    return partial(open_serial, name, baud, flow)


def is_tcp(name: str) -> bool:
    """Whether the name is a network's, which holds us back while the far end is full."""
    return name.startswith(_TCP)


def _address(name: str, place: str) -> tuple[str, int]:
    host, colon, port = place.rpartition(":")
    if not colon or place.endswith("]"):
        host, port = place, str(TCP_PRINTER_PORT)
    host = host.removeprefix("[").removesuffix("]")
    is_number = port.isascii() and port.isdecimal()
    if not host or not is_number or not 1 <= int(port) <= 65_535:
        raise CallerError("config_invalid", f"{name!r} is not tcp:HOST[:PORT]")
    return host, int(port)
