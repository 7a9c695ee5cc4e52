"""Structured logs of every program: one JSON object a line on stderr, masked before it is written.
Events have keys, never sentences.

Rule 1: a value whose key names a secret is masked, however deep it lies.
Rule 2: a run of digits as long as a card number or a pay code is masked wherever it stands, in an
        exception's words as well. A word of 32 hexadecimal digits with a letter among them is an
        id, such as a trace's, and stays whole: neither such a number nor its bytes look like that.
Rule 3: what libraries log takes the same form and the same mask.
"""

import logging
import re
import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any, TextIO

import structlog

from transport.limits import LOG_DEPTH_MAX, LOG_DIGITS_SHOWN

MASK = "***"
_SECRET_KEYS = frozenset(
    {
        "pan",
        "pin",
        "cvv",
        "pay_code",
        "auth_code",
        "password",
        "passphrase",
        "token",
        "secret",
        "private_key",
        "api_key",
        "enrolment_code",
        "authorization",
        "nonce",
    }
)
_SECRET_SUFFIXES = ("_token", "_password", "_passphrase", "_secret", "_private_key", "_pan", "_pin")
_LONG_DIGITS = re.compile(
    r"(?<![0-9A-Za-z])(?=[0-9]*[a-f])[0-9a-f]{32}(?![0-9A-Za-z])|(?P<number>\d{13,24})"
)
_LONG_NUMBER = 10**14


def configure(
    stream: TextIO | None = None,
    *,
    level: int = logging.INFO,
    keep: Callable[[str], object] | None = None,
) -> None:
    """Set the process up to log JSON. Called once, by the program's entry. ``keep`` is given each
    line of the program's own as it was written."""
    out = stream or sys.stderr

    def told(_logger: object, _method: str, line: Any) -> Any:  # noqa: ANN401  # a processor's shape
        if keep is not None:
            keep(line)
        return line

    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, redact, structlog.processors.JSONRenderer(), told],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=True,
    )
    _adopt_libraries(out, shared)


def _adopt_libraries(out: TextIO, shared: list[structlog.typing.Processor]) -> None:
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                redact,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


@contextmanager
def traced(**fields: str) -> Iterator[None]:
    """Bind a trace id and the like to every log event inside."""
    with structlog.contextvars.bound_contextvars(**fields):
        yield


def redact(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """The structlog processor that masks."""
    for key in list(event):
        event[key] = MASK if _is_secret(key) else _masked(event[key], depth=0)
    return event


def _is_secret(key: object) -> bool:
    if not isinstance(key, str):
        return False
    lowered = key.lower()
    return lowered in _SECRET_KEYS or lowered.endswith(_SECRET_SUFFIXES)


def _masked(value: object, *, depth: int) -> object:
    if depth > LOG_DEPTH_MAX:
        return MASK
    if isinstance(value, str):
        return _LONG_DIGITS.sub(_short, value)
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) < _LONG_NUMBER else MASK
    if isinstance(value, Mapping):
        return {
            str(key): MASK if _is_secret(key) else _masked(item, depth=depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(item, depth=depth + 1) for item in value]
    return _LONG_DIGITS.sub(_short, str(value))


def _short(found: re.Match[str]) -> str:
    number = found["number"]
    return found[0] if number is None else MASK + number[-LOG_DIGITS_SHOWN:]
