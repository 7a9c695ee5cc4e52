"""One HTTP exchange with one of our programs: the same rules for everybody in the launcher.

Rule 1: over TLS the server proves that it is the backend before a byte is said to it. A hub's
        certificate is of the same CA and may be for the same host name.
Rule 2: https is never spoken in the clear, and what is too long is refused, never cut.
"""

import http.client
import json
import ssl
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urlsplit

from protocol.errors import CallerError, OperatingError, TillwayError, from_code, is_known
from protocol.tls import PeerKind, require_peer

DOWNLOAD_BYTES_PER_CHUNK = 64 * 1024
REFUSAL_BYTES_MAX = 64 * 1024
_SAID_AS_IT_IS = string.punctuation
"""Beside letters and digits: what is a part of paths and queries, or has been escaped already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How a program is reached. Without a context it is plain HTTP.

    ``peer`` is the kind that the server's certificate must be of; None only where nothing secret
    is said and the answer proves itself.
    """

    url: str
    context: ssl.SSLContext | None
    timeout_s: int
    peer: PeerKind | None = "backend"

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
        *,
        bytes_max: int,
    ) -> bytes:
        """The answer's content. A refusal raises the peer's own error code where it gave one.

        ``CallerError``: ``config_invalid`` for the address, ``identity_mismatch`` for another
        server than the backend. ``OperatingError("server_unreachable")``: say it again.
        """
        parts = _address(self.url)
        connection = self._connection(parts)
        try:
            connection.request(method, _target(parts, path), body, dict(headers))
            response = connection.getresponse()
            content = response.read(bytes_max + 1)
        except ssl.SSLCertVerificationError as error:
            raise CallerError("identity_mismatch", error.verify_message) from None
        except (OSError, http.client.HTTPException) as error:
            raise self._unreached(error) from None
        finally:
            connection.close()
        if not http.client.OK <= response.status < http.client.MULTIPLE_CHOICES:
            raise _refusal(response.status, content)
        if len(content) > bytes_max:
            raise OperatingError("internal", f"the answer to {path} is above {bytes_max} bytes")
        return content

    def download(
        self, path: str, headers: Mapping[str, str], take: Callable[[bytes], None]
    ) -> dict[str, str]:
        """Get what is too long for memory, a part at a time; the answer's headers, their names in
        small letters. Raises as ``ask`` does, and ``server_unreachable`` for an answer that ends
        too soon: then what was taken is worth nothing."""
        parts = _address(self.url)
        connection = self._connection(parts)
        try:
            connection.request("GET", _target(parts, path), None, dict(headers))
            response = connection.getresponse()
            if not http.client.OK <= response.status < http.client.MULTIPLE_CHOICES:
                raise _refusal(response.status, response.read(REFUSAL_BYTES_MAX))
            left = response.length
            while chunk := response.read(DOWNLOAD_BYTES_PER_CHUNK):
                take(chunk)
                left = None if left is None else left - len(chunk)
        except ssl.SSLCertVerificationError as error:
            raise CallerError("identity_mismatch", error.verify_message) from None
        except (OSError, http.client.HTTPException) as error:
            raise self._unreached(error) from None
        finally:
            connection.close()
        if left:
            raise OperatingError("server_unreachable", f"{left} bytes are missing")
        return {name.lower(): value for name, value in response.getheaders()}

    def _unreached(self, error: Exception) -> OperatingError:
        said = error.strerror if isinstance(error, OSError) else None
        return OperatingError("server_unreachable", f"{self.url}: {said or type(error).__name__}")

    def _connection(self, parts: SplitResult) -> http.client.HTTPConnection:
        host = parts.hostname or ""
        match parts.scheme, self.context:
            case "http", None:
                return http.client.HTTPConnection(host, parts.port, timeout=self.timeout_s)
            case "https", ssl.SSLContext() as context:
                return _ProvenConnection(host, parts.port, self.timeout_s, context, self.peer)
            case "https", _:
                raise CallerError("config_invalid", f"{self.url} needs the CA's certificate")
        raise CallerError("config_invalid", "the backend's address begins with https://")


class _ProvenConnection(http.client.HTTPSConnection):
    """Connects, and hangs up on a server of another kind before anything is sent."""

    def __init__(
        self,
        host: str,
        port: int | None,
        timeout_s: int,
        context: ssl.SSLContext,
        peer: PeerKind | None,
    ) -> None:
        super().__init__(host, port, timeout=timeout_s, context=context)
        self._peer = peer

    def connect(self) -> None:
        super().connect()
        if self._peer is not None:
            require_peer(self.sock.getpeercert(), self._peer)


def _address(url: str) -> SplitResult:
    """What ``http.client`` can be asked: it has errors of its own for a host that is no name, and
    for what no line of HTTP can say."""
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname and parts.hostname.encode("idna")) and parts.port != 0
    except ValueError:
        is_whole = False
    is_whole = is_whole and url.isprintable() and " " not in url
    if not is_whole:
        raise CallerError("config_invalid", f"address {url}")
    return parts


def _target(parts: SplitResult, path: str) -> str:
    """A path as a line of HTTP can say it: what somebody typed into it may be any text."""
    return quote(parts.path.rstrip("/") + path, safe=_SAID_AS_IT_IS)


def _refusal(status: int, content: bytes) -> TillwayError:
    """The server's own error in ``{"error": {"code": …}}``, else what the status says."""
    try:
        said = json.loads(content)["error"]
        code, detail = said["code"], said.get("detail")
    except (ValueError, KeyError, TypeError, AttributeError):
        code = detail = None
    if isinstance(code, str) and is_known(code):
        told = f": {detail[:200]}" if isinstance(detail, str) and detail else ""
        return from_code(code, f"the server's answer{told}")
    return OperatingError("internal", f"status {status}")
