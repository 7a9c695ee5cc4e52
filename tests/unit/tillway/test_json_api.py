"""What the launcher says to whom over HTTP, and what it makes of odd answers."""

import http.server
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.identity.ca import CertificateAuthority, Holder
from protocol.crypto.tls_keys import TlsKey, pem_chain
from protocol.enrolment_code import mint_code
from protocol.errors import CallerError, OperatingError
from protocol.identity import TlsFiles
from protocol.messages.enrolment import CA_PATH
from protocol.tls import server_context
from tillway import exchange, json_api
from tillway import join as joining
from tillway.json_api import JsonApi
from tillway.private_files import write_files

NOW_MS = time.time_ns() // 1_000_000
PASSPHRASE = b"a passphrase for tests"
CA = CertificateAuthority.create("Test CA", now_ms=NOW_MS)


class Server:
    """Answers every request with the same words and remembers what it heard."""

    def __init__(self, directory: Path, kind: str | None, content: bytes = b"{}") -> None:
        self.heard: list[tuple[str, str | None]] = []
        self.content = content
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._answering())
        self._server.daemon_threads = False
        scheme = "http" if kind is None else "https"
        if kind is not None:
            key = TlsKey()
            holder = Holder(kind, "somebody", ("127.0.0.1",))
            leaf = CA.issue(key.request(), holder, now_ms=NOW_MS)
            chain = pem_chain((leaf, CA.certificate_der))
            write_files(directory, {"chain": chain, "key": key.seal(PASSPHRASE)})
            files = TlsFiles(
                directory / "chain", directory / "key", PASSPHRASE, CA.certificate_pem.decode()
            )
            context = server_context(files)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def _answering(self) -> type[http.server.BaseHTTPRequestHandler]:
        heard, server = self.heard, self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                heard.append((self.path, self.headers.get("Authorization")))
                content = CA.certificate_der if self.path == CA_PATH else server.content
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST  # noqa: N815  # the server's own names

            def log_message(self, *args: object) -> None:
                pass

        return Handler

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    write_files(tmp_path, {"ca.crt": CA.certificate_pem})
    return tmp_path / "ca.crt"


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "backend", "backend")
    yield server
    server.close()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "hub", "hub")
    yield server
    server.close()


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "plain", None)
    yield server
    server.close()


def test_the_operator_s_token_is_said_to_the_backend(backend: Server, ca: Path) -> None:
    assert JsonApi(backend.url, ca, "token").post("/operator/v1/x") == {}
    assert backend.heard == [("/operator/v1/x", "Bearer token")]


def test_whatever_is_typed_into_a_path_is_said_as_http_says_it(plain: Server) -> None:
    """And what has been escaped already stays as it is."""
    JsonApi(plain.url).get("/cases/店 a\x01?text=b%20c&day=2026-11-30")
    JsonApi(f"{plain.url}/在").download("/file", lambda _: None)
    assert [path for path, _ in plain.heard] == [
        "/cases/%E5%BA%97%20a%01?text=b%20c&day=2026-11-30",
        "/%E5%9C%A8/file",
    ]


def test_a_hub_with_a_certificate_of_our_ca_never_hears_the_token(hub: Server, ca: Path) -> None:
    with pytest.raises(CallerError, match="a hub, not a backend"):
        JsonApi(hub.url, ca, "token").post("/operator/v1/x")
    assert hub.heard == []


def test_a_hub_with_a_certificate_of_our_ca_never_hears_a_code(hub: Server, tmp_path: Path) -> None:
    code = mint_code(bytes(10), CA.certificate_der)
    with pytest.raises(CallerError, match="a hub, not a backend"):
        joining.join(tmp_path / "t", url=hub.url, code=code, suite="Ed25519", passphrase=PASSPHRASE)
    assert [path for path, _ in hub.heard] == [CA_PATH]  # what anybody may ask


def test_https_without_the_ca_s_certificate_is_not_spoken_in_the_clear(backend: Server) -> None:
    with pytest.raises(CallerError, match="needs the CA"):
        JsonApi(backend.url, None, "token").get("/x")
    assert backend.heard == []


def test_a_path_in_front_is_kept(plain: Server) -> None:
    JsonApi(plain.url + "/shop/").get("/x")
    assert plain.heard == [("/shop/x", None)]


def test_an_answer_that_is_too_long_is_refused_and_not_cut(
    plain: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_api, "ANSWER_BYTES_MAX", 4)
    plain.content = b"[10]"
    assert JsonApi(plain.url).get("/x") == [10]
    plain.content = b"[100]"
    with pytest.raises(OperatingError, match="above 4 bytes"):
        JsonApi(plain.url).get("/x")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff"])
def test_an_answer_that_is_not_json_is_an_operating_error(plain: Server, content: bytes) -> None:
    plain.content = content
    with pytest.raises(OperatingError, match="not JSON"):
        JsonApi(plain.url).get("/x")


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:99999", "http://127.0.0.1:x", "http://", "http://[::", "ftp://a",
     "http://a..b", "http://a b", f"http://{'a' * 64}.example",
     "http://h\udcff", "http://127.0.0.1/a b"],
)  # fmt: skip
def test_an_address_that_is_none_is_the_caller_s_mistake(url: str) -> None:
    with pytest.raises(CallerError, match="config_invalid"):
        JsonApi(url).get("/x")


def test_nobody_in_the_launcher_speaks_http_past_this_module() -> None:
    root = Path(exchange.__file__).parent
    users = {
        file.name for file in root.rglob("*.py") if "http.client.HTTP" in file.read_text("utf-8")
    }
    assert users == {"exchange.py"}


def test_what_is_long_comes_in_parts_with_its_headers(
    plain: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "DOWNLOAD_BYTES_PER_CHUNK", 3)
    plain.content = b"0123456789"
    parts: list[bytes] = []
    headers = JsonApi(plain.url, token="token").download("/x", parts.append)
    assert parts == [b"012", b"345", b"678", b"9"]
    assert headers["content-length"] == "10"
    assert plain.heard == [("/x", "Bearer token")]
    with pytest.raises(OperatingError) as refused:
        JsonApi("http://127.0.0.1:1").download("/x", parts.append)
    assert refused.value.code == "server_unreachable"


def test_who_does_not_answer_is_named_and_why() -> None:
    nobody = JsonApi("http://127.0.0.1:1")
    for asked in (lambda: nobody.get("/x"), lambda: nobody.download("/x", lambda _: None)):
        with pytest.raises(OperatingError) as refused:
            asked()
        assert refused.value.detail == "http://127.0.0.1:1: Connection refused"
