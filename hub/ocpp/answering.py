"""What becomes of one charger's calls.

Rule 1: a call gets one answer: what its dialect says, or a CALLERROR under its version's code.
Rule 2: a charger says a transaction's message again while it gets an error, and nothing of what
        waits behind it. What can never be read is acknowledged when it is said ``UNREAD_TRIES``
        times, and kept for a person. What we could not keep (a full disk) is never acknowledged.
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Awaitable

import structlog

from hub.ocpp.dialect import CallRefusedError, Desk, Dialect
from hub.ocpp.limits import UNREAD_REMEMBERED_MAX, UNREAD_TRIES
from protocol.errors import OperatingError, TillwayError
from protocol.framing import ocppj
from protocol.framing.ocppj import BadMessage, Call, CallError, CallResult

log = structlog.get_logger("hub.ocpp")
_Answer = CallResult | CallError
_NO_ID = "-1"
"""As 2.0.1 wants it; 1.6 has no word for it."""


class Patience:
    """How often one charger has sent each message that cannot be read, over all its connections.
    The message that was sent longest ago is forgotten first."""

    def __init__(self) -> None:
        self._tries: OrderedDict[bytes, int] = OrderedDict()

    def is_over(self, action: str, said: str) -> bool:
        """Count one more refusal of this message; whether it was refused often enough."""
        key = hashlib.sha256(f"{action} {said}".encode()).digest()
        tries = self._tries.pop(key, 0) + 1
        self._tries[key] = tries
        if len(self._tries) > UNREAD_REMEMBERED_MAX:
            self._tries.popitem(last=False)
        return tries >= UNREAD_TRIES


class Answering:
    """Answers what one charger says at one line."""

    def __init__(self, desk: Desk, dialect: Dialect, patience: Patience) -> None:
        self._desk, self._dialect, self._patience = desk, dialect, patience

    async def answer(self, call: Call) -> CallResult | CallError:
        """The one answer to a call."""
        return await self._guarded(call, self._answer(call))

    async def answer_bad(self, bad: BadMessage, line: str) -> CallResult | CallError | None:
        """The answer to a line that is no message; None where none is due."""
        log.warning("ocpp_message_bad", charger=self._desk.charger, reason=bad.reason)
        if bad.is_answer:
            return None
        message_id, action, rest = ocppj.call_head(line)
        call = Call(bad.message_id or message_id or _NO_ID, action, {})
        refused = CallError(call.message_id, self._dialect.malformed, bad.reason)
        return await self._guarded(call, self._refuse(call, refused, rest))

    async def line_broken(self, why: str) -> None:
        """What came is no text that WebSocket allows, so the line ends (RFC 6455 §7.1.7). Its
        charger may say it again at each of its lines: only a person can help."""
        charger = self._desk.charger
        log.error("ocpp_line_broken", charger=charger, why=why)
        try:
            await self._desk.keep_unread("", why, "")
        except OperatingError as error:
            log.warning("ocpp_unread_lost", charger=charger, code=error.code)

    async def _guarded(self, call: Call, work: Awaitable[_Answer]) -> _Answer:
        charger, action = self._desk.charger, call.action
        try:
            return await work
        except TillwayError as error:
            log.warning("ocpp_call_failed", charger=charger, action=action, code=error.code)
            return CallError(call.message_id, "InternalError", error.code)
        except Exception:
            # The outermost loop of a charger's line: a bug in one call must not end its charges.
            log.exception("ocpp_call_broke", charger=charger, action=action)
            return CallError(call.message_id, "InternalError", "")

    async def _answer(self, call: Call) -> _Answer:
        try:
            return CallResult(
                call.message_id, await self._dialect.answer(call.action, call.payload)
            )
        except CallRefusedError as refused:
            error = CallError(call.message_id, refused.code, refused.description)
        return await self._refuse(call, error, json.dumps(call.payload))

    async def _refuse(self, call: Call, refused: CallError, said: str) -> _Answer:
        """The error of what cannot be read, or that it was laid aside (rule 2)."""
        is_ordered = call.action in self._dialect.ordered
        if not is_ordered or not self._patience.is_over(call.action, said):
            return refused
        why = f"{refused.code}: {refused.description}"
        await self._desk.keep_unread(call.action, why, said)
        answer = await self._dialect.lay_aside(call.action, call.payload)
        log.error("ocpp_message_unread", charger=self._desk.charger, action=call.action, why=why)
        return CallResult(call.message_id, answer)
