"""Bodies are bounded before anybody parses them (pure ASGI: nothing is buffered here)."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.http_errors import error_response
from protocol.errors import CallerError


class BodyLimit:
    """Refuses a body above the bound with 413, by its announced length or as it streams in.

    ``larger`` has the bounds of single paths, whose endpoints read no body before they know who
    asks. ``answers_itself`` begins the paths whose room refuses in its own words: there, the body
    that is too large fails when it is read.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        bytes_max: int,
        larger: Mapping[str, int] | None = None,
        answers_itself: tuple[str, ...] = (),
    ) -> None:
        self._app = app
        self._bytes_max = bytes_max
        self._larger = larger or {}
        self._answers_itself = answers_itself

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, counting."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        bytes_max = self._larger.get(scope["path"], self._bytes_max)
        is_too_large = self._announced(scope, bytes_max) > bytes_max
        if is_too_large and not scope["path"].startswith(self._answers_itself):
            await error_response(CallerError("envelope_too_large"))(scope, receive, send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if is_too_large or taken > bytes_max:
                raise CallerError("envelope_too_large")
            return message

        await self._app(scope, counted, send)

    def _announced(self, scope: Scope, bytes_max: int) -> int:
        for name, value in scope["headers"]:
            if name == b"content-length":
                return int(value) if value.isdigit() else bytes_max + 1
        return 0
