"""Transport spec strings: ``memory:[NAME]``, ``pty``, ``tcp:[HOST:]PORT``,
``rfc2217:[HOST:]PORT``, ``serial:/dev/…``, ``ws://HOST:PORT/path``.

A device listens on the loopback unless a host is named; over ``ws:`` it calls out.
"""

from collections.abc import Callable

from firmware_sim.transports.line import Line
from firmware_sim.transports.memory import MemoryLine
from firmware_sim.transports.pty import PtyLine
from firmware_sim.transports.serial_port import SerialPortLine
from firmware_sim.transports.tcp import TcpLine
from firmware_sim.transports.ws import WsLine
from protocol.errors import CallerError

KNOWN = ("memory:", "pty", "tcp:[HOST:]PORT", "rfc2217:[HOST:]PORT", "serial:/dev/...", "ws://...")
_LOOPBACK = "127.0.0.1"


def open_line(spec: str, baud: int = 9600) -> Line:
    """Open the line a spec names; a real port runs at ``baud``.

    Raises ``CallerError("config_invalid")`` for a spec that names none, ``OperatingError``
    (``port_taken``, ``port_unusable``) where it cannot be opened.
    """
    name, _, rest = spec.partition(":")
    openers: dict[str, Callable[[], Line]] = {
        "memory": lambda: MemoryLine(spec),
        "tcp": lambda: TcpLine(*_address(spec, rest)),
        "rfc2217": lambda: TcpLine(*_address(spec, rest), with_settings=True),
        "serial": lambda: SerialPortLine(rest, baud),
        "ws": lambda: WsLine(spec),
        "wss": lambda: WsLine(spec),
    }
    if spec == "pty":
        return PtyLine(baud)
    if ":" not in spec or name not in openers:
        raise CallerError("config_invalid", f"transport {spec!r} is not one of {', '.join(KNOWN)}")
    return openers[name]()


def _address(spec: str, rest: str) -> tuple[str, int]:
    host, _, port = rest.rpartition(":")
    if not port.isascii() or not port.isdecimal() or int(port) > 65_535:
        raise CallerError("config_invalid", f"transport {spec!r}: the port is 0 to 65535")
    return host or _LOOPBACK, int(port)
