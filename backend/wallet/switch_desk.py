"""A tester's switches, as async calls, and what two of them do to answers that are on their way.

Rule: what is late or dropped here has been carried out and committed.
"""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from backend.payments.services import Services
from backend.wallet.limits import SLOW_ANSWER_S
from backend.wallet.repository import WalletRepository
from backend.wallet.switches import SetSwitch, Switch

Sleep = Callable[[int], Awaitable[None]]


class AnswerDroppedError(Exception):
    """The answer is not sent: the connection ends."""


class SwitchDesk:
    """One per program."""

    def __init__(self, services: Services, *, sleep: Sleep = asyncio.sleep) -> None:
        self._services = services
        self._wallets = WalletRepository(services.reader)
        self._sleep = sleep

    @property
    def is_there(self) -> bool:
        """Whether this backend has switches at all."""
        return self._services.rules.wallet.failure_switches

    async def of_payer(self, payer_id: str) -> frozenset[Switch]:
        """The payer's switches that are on."""
        if not self.is_there:
            return frozenset()
        found: frozenset[Switch] = await self._services.run_read(
            lambda: self._wallets.switches(payer_id)
        )
        return found

    async def turn(self, payer_id: str, switch: Switch, *, is_on: bool) -> frozenset[Switch]:
        """Turn one; those that are on then."""
        command = SetSwitch(payer_id=payer_id, switch=switch, is_on=is_on)
        turned: frozenset[Switch] = await self._services.submit(command)
        return turned

    async def before_answer(self, payer_id: str) -> None:
        """Let the answer to a payment be late, or not be sent at all."""
        turned_on = await self.of_payer(payer_id)
        if Switch.SLOW in turned_on:
            await self._sleep(SLOW_ANSWER_S)
        if Switch.DROP in turned_on:
            raise AnswerDroppedError


class CutOff(Response):
    """Begins an answer and never ends it, so that the server closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # ASGI's shape
        """As ASGI has it."""
        headers = [(b"content-length", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


async def cut_off(_request: Request, _error: Exception) -> Response:
    """The handler of ``AnswerDroppedError``."""
    return CutOff()
