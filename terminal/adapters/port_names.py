"""The ports a configuration may name: ``/dev/…`` or ``tcp:HOST[:PORT]``; of a Modbus unit also
``modbus-tcp:HOST[:PORT]``."""

from collections.abc import Callable
from functools import partial

from protocol.errors import CallerError
from protocol.framing.modbus import RtuFraming
from protocol.framing.modbus_tcp import TcpFraming
from terminal.adapters.limits import MODBUS_TCP_PORT, TCP_PRINTER_PORT
from terminal.adapters.modbus_master import Framing
from terminal.adapters.serial_worker import Flow, Port, open_serial
from terminal.adapters.tcp_port import TcpPort

_TCP = ("tcp:", "socket://")
_MODBUS_TCP = "modbus-tcp:"


def opener_of(name: str, baud: int, flow: Flow = "none") -> Callable[[], Port]:
    """How the port of this name is opened. Over TCP neither rate nor flow is ours to choose.

    Raises ``CallerError("config_invalid")`` for a name that cannot be a port's.
    """
    for prefix in _TCP:
        if name.startswith(prefix):
            place = name.removeprefix(prefix)
            return partial(TcpPort, *_address(name, place, TCP_PRINTER_PORT))
    if name.startswith(_MODBUS_TCP):
        raise CallerError("config_invalid", f"{name!r}: only a Modbus unit has such a port")
    return partial(open_serial, name, baud, flow)


def modbus_of(name: str, baud: int) -> tuple[Callable[[], Port], Framing]:
    """How a Modbus unit's port of this name is opened, and how its frames travel there.

    Raises as ``opener_of``.
    """
    if name.startswith(_MODBUS_TCP):
        address = _address(name, name.removeprefix(_MODBUS_TCP), MODBUS_TCP_PORT)
        return partial(TcpPort, *address), TcpFraming()
    return opener_of(name, baud), RtuFraming()


def is_tcp(name: str) -> bool:
    """Whether the name is a network's, which holds us back while the far end is full."""
    return name.startswith(_TCP)


def _address(name: str, place: str, usual_port: int) -> tuple[str, int]:
    host, colon, port = place.rpartition(":")
    if not colon or place.endswith("]"):
        host, port = place, str(usual_port)
    host = host.removeprefix("[").removesuffix("]")
    is_number = port.isascii() and port.isdecimal()
    if not host or not is_number or not 1 <= int(port) <= 65_535:
        raise CallerError("config_invalid", f"{name!r} names no HOST[:PORT]")
    return host, int(port)
