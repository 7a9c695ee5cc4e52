"""A pseudo-terminal: a real serial port to any program on this machine.

Rule 1: both ends are raw. Rule 2: the slave's descriptor stays open here, or the master would
fail as soon as a client closes. Rule 3: a pty does not pace and has no modem lines; pacing is the
link's matter. The client's rate is read off the master's settings, so a wrong rate garbles.
Rule 4: until a client sets a rate, the port has the device's, so that who opens it as a plain file
is understood.
"""

import os
import termios
import tty

from firmware_sim.transports.descriptor import DescriptorPipe
from firmware_sim.transports.line import Hear

_RATES = {
    getattr(termios, name): int(name[1:])
    for name in dir(termios)
    if name.startswith("B") and name[1:].isdigit()
}
_CODES = {rate: code for code, rate in _RATES.items()}


class PtyLine:
    """One pseudo-terminal with the device on its master side, which speaks at ``baud``."""

    def __init__(self, baud: int) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._master)
        tty.setraw(self._slave)
        if baud in _CODES:
            settings = termios.tcgetattr(self._slave)
            settings[4] = settings[5] = _CODES[baud]
            termios.tcsetattr(self._slave, termios.TCSANOW, settings)
        self._path = os.ttyname(self._slave)
        self._pipe: DescriptorPipe | None = None
        self._is_closed = False

    @property
    def client_path(self) -> str:
        """The slave's device file."""
        return self._path

    @property
    def client_baud(self) -> int | None:
        """The rate the client has set last."""
        if self._is_closed:
            return None
        return _RATES.get(termios.tcgetattr(self._master)[4])

    def open(self, hear: Hear) -> None:
        """As ``Line.open``."""
        self._pipe = DescriptorPipe(self._master, hear, lambda: None)

    def write(self, data: bytes) -> int:
        """As ``Line.write``."""
        return self._pipe.write(data) if self._pipe else len(data)

    def tune(self, baud: int) -> None:
        """A pty has no rate of its own."""

    def hold(self, *, is_held: bool) -> None:
        """As ``Line.hold``; what the system keeps for the client is a few kilobytes."""
        if self._pipe:
            self._pipe.hold(is_held=is_held)

    def close(self) -> None:
        """As ``Line.close``."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._pipe:
            self._pipe.close()
        os.close(self._master)
        os.close(self._slave)
