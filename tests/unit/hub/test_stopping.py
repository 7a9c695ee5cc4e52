"""The end of the hub: bounded, and without noise from lines that are gone."""

import asyncio
import threading
from typing import Any

from hub.stopping import limit_stop, note_loop_error


def test_a_stop_that_is_overdue_is_cut_short() -> None:
    left = threading.Event()
    limit_stop(0.01, left.set)
    assert left.wait(5)


def test_a_stop_in_time_is_not() -> None:
    left = threading.Event()
    timer = limit_stop(5, left.set)
    timer.cancel()
    timer.join(5)
    assert not left.is_set()


class Loop(asyncio.SelectorEventLoop):
    """Counts what the default handler gets."""

    told: list[dict[str, Any]]

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        self.told.append(context)


def test_only_a_line_that_was_gone_before_its_goodbye_is_no_error() -> None:
    loop = Loop()
    loop.told = []
    gone = RuntimeError("unable to perform operation on <TCPTransport>; the handler is closed")
    for error, line in ((gone, {"protocol": 1}), (gone, {}), (RuntimeError("x"), {"protocol": 1})):
        note_loop_error(loop, {"message": "m", "exception": error, **line})
    loop.close()
    assert [context["exception"] for context in loop.told] == [gone, loop.told[1]["exception"]]
    assert "protocol" not in loop.told[0]
