"""What a log says of a line that broke."""

import errno
import socket

import pytest

from transport.failures import why
from transport.machine import TlsError


def wrapped(inner: Exception) -> Exception:
    """As an HTTP library raises it."""
    try:
        raise ConnectionError("cannot connect") from inner
    except ConnectionError as error:
        return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TlsError("no shared cipher"), "TLS: no shared cipher"),
        (wrapped(TlsError("no shared cipher")), "TLS: no shared cipher"),
        (wrapped(OSError(errno.ECONNREFUSED, "Connect call failed")), "Connection refused"),
        (wrapped(socket.gaierror(socket.EAI_NONAME, "no such name")), "no such name"),
        (TimeoutError(), "TimeoutError"),
        (ValueError("with what nobody may read"), "ValueError"),
    ],
)
def test_the_innermost_cause_is_named(error: Exception, said: str) -> None:
    assert why(error) == said


def test_causes_that_go_round_in_a_ring_have_an_end() -> None:
    first, second = OSError(), OSError()
    first.__cause__, second.__cause__ = second, first
    assert why(first) == "OSError"
