"""Keeps what the bearer of the operator's token asks for, before the answer goes out.

Rule: what only looks leaves no line; neither does what was refused, nor who had no token.
"""

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.audit.model import Act, ActKind
from backend.audit.service import KeepAct
from backend.operator.auth import ADMITTED
from backend.payments.services import Services
from protocol.errors import TillwayError

_log = structlog.get_logger()
_PREFIX = "/operator/"
_LOOKS = frozenset({"GET", "HEAD", "OPTIONS"})
_REFUSED = 400


class OperatorActs:
    """Around the public application. ``kept_elsewhere`` are paths whose rooms keep their own acts,
    with more in them."""

    def __init__(
        self, app: ASGIApp, services: Services, *, kept_elsewhere: tuple[str, ...]
    ) -> None:
        self._app = app
        self._services = services
        self._kept_elsewhere = kept_elsewhere

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application's answer, its line written first."""
        if not self._is_act(scope):
            await self._app(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            begins = message["type"] == "http.response.start"
            if begins and message["status"] < _REFUSED and scope["state"].get(ADMITTED):
                await self._keep(scope, message["status"])
            await send(message)

        scope.setdefault("state", {})
        await self._app(scope, receive, sent)

    def _is_act(self, scope: Scope) -> bool:
        if scope["type"] != "http" or scope["method"] in _LOOKS:
            return False
        path: str = scope["path"]
        return path.startswith(_PREFIX) and not path.startswith(self._kept_elsewhere)

    async def _keep(self, scope: Scope, status: int) -> None:
        client = scope.get("client")
        act = Act(
            kind=ActKind.REQUEST,
            what=scope["method"].lower(),
            actor="operator",
            origin=client[0] if client else "",
            subject=scope["path"],
        )
        try:
            await self._services.submit(KeepAct(act, after={"status": status}))
        except TillwayError as error:
            # What was asked for is done already: its answer must not say otherwise.
            _log.error("act_not_kept", path=scope["path"], code=error.code)
