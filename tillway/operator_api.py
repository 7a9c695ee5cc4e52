"""The operator's calls to the backend: HTTPS, a token, JSON."""

import http.client
import json
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from protocol.errors import CallerError, OperatingError
from protocol.tls import joining_context
from tillway.join import HTTP_TIMEOUT_S, refusal

CODES_PATH = "/operator/v1/enrolment-codes"
DEVICES_PATH = "/operator/v1/devices"
ANSWER_BYTES_MAX = 1024 * 1024


@dataclass(frozen=True, slots=True)
class OperatorApi:
    """Where the backend is, whom it must prove to be, and who we are."""

    url: str
    ca: Path
    token: str = field(repr=False)

    def new_code(self, grant: dict[str, Any]) -> str:
        """A one-time code for a machine: ``{tid, kind, store, names, hub_urls, valid_s}``."""
        code = self._post(CODES_PATH, grant).get("code")
        if not isinstance(code, str):
            raise OperatingError("internal", "no code in the answer")
        return code

    def change_device(self, tid: str, command: str, reason: str) -> dict[str, Any]:
        """``activate``, ``suspend``, ``resume`` or ``revoke`` a device; its row afterwards."""
        return self._post(f"{DEVICES_PATH}/{quote(tid, safe='')}/{command}", {"reason": reason})

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        parts = urlsplit(self.url)
        if parts.scheme != "https" or not parts.hostname:
            raise CallerError("config_invalid", "the backend's address begins with https://")
        try:
            context = joining_context(self.ca.read_text("ascii"))
        except (OSError, UnicodeDecodeError):
            raise CallerError("config_invalid", f"CA certificate {self.ca}") from None
        connection = http.client.HTTPSConnection(
            parts.hostname, parts.port or 443, timeout=HTTP_TIMEOUT_S, context=context
        )
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        try:
            connection.request("POST", path, json.dumps(body), headers)
            response = connection.getresponse()
            content = response.read(ANSWER_BYTES_MAX)
        except ssl.SSLCertVerificationError as error:
            raise CallerError("identity_mismatch", error.verify_message) from None
        except (OSError, http.client.HTTPException) as error:
            raise OperatingError("backend_unreachable", type(error).__name__) from None
        finally:
            connection.close()
        if response.status not in {http.client.OK, http.client.CREATED}:
            raise refusal(response.status, content)
        try:
            answer = json.loads(content)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise OperatingError("internal", "the answer is no JSON object")
        return answer
