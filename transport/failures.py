"""Why a line broke, in words for a log: what somebody has to look at to mend it."""

import os
from collections.abc import Iterator

from transport.machine import TlsError

TLS_SAYS = "TLS: "
"""How a reason begins that is TLS's own."""


def why(error: BaseException) -> str:
    """What TLS said, or else what the system said, wherever an HTTP library has wrapped it; the
    error's kind where neither said anything."""
    causes = tuple(_causes(error))
    for cause in causes:
        if isinstance(cause, TlsError):
            return f"{TLS_SAYS}{cause}"
    for cause in causes:
        if isinstance(cause, OSError) and cause.errno is not None:
            return os.strerror(cause.errno) if cause.errno > 0 else str(cause.strerror)
    return type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was made of, the innermost first."""
    found: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in found:
        found.append(current)
        current = current.__cause__ or current.__context__
    return reversed(found)
