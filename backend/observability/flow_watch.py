"""Times what merchants' programs and wallets ask over HTTP."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.observability.flows import Flow, FlowMeter, Outcome
from protocol.clock import SECOND_MS, Clock

_REFUSED, _FAILED = 400, 500


class FlowWatch:
    """Around the public application. ``prefixes``: which paths are of which flow."""

    def __init__(
        self, app: ASGIApp, meter: FlowMeter, clock: Clock, prefixes: dict[Flow, tuple[str, ...]]
    ) -> None:
        self._app = app
        self._meter = meter
        self._clock = clock
        self._prefixes = prefixes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application's answer, timed until it begins to go out."""
        flow = self._flow(scope)
        if flow is None:
            await self._app(scope, receive, send)
            return
        began, is_noted = time.perf_counter(), False

        async def sent(message: Message) -> None:
            nonlocal is_noted
            if message["type"] == "http.response.start" and not is_noted:
                is_noted = True
                took_ms = (time.perf_counter() - began) * SECOND_MS
                outcome = outcome_of_status(message["status"])
                self._meter.note(flow, outcome, took_ms=took_ms, at_ms=self._clock.now_ms())
            await send(message)

        await self._app(scope, receive, sent)

    def _flow(self, scope: Scope) -> Flow | None:
        if scope["type"] != "http":
            return None
        path: str = scope["path"]
        return next((flow for flow, own in self._prefixes.items() if path.startswith(own)), None)


def outcome_of_status(status: int) -> Outcome:
    """How an HTTP status ends a request."""
    if status >= _FAILED:
        return Outcome.FAILED
    return Outcome.REFUSED if status >= _REFUSED else Outcome.DONE
