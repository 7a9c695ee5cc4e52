"""The calls of the charge point that are not kept over a cut, and the one call in flight.

Rule 1: one call at a time; the next waits for the answer or the timeout (OCPP-J §4.1.1).
Rule 2: an answer to a call that is not in flight is ignored. Rule 3: the queue is bounded; what
does not fit is refused, so its sender must be able to do without.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from firmware_sim.devices.ocpp.draws import Draws
from firmware_sim.devices.ocpp.limits import CALLS_WAITING_MAX, MESSAGE_TIMEOUT_MS
from protocol.framing.ocppj import Call, CallError, CallResult, JsonObject

TIMED_OUT = "timeout"
OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a call: a payload, or the code of what went wrong."""

    payload: JsonObject = field(default_factory=dict)
    code: str = ""


Then = Callable[[Reply, int], None]


@dataclass(frozen=True, slots=True)
class Question:
    """A call that waits, and what is done with its reply at the time it comes."""

    action: str
    payload: JsonObject
    then: Then


@dataclass(slots=True)
class Rpc:
    """The calls of one connection."""

    draws: Draws
    _waiting: deque[Question] = field(default_factory=deque)
    _in_flight: tuple[str, Question] | None = None
    _due_ms: int = 0

    @property
    def is_busy(self) -> bool:
        """Whether an answer is waited for."""
        return self._in_flight is not None

    @property
    def due_ms(self) -> int | None:
        """When waiting for the answer ends."""
        return self._due_ms if self._in_flight else None

    @property
    def waiting_count(self) -> int:
        """How many calls wait for their turn."""
        return len(self._waiting)

    def ask(self, question: Question) -> bool:
        """Let a call wait for its turn; ``False`` where too many do."""
        if len(self._waiting) >= CALLS_WAITING_MAX:
            return False
        self._waiting.append(question)
        return True

    def take_waiting(self) -> Question:
        """The call whose turn it is."""
        return self._waiting.popleft()

    def send(self, question: Question, now_ms: int) -> Call:
        """Put a call into flight."""
        assert self._in_flight is None, "one call at a time"
        call = Call(self.draws.identifier(), question.action, question.payload)
        self._in_flight = (call.message_id, question)
        self._due_ms = now_ms + MESSAGE_TIMEOUT_MS
        return call

    def answer(self, message: CallResult | CallError, now_ms: int) -> bool:
        """Give an answer to whoever waits for it; ``False`` where nobody does."""
        if self._in_flight is None or self._in_flight[0] != message.message_id:
            return False
        if isinstance(message, CallResult):
            self._settle(Reply(message.payload), now_ms)
        else:
            self._settle(Reply(code=message.code or "GenericError"), now_ms)
        return True

    def expire(self, now_ms: int) -> None:
        """Give up waiting for the answer, where it is due."""
        if self._in_flight is not None and now_ms >= self._due_ms:
            self._settle(Reply(code=TIMED_OUT), now_ms)

    def go_offline(self, now_ms: int) -> None:
        """The connection is gone, and with it the call in flight and all that wait."""
        waiting = list(self._waiting)
        self._waiting.clear()
        if self._in_flight is not None:
            self._settle(Reply(code=OFFLINE), now_ms)
        for question in waiting:
            question.then(Reply(code=OFFLINE), now_ms)

    def forget(self) -> None:
        """Power is gone: nobody waits any more."""
        self._waiting.clear()
        self._in_flight = None

    def _settle(self, reply: Reply, now_ms: int) -> None:
        assert self._in_flight is not None
        _, question = self._in_flight
        self._in_flight = None
        question.then(reply, now_ms)
