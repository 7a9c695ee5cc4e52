"""The central system's side of a conformance check of a charge point.

Rule 1: the suite is the central system: it accepts the charge point, answers what it asks, and
holds each of its calls against the standard's form. Rule 2: it knows lines only
(``protocol.framing.ocppj``); the network module that they pass is simulated, or ``ws_port``.
Rule 3: a wait ends when nothing was said for so long, or after ``CALLS_MAX`` calls.
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from firmware_sim.conformance.check import NOTHING, CheckFailedError, Wire, expect
from firmware_sim.devices.ocpp.shapes import Shape, violation
from protocol.framing import ocppj
from protocol.framing.ocppj import BadMessage, Call, CallError, CallResult, JsonObject

REPLY_S = 3.0
QUIET_S = 0.06
CALLS_MAX = 100
"""Of a charge point that does not stop calling."""
_numbers = itertools.count(1)
Answer = Callable[[JsonObject], JsonObject]


def now_text() -> str:
    """The time as an answer tells it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


@dataclass(frozen=True, slots=True)
class Version:
    """What a version's charge point says: its subprotocol, its calls, what they are answered."""

    subprotocol: str
    calls: Mapping[str, Shape]
    answers: Mapping[str, Answer]


@dataclass(slots=True)
class Central:
    """One check's conversation. ``heard`` are the charge point's calls, oldest first."""

    wire: Wire
    version: Version
    heard: list[Call] = field(default_factory=list)
    replies: dict[str, CallResult | CallError] = field(default_factory=dict)
    _parser: ocppj.LineParser = field(default_factory=ocppj.LineParser)

    def join(self) -> "Central":
        """Be connected, and answer what the charge point has to say first."""
        self.connect()
        self.serve(QUIET_S)
        return self

    def connect(self) -> None:
        """Let the network module connect; nothing where it is."""
        self.wire.send(ocppj.module_line(ocppj.CONNECT, self.version.subprotocol))

    def cut(self) -> None:
        """Let the connection end."""
        self.wire.send(ocppj.module_line(ocppj.NO_CARRIER))

    def serve(self, quiet_s: float) -> None:
        """Answer calls until the charge point has been quiet for so long."""
        while (call := self.next_call(quiet_s)) is not None:
            self.answer(call)

    def next_call(self, within_s: float) -> Call | None:
        """The charge point's next call, not yet answered."""
        count = len(self.heard)
        self._listen(lambda: len(self.heard) > count, within_s)
        return self.heard[count] if len(self.heard) > count else None

    def answer(self, call: Call) -> None:
        """Answer a call."""
        answer = self.version.answers.get(call.action)
        payload = answer(call.payload) if answer else {}
        self.wire.send(ocppj.encode(CallResult(call.message_id, payload)))

    def wait_for(self, action: str, within_s: float = REPLY_S, **fields: object) -> JsonObject:
        """The payload of the next call of a kind, whose fields are these; others are answered.

        Fails once nothing was said for ``within_s``."""
        for _ in range(CALLS_MAX):
            call = self.next_call(within_s)
            if call is None:
                break
            self.answer(call)
            if call.action == action and fields.items() <= call.payload.items():
                return call.payload
        words = ", ".join(f"{name}={value}" for name, value in fields.items())
        said = [one.action for one in self.heard]
        raise CheckFailedError(f"{action}({words})", ", ".join(said) or NOTHING)

    def request(self, action: str, payload: JsonObject) -> CallResult | CallError:
        """Ask; the answer, while calls are answered that come before it."""
        message_id = f"check-{next(_numbers)}"
        return self.request_raw(ocppj.encode(Call(message_id, action, payload)), message_id)

    def request_raw(self, line: bytes, message_id: str) -> CallResult | CallError:
        """As ``request``, of a line that need not be well formed."""
        self.wire.send(line)
        for _ in range(CALLS_MAX):
            count = len(self.heard)
            self._listen(lambda: message_id in self.replies or len(self.heard) > count, REPLY_S)  # noqa: B023
            for call in self.heard[count:]:
                self.answer(call)
            if message_id in self.replies or count == len(self.heard):
                break
        if message_id not in self.replies:
            raise CheckFailedError(f"an answer to {message_id}", NOTHING)
        return self.replies.pop(message_id)

    def ask(self, action: str, **payload: object) -> JsonObject:
        """Ask what must be understood; the answer's payload."""
        reply = self.request(action, payload)
        if isinstance(reply, CallError):
            raise CheckFailedError(f"{action} to be answered", reply.code)
        return reply.payload

    def status_of(self, action: str, **payload: object) -> str:
        """Ask; the status of the answer."""
        return str(self.ask(action, **payload).get("status"))

    def _listen(self, is_enough: Callable[[], bool], within_s: float) -> None:
        """Until it is enough, or nothing was said for so long."""
        while not is_enough():
            data = self.wire.receive(1, within_s)
            if not data:
                return
            for line in self._parser.feed(data):
                self._take(line)

    def _take(self, line: bytes) -> None:
        if not line.startswith(b"["):
            if line.startswith(ocppj.DIAL):
                said = line[len(ocppj.DIAL) :].strip().decode("ascii", errors="replace")
                expect(said == self.version.subprotocol, self.version.subprotocol, said)
                self.connect()
            elif line != ocppj.HANGUP:
                raise CheckFailedError("a line of OCPP-J", f"{line[:40]!r}")
            return
        message = ocppj.decode(line)
        match message:
            case Call():
                self._hold(message)
                self.heard.append(message)
            case CallResult() | CallError():
                self.replies[message.message_id] = message
            case BadMessage():
                raise CheckFailedError("a message", message.reason)

    def _hold(self, call: Call) -> None:
        """Against the standard's form, where the suite knows it."""
        shape = self.version.calls.get(call.action)
        found = violation(call.payload, shape) if shape else None
        if found is not None:
            where = found.where.replace("payload", call.action, 1)
            raise CheckFailedError("the standard's form", f"{where}: {found.broken.value}")
