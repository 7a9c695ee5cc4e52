"""The merchant's own server: takes callbacks, checks who sent them, remembers what they said."""

import base64
import json
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from protocol.crypto.keys import VerifyKey

BODY_BYTES_MAX = 64 * 1024
SKEW_S_MAX = 300


class MerchantServer:
    """Listens on the loopback until closed. Clocks are moved in the demo, so ``skew_s`` is set."""

    def __init__(self) -> None:
        self._key: VerifyKey | None = None
        self._lock = threading.Lock()
        self._said: list[dict[str, Any]] = []
        self.forged = 0
        self.skew_s = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where callbacks go."""
        return f"http://127.0.0.1:{self._server.server_port}/notify"

    def trust(self, key: VerifyKey) -> None:
        """Whose callbacks are genuine; before this, nobody's are."""
        self._key = key

    def said(self) -> list[dict[str, Any]]:
        """What has been told so far, genuine callbacks only."""
        with self._lock:
            return list(self._said)

    def payments(self) -> set[str]:
        """The payments that genuine callbacks named."""
        resources = [told.get("resource", {}) for told in self.said()]
        return {resource["payment_id"] for resource in resources if "payment_id" in resource}

    def take(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Remember a genuine callback; count a forged one."""
        is_genuine = self._is_genuine(headers, body)
        with self._lock:
            if is_genuine:
                self._said.append(json.loads(body))
            else:
                self.forged += 1
        return is_genuine

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _is_genuine(self, headers: Mapping[str, str], body: bytes) -> bool:
        timestamp, nonce = headers.get("Tillway-Timestamp", ""), headers.get("Tillway-Nonce", "")
        key = self._key
        if key is None or headers.get("Tillway-Serial") != key.kid.hex():
            return False
        if not timestamp.isdecimal():
            return False
        if abs(time.time_ns() // 10**9 + self.skew_s - int(timestamp)) > SKEW_S_MAX:
            return False
        signature = base64.b64decode(headers.get("Tillway-Signature", ""))
        return key.verify(signature, f"{timestamp}\n{nonce}\n".encode() + body + b"\n")


def _handler(server: MerchantServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the base class's name
            length = int(self.headers.get("Content-Length", "0"))
            body = self.rfile.read(min(length, BODY_BYTES_MAX))
            is_genuine = server.take(dict(self.headers.items()), body)
            self.send_response(204 if is_genuine else 401)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Say nothing: the demo reports for itself."""

    return Handler
