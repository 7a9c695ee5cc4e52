"""Structured logs: one JSON object a line on stderr. Events have keys, never sentences."""

import logging
import re
import sys
from collections import deque
from typing import Any

import structlog

from terminal.limits import LOG_LINES_KEPT

KEPT: deque[str] = deque(maxlen=LOG_LINES_KEPT)
"""The last lines as they were written."""
_LONG_NUMBER = re.compile(r"(?<![0-9A-Za-z])\d{10,}(?=\d{4}(?![0-9A-Za-z]))")
"""All but the last four digits of what is as long as a card's number or a pay code."""


def kept() -> list[str]:
    """The last lines for people: no code or card number is logged, and none would be shown."""
    return [_LONG_NUMBER.sub(lambda found: "*" * len(found[0]), line) for line in KEPT]


def configure() -> None:
    """Set the process up to log JSON. Called once, by the program's entry."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
            _keep,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")


def _keep(_logger: Any, _name: str, line: Any) -> Any:  # noqa: ANN401  # a processor's shape
    """The last processor: the rendered line is also kept."""
    KEPT.append(line)
    return line
