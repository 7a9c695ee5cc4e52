"""A backend that can do nothing but enrol, behind HTTPS on the loopback."""

import asyncio
import http.server
import json
import secrets
import threading
from pathlib import Path
from typing import Any

from backend.identity.ca import CertificateAuthority
from backend.identity.enrolment import Grant
from backend.identity.founding import found
from backend.identity.memory import MemoryRegistry
from backend.identity.service import EnrolmentService
from backend.identity.sm_authority import SmAuthority
from protocol.enrolment_code import PrintedCode
from protocol.errors import CallerError, TillwayError
from protocol.identity import ALL_FILE_NAMES, read_identity
from protocol.messages.enrolment import CA_PATH, JOIN_PATH, ROTATE_PATH, JoinRequest
from protocol.tls import server_context
from tillway import enroll
from tillway.private_files import write_files

PASSPHRASE = b"a passphrase for tests"
SUITE = "Ed25519"


class SystemEntropy:
    def token_bytes(self, count: int) -> bytes:
        return secrets.token_bytes(count)


class Desk:
    """A backend that can do nothing but enrol: the service behind HTTPS and an operator's API."""

    def __init__(self, state: Path) -> None:
        files = found(
            name="Shop",
            host_names=("127.0.0.1",),
            suite=SUITE,
            passphrase=PASSPHRASE,
            now_ms=enroll._now_ms(),
        )
        write_files(state, files)
        self.ca_file = state / "ca/ca.crt"
        ca = CertificateAuthority.load(files["ca/ca.crt"], files["ca/ca.key"], PASSPHRASE)
        sm_ca = SmAuthority.load(files["ca/sm-ca.crt"], files["ca/sm-ca.key"], PASSPHRASE)
        own = {name: files[f"identity/{name}"] for name in ALL_FILE_NAMES}
        identity = read_identity(own, PASSPHRASE, state / "identity")
        self.registry = MemoryRegistry()
        keys = identity.facts.backend_keys
        self.identity = identity
        self.service = EnrolmentService(
            self.registry, self.registry, ca, keys, SystemEntropy(), identity.signing_key, sm_ca
        )
        self.drops_answers = 0
        self.operator_calls: list[tuple[str, str, Any]] = []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        context = server_context(identity.tls)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def code(self, **changes: Any) -> PrintedCode:
        grant = Grant(**{"tid": "t-1", "kind": "terminal", "store": "s-1", **changes})
        return asyncio.run(self.service.issue_code(grant, issued_by="o", now_ms=enroll._now_ms()))

    def answer(self, method: str, path: str, body: bytes, token: str) -> bytes:
        if method == "GET" and path == CA_PATH:
            return self.service.ca.certificate_der
        if path == JOIN_PATH:
            request = JoinRequest.from_bytes(body)
            return asyncio.run(self.service.join(request, now_ms=enroll._now_ms())).to_bytes()
        if path == ROTATE_PATH:
            return asyncio.run(self.service.rotate(body, now_ms=enroll._now_ms())).to_bytes()
        if path.startswith("/operator/v1/"):
            return self._operate(path, json.loads(body), token)
        raise CallerError("field_invalid", path)

    def _operate(self, path: str, body: Any, token: str) -> bytes:
        self.operator_calls.append((path, token, body))
        if token != "Bearer sesame":
            raise CallerError("not_authorized")
        if path.endswith("/enrolment-codes"):
            body.pop("valid_s")
            lists = {"names": tuple(body["names"]), "hub_urls": tuple(body["hub_urls"])}
            return json.dumps({"code": self.code(**{**body, **lists}).text()}).encode()
        return json.dumps({"status": path.rsplit("/", 1)[1] + "ed"}).encode()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def _handler(desk: Desk) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                token = self.headers.get("Authorization", "")
                content, status = desk.answer(self.command, self.path, body, token), 200
            except TillwayError as error:
                content, status = json.dumps({"error": error.to_wire()}).encode(), 403
            if desk.drops_answers and self.command == "POST":
                desk.drops_answers -= 1
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST  # noqa: N815  # the server's own names

        def log_message(self, *args: object) -> None:
            pass

    return Handler
