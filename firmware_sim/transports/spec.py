"""Transport spec strings."""

from firmware_sim.transports.line import Line
from firmware_sim.transports.memory import MemoryLine
from firmware_sim.transports.pty import PtyLine
from protocol.errors import CallerError

KNOWN = ("memory:", "pty")
RESERVED = ("tcp:", "rfc2217:", "serial:")


def open_line(spec: str) -> Line:
    """Open the line a spec names; raises ``CallerError("config_invalid")`` for others."""
    if spec == "pty":
        return PtyLine()
    if spec.startswith("memory:"):
        return MemoryLine(spec)
    if spec.startswith(RESERVED):
        raise CallerError("config_invalid", f"transport {spec!r} is not built yet; use pty")
    raise CallerError("config_invalid", f"transport {spec!r} is not one of {', '.join(KNOWN)}")
