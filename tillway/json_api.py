"""JSON over HTTP or HTTPS, one call at a time: what the launcher asks the programs."""

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from protocol.errors import CallerError, OperatingError
from protocol.tls import joining_context
from tillway.join import refusal

ANSWER_BYTES_MAX = 8 * 1024 * 1024
TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class JsonApi:
    """A program's HTTP face. ``ca`` is the certificate it must prove itself by (HTTPS)."""

    url: str
    ca: Path | None = None
    token: str = field(default="", repr=False)

    def get(self, path: str) -> Any:  # noqa: ANN401  # any JSON
        """The JSON that stands there."""
        return json.loads(self.call("GET", path))

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401
        """Send an object, get the answer."""
        return json.loads(self.call("POST", path, json.dumps(body or {}).encode()) or b"null")

    def call(
        self, method: str, path: str, body: bytes = b"", media_type: str = "application/json"
    ) -> bytes:
        """One exchange. A refusal raises the peer's own error code where it gave one."""
        headers = {"Content-Type": media_type}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        connection = self._connect()
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            content = response.read(ANSWER_BYTES_MAX)
        except ssl.SSLCertVerificationError as error:
            raise CallerError("identity_mismatch", error.verify_message) from None
        except (OSError, http.client.HTTPException) as error:
            raise OperatingError("backend_unreachable", type(error).__name__) from None
        finally:
            connection.close()
        if not http.client.OK <= response.status < http.client.MULTIPLE_CHOICES:
            raise refusal(response.status, content)
        return content

    def _connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        if not parts.hostname:
            raise CallerError("config_invalid", f"address {self.url}")
        if self.ca is None:
            return http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT_S)
        if parts.scheme != "https":
            raise CallerError("config_invalid", "the backend's address begins with https://")
        try:
            context = joining_context(self.ca.read_text("ascii"))
        except (OSError, UnicodeDecodeError):
            raise CallerError("config_invalid", f"CA certificate {self.ca}") from None
        return http.client.HTTPSConnection(
            parts.hostname, parts.port or 443, timeout=TIMEOUT_S, context=context
        )
