"""Serves the front page on the loopback, in a thread of the launcher, for the length of a block."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from protocol.errors import CallerError, OperatingError
from tillway.front.app import build_app
from tillway.front.limits import LISTEN_BACKLOG, START_S, STOP_S
from tillway.front.shop import Shop

HOST = "127.0.0.1"
_LOOK_S = 0.02


@contextmanager
def front_page(shop: Shop, port: int, token: str | None = None) -> Iterator[str]:
    """Its address. ``port`` 0 is any; raises ``CallerError("port_taken")``. Who shows the token
    may do what the page does."""
    listening = _bound(port)
    config = uvicorn.Config(
        build_app(shop, token), log_config=None, access_log=False, lifespan="off",
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(
        target=server.run, args=([listening],), name="front-page", daemon=True
    )
    thread.start()
    try:
        _wait_until(server, thread)
        yield f"http://{HOST}:{listening.getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join(STOP_S)
        listening.close()


def _bound(port: int) -> socket.socket:
    listening = socket.socket()
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        listening.listen(LISTEN_BACKLOG)
    except OSError:
        listening.close()
        raise CallerError("port_taken", f"front page: {HOST}:{port}") from None
    return listening


def _wait_until(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + START_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise OperatingError("internal", "the front page did not start")
        time.sleep(_LOOK_S)
