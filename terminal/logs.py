"""The till's log: as every program's, and its last lines are kept for people."""

from collections import deque

from terminal.limits import LOG_LINES_KEPT
from transport import logs

KEPT: deque[str] = deque(maxlen=LOG_LINES_KEPT)
"""The last lines as they were written."""


def kept() -> list[str]:
    """The last lines for people."""
    return list(KEPT)


def configure() -> None:
    """Set the process up to log JSON. Called once, by the program's entry."""
    logs.configure(keep=KEPT.append)
