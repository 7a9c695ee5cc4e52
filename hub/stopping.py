"""The end of the program: within a bound, whatever hangs, and without noise from dying lines.

Rule: a hub may always be stopped hard. What it acknowledged is committed, what it did not is asked
again; so an overdue stop is cut short rather than waited for.
"""

import asyncio
import faulthandler
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

import structlog

log = structlog.get_logger("hub")
EXIT_CODE_CUT_SHORT = 1
_GONE = "the handler is closed"
"""What uvloop says, as RuntimeError, when TLS wants to say goodbye on a socket that is gone."""


def leave() -> None:
    """End the process now, and say where every thread stood."""
    faulthandler.dump_traceback(file=sys.stderr)
    os._exit(EXIT_CODE_CUT_SHORT)


def limit_stop(seconds: float, leave: Callable[[], None] = leave) -> threading.Timer:
    """Cut the stop short after this long; a thread does it, so a loop that hangs is no matter."""

    def cut_short() -> None:
        log.error("hub_stop_cut_short", after_s=seconds)
        leave()

    timer = threading.Timer(seconds, cut_short)
    timer.daemon = True
    timer.start()
    return timer


def note_loop_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """The loop's exception handler: a line that was gone before its goodbye is no error."""
    error = context.get("exception")
    if isinstance(error, RuntimeError) and _GONE in str(error) and "protocol" in context:
        log.debug("line_gone_before_goodbye", detail=str(context.get("message")))
        return
    loop.default_exception_handler(context)
