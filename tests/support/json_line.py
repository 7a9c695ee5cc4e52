"""The command line's way to a backend, without a socket."""

from collections.abc import Mapping
from typing import Any

from fastapi.testclient import TestClient


class Line:
    """``JsonApi`` over a test's client."""

    def __init__(self, client: TestClient) -> None:
        self._client = client

    def get(self, path: str) -> Any:
        answer = self._client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def call(
        self, method: str, path: str, body: bytes = b"", media_type: str = "application/json"
    ) -> bytes:
        headers = {"content-type": media_type}
        answer = self._client.request(method, path, content=body, headers=headers)
        assert answer.is_success, answer.text
        return answer.content

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        answer = self._client.post(path, json=dict(body))
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()
