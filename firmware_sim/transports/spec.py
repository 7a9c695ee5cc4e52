"""Transport spec strings: ``memory:[NAME]``, ``pty``, ``tcp:[HOST:]PORT``,
``rfc2217:[HOST:]PORT``, ``serial:/dev/…``, ``ws://HOST:PORT/path``.

A device listens on the loopback unless a host is named; over ``ws:`` it calls out.
"""

from collections.abc import Callable

from firmware_sim.nearest import nearest
from firmware_sim.transports.line import Line
from firmware_sim.transports.memory import MemoryLine
from firmware_sim.transports.pty import PtyLine
from firmware_sim.transports.serial_port import SerialPortLine
from firmware_sim.transports.tcp import TcpLine
from firmware_sim.transports.ws import WsLine, url_of
from protocol.errors import CallerError

KNOWN = ("memory:", "pty", "tcp:[HOST:]PORT", "rfc2217:[HOST:]PORT", "serial:/dev/...", "ws://...")
_NAMES = ("memory", "pty", "tcp", "rfc2217", "serial", "ws", "wss")
_LOOPBACK = "127.0.0.1"


def open_line(spec: str, baud: int = 9600) -> Line:
    """Open the line a spec names; a real port runs at ``baud``.

    Raises ``CallerError("config_invalid")`` for a spec that names none, ``OperatingError``
    (``port_taken``, ``port_unusable``) where it cannot be opened.
    """
    check_spec(spec)
    name, _, rest = spec.partition(":")
    openers: dict[str, Callable[[], Line]] = {
        "pty": lambda: PtyLine(baud),
        "memory": lambda: MemoryLine(spec),
        "tcp": lambda: TcpLine(*_address(spec, rest)),
        "rfc2217": lambda: TcpLine(*_address(spec, rest), with_settings=True),
        "serial": lambda: SerialPortLine(rest, baud),
        "ws": lambda: WsLine(spec),
        "wss": lambda: WsLine(spec),
    }
    return openers[name]()


def check_spec(spec: str) -> None:
    """Raises ``CallerError("config_invalid")`` for a spec that names no line; opens none."""
    name, colon, rest = spec.partition(":")
    if (name == "pty") == bool(colon) or name not in _NAMES:
        near = nearest(name, _NAMES)
        known, known_zh = ", ".join(KNOWN), "、".join(KNOWN)
        hint = f"; did you mean {near!r}?" if near and near != name else ""
        hint_zh = f"；是不是 {near!r}？" if near and near != name else ""
        raise CallerError(
            "config_invalid",
            f"transport {spec!r} is not one of {known}{hint}",
            detail_zh=f"没有 {spec!r} 这种连接方式，可以写：{known_zh}{hint_zh}",
        )
    if name in ("tcp", "rfc2217"):
        _address(spec, rest)
    elif name in ("ws", "wss"):
        url_of(spec)
    elif name == "serial" and not rest:
        raise CallerError(
            "config_invalid",
            f"transport {spec!r} names no port, such as serial:/dev/ttyUSB0",
            detail_zh=f"连接方式 {spec!r} 没有写端口，例如 serial:/dev/ttyUSB0",
        )


def _address(spec: str, rest: str) -> tuple[str, int]:
    host, _, port = rest.rpartition(":")
    if not port.isascii() or not port.isdecimal() or int(port) > 65_535:
        raise CallerError(
            "config_invalid",
            f"transport {spec!r}: the port is 0 to 65535",
            detail_zh=f"连接方式 {spec!r}：端口是 0 到 65535",
        )
    return host or _LOOPBACK, int(port)
