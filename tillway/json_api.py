"""JSON over HTTP or HTTPS, one call at a time: what the launcher asks the programs."""

import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from protocol.errors import CallerError, OperatingError
from protocol.tls import joining_context
from tillway.exchange import Line
from tillway.limits import ANSWER_BYTES_MAX, ANSWER_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class JsonApi:
    """A program's HTTP face. ``ca`` is the certificate the backend must prove itself by (HTTPS)."""

    url: str
    ca: Path | None = None
    token: str = field(default="", repr=False)
    timeout_s: int = ANSWER_TIMEOUT_S

    def get(self, path: str) -> Any:  # noqa: ANN401  # any JSON
        """The JSON that stands there."""
        return _read(self.call("GET", path), path)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401
        """Send an object, get the answer."""
        return _read(self.call("POST", path, json.dumps(body or {}).encode()) or b"null", path)

    def call(
        self, method: str, path: str, body: bytes = b"", media_type: str = "application/json"
    ) -> bytes:
        """One exchange; see :meth:`tillway.exchange.Line.ask` for what it raises."""
        headers = {"Content-Type": media_type, **self._authorization()}
        return self._line().ask(method, path, body, headers, bytes_max=ANSWER_BYTES_MAX)

    def download(self, path: str, take: Callable[[bytes], None]) -> dict[str, str]:
        """Get what may be long; see :meth:`tillway.exchange.Line.download`."""
        return self._line().download(path, self._authorization(), take)

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def _line(self) -> Line:
        return Line(url=self.url, context=self._context(), timeout_s=self.timeout_s)

    def _context(self) -> ssl.SSLContext | None:
        if self.ca is None:
            return None
        try:
            return joining_context(self.ca.read_text("ascii"))
        except (OSError, UnicodeDecodeError):
            raise CallerError("config_invalid", f"CA certificate {self.ca}") from None


def _read(content: bytes, path: str) -> Any:  # noqa: ANN401  # any JSON
    try:
        return json.loads(content)
    except ValueError:
        raise OperatingError("internal", f"the answer to {path} is not JSON") from None
