"""Firmware that a terminal fetches of its hub."""

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from typing import cast

import pytest

from protocol.errors import OperatingError
from terminal.adapters.firmware_download import FirmwareDownload
from tests.kit.patience import PATIENCE_S
from transport.contexts import ClientTls

DATA = bytes(range(256)) * 1_000
DIGEST = hashlib.sha256(DATA).hexdigest()


class Plain:
    """No TLS."""

    def wrap_socket(self, sock: socket, *, server_hostname: str) -> socket:
        assert server_hostname
        return sock


class Hub(ThreadingHTTPServer):
    """Gives half of the file, and the other half when it is let."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = 0
        self.is_asked, self.may_go_on = threading.Event(), threading.Event()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        hub = cast(Hub, self.server)
        hub.asked += 1
        self.send_response(200)
        self.send_header("Content-Length", str(len(DATA)))
        self.end_headers()
        half = len(DATA) // 2
        self.wfile.write(DATA[:half])
        hub.is_asked.set()
        assert hub.may_go_on.wait(PATIENCE_S)
        self.wfile.write(DATA[half:])

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def hub() -> Iterator[Hub]:
    made = Hub()
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def download(hub: Hub, directory: Path) -> FirmwareDownload:
    tls = cast(ClientTls, Plain())
    return FirmwareDownload(directory, host="127.0.0.1", port=hub.server_port, tls=tls)


def test_a_wish_that_comes_again_waits_for_the_fetch_of_before(hub: Hub, tmp_path: Path) -> None:
    files = download(hub, tmp_path / "firmware")
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(files.fetch, DIGEST, len(DATA))
        assert hub.is_asked.wait(PATIENCE_S)
        second = threads.submit(files.fetch, DIGEST, len(DATA))
        hub.may_go_on.set()
        found = [one.result(PATIENCE_S) for one in (first, second)]
    assert found == [DATA, DATA]
    assert hub.asked == 1


def test_a_disk_that_takes_no_firmware_is_named(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "firmware").write_text("a file where the directory should be")
    with pytest.raises(OperatingError, match="file_unwritable"):
        download(hub, tmp_path / "firmware").fetch(DIGEST, len(DATA))
