"""A real serial port: the simulated device sits at the far end of a cable.

The port runs at the device's own rate; what the client at the other end has set, a cable does not
tell: at a wrong rate the hardware itself garbles.
"""

import serial

from firmware_sim.transports.descriptor import DescriptorPipe
from firmware_sim.transports.line import Hear
from protocol.errors import OperatingError


def port_unusable(port: str, error: Exception) -> OperatingError:
    """Why it could not be opened, in the system's own words; pyserial's name the port twice."""
    cause = error.__context__
    why = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(error)
    return OperatingError("port_unusable", f"{port}: {why}")


class SerialPortLine:
    """The device's end of a cable; ``path`` is this machine's port, opened when built."""

    def __init__(self, path: str, baud: int) -> None:
        self._path = path
        self._pipe: DescriptorPipe | None = None
        try:
            self._port = serial.Serial(path, baud, timeout=0, exclusive=True)
        except (serial.SerialException, ValueError) as error:
            raise port_unusable(path, error) from error

    @property
    def client_path(self) -> str:
        """The port on this machine; the client opens the other end of the cable."""
        return self._path

    @property
    def client_baud(self) -> int | None:
        """A cable does not tell."""
        return None

    def open(self, hear: Hear) -> None:
        """As ``Line.open``."""
        self._pipe = DescriptorPipe(self._port.fileno(), hear, lambda: None)

    def write(self, data: bytes) -> int:
        """As ``Line.write``."""
        return self._pipe.write(data) if self._pipe else len(data)

    def tune(self, baud: int) -> None:
        """As ``Line.tune``."""
        if self._port.is_open and self._port.baudrate != baud:
            self._port.baudrate = baud

    def hold(self, *, is_held: bool) -> None:
        """As ``Line.hold``; what the system keeps for the client is a few kilobytes."""
        if self._pipe:
            self._pipe.hold(is_held=is_held)

    def close(self) -> None:
        """As ``Line.close``."""
        if self._pipe:
            self._pipe.close()
        self._port.close()
