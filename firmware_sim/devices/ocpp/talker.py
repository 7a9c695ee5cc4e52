"""The charge point's line: dialling, the lines that come, the calls that are answered.

Rule 1: a line is between charge point and network module, or a message; nothing else is said.
Rule 2: a call gets exactly one answer, in the turn in which it came. Rule 3: what the station
makes of a connection, an alarm or a call is in the methods that it supplies.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from firmware_sim.devices.device import Output
from firmware_sim.devices.ocpp.draws import Draws
from firmware_sim.devices.ocpp.rpc import Question, Rpc, Then
from firmware_sim.devices.ocpp.shapes import Broken, Shape, violation
from firmware_sim.devices.ocpp.timers import Timers
from firmware_sim.devices.ocpp.uplink import DIAL_TIMEOUT_MS, BackOff, Line, Uplink
from protocol.framing import ocppj
from protocol.framing.ocppj import BadMessage, Call, CallError, CallResult, JsonObject

NETWORK_BAUD = 4_000_000
"""A network has no line rate; this one is the fastest that any port knows."""


@dataclass(frozen=True, slots=True)
class Request:
    """A call that the charge point understands: its shape, and what is done."""

    shape: Shape
    run: Callable[[Any, JsonObject, int], JsonObject]


class RequestRefusedError(Exception):
    """A call that cannot be answered but by a CALLERROR."""

    def __init__(self, code: str, description: str) -> None:
        self.code, self.description = code, description
        super().__init__(code)


class Talker(ABC):
    """One end of an OCPP-J line. Time is the device's, in milliseconds."""

    SUBPROTOCOL: ClassVar[str]
    REQUESTS: ClassVar[Mapping[str, Request]]
    BROKEN_CODES: ClassVar[Mapping[Broken, str]]

    def __init__(self, *, seed: bytes) -> None:
        self.draws = Draws(seed)
        self.timers = Timers()
        self.rpc = Rpc(self.draws)
        self.uplink = Uplink()
        self.has_network = True
        self.is_on = False
        self._parser = ocppj.LineParser()
        self._out: list[Output] = []

    # -- the device's contract -------------------------------------------------------------

    @property
    def baud(self) -> int:
        """A network's line: no rate garbles it."""
        return NETWORK_BAUD

    def boot(self, now_ms: int) -> list[Output]:
        """Power comes, or comes back: what is not in flash is gone."""
        self.power_up(now_ms)
        return self.turn(now_ms)

    def feed(self, data: bytes, now_ms: int) -> list[Output]:
        """Take bytes of the line."""
        if self.is_on:
            for line in self._parser.feed(data):
                self._hear(line, now_ms)
        return self.turn(now_ms)

    def poll(self, now_ms: int) -> list[Output]:
        """Do what time alone makes due."""
        for name in self.timers.take_due(now_ms):
            self.rang(name, now_ms)
        self.rpc.expire(now_ms)
        return self.turn(now_ms)

    def next_deadline_ms(self) -> int | None:
        """When time alone changes a thing."""
        due = [at for at in (self.timers.next_ms(), self.rpc.due_ms) if at is not None]
        return min(due, default=None)

    # -- what the station supplies -----------------------------------------------------------

    @abstractmethod
    def power_up(self, now_ms: int) -> None:
        """Power comes."""

    @abstractmethod
    def rang(self, name: str, now_ms: int) -> None:
        """An alarm rings."""

    @abstractmethod
    def settle(self, now_ms: int) -> None:
        """Bring states and meters up to the facts."""

    @abstractmethod
    def pump(self, now_ms: int) -> None:
        """Send the next call, where one may go."""

    @abstractmethod
    def connected(self, now_ms: int) -> None:
        """The connection stands."""

    @abstractmethod
    def may_answer(self) -> bool:
        """Whether the central system may ask anything now."""

    @abstractmethod
    def back_off(self) -> BackOff:
        """How dialling waits."""

    @abstractmethod
    def unregistered(self, call: Call) -> CallError | None:
        """What a call gets before registration; ``None`` is silence."""

    @abstractmethod
    def unreadable(self, bad: BadMessage) -> CallError | None:
        """What a line that is no message gets; ``None`` is silence."""

    # -- turning ---------------------------------------------------------------------------

    def turn(self, now_ms: int) -> list[Output]:
        """Settle, say what is to be said, and give what was said."""
        if self.is_on:
            self.settle(now_ms)
            self.pump(now_ms)
        said, self._out = self._out, []
        return said

    def ask(self, action: str, payload: JsonObject, then: Then = lambda _reply, _now: None) -> bool:
        """Let a call wait for its turn; ``False`` where it cannot: no connection, or too many."""
        return self.uplink.is_up and self.rpc.ask(Question(action, payload, then))

    def send(self, question: Question, now_ms: int) -> None:
        """Put a call into flight."""
        self._say(ocppj.encode(self.rpc.send(question, now_ms)), now_ms)

    def forget_line(self) -> None:
        """The program ends: nothing is waited for any more."""
        self._parser = ocppj.LineParser()
        self.rpc.forget()
        self.timers.clear_all()
        self.uplink = Uplink()

    def hang_up(self, now_ms: int) -> None:
        """End the connection, where there is one or one is tried."""
        if self.uplink.line is not Line.DOWN:
            self._say(ocppj.module_line(ocppj.HANGUP), now_ms)

    # -- the line --------------------------------------------------------------------------

    def _say(self, line: bytes, now_ms: int) -> None:
        self._out.append(Output(now_ms, line, NETWORK_BAUD))

    def _hear(self, line: bytes, now_ms: int) -> None:
        if line.startswith(ocppj.CONNECT):
            self._connect(now_ms)
        elif line == ocppj.NO_CARRIER:
            self._disconnected(now_ms)
        elif self.uplink.is_up:
            self._take(ocppj.decode(line), now_ms)

    def _take(self, message: ocppj.Message, now_ms: int) -> None:
        match message:
            case Call():
                answer = self._answer(message, now_ms)
            case BadMessage():
                answer = self.unreadable(message)
            case _:
                self.rpc.answer(message, now_ms)
                return
        if answer is not None:
            self._say(ocppj.encode(answer), now_ms)

    def _answer(self, call: Call, now_ms: int) -> CallResult | CallError | None:
        if not self.may_answer():
            return self.unregistered(call)
        request = self.REQUESTS.get(call.action)
        if request is None:
            return CallError(call.message_id, "NotImplemented", "the action is not known")
        found = violation(call.payload, request.shape)
        if found is not None:
            return CallError(call.message_id, self.BROKEN_CODES[found.broken], found.where)
        try:
            return CallResult(call.message_id, request.run(self, call.payload, now_ms))
        except RequestRefusedError as refusal:
            return CallError(call.message_id, refusal.code, refusal.description)

    def _connect(self, now_ms: int) -> None:
        if self.uplink.is_up or not self.has_network:
            return
        self.uplink.connected()
        self.timers.clear("dial")
        self.connected(now_ms)

    def _disconnected(self, now_ms: int) -> None:
        if self.uplink.line is Line.DOWN:
            return
        self.uplink.lost(now_ms)
        self.rpc.go_offline(now_ms)
        if self.has_network:
            wait_ms = self.back_off().wait_ms(self.uplink.failures, self.draws)
            self.timers.set("dial", now_ms + wait_ms)

    def dial_or_give_up(self, now_ms: int) -> None:
        """Dial where the line is down; a dial that nobody answered has failed."""
        if self.uplink.line is Line.DIALLING:
            self._disconnected(now_ms)
        elif self.uplink.line is Line.DOWN and self.has_network:
            self._say(ocppj.module_line(ocppj.DIAL, self.SUBPROTOCOL), now_ms)
            self.uplink.line = Line.DIALLING
            self.timers.set("dial", now_ms + DIAL_TIMEOUT_MS)

    def set_network(self, now_ms: int, *, is_there: bool) -> None:
        """The network goes away, or comes back (a person pulls its cable)."""
        if is_there is self.has_network or not self.is_on:
            self.has_network = is_there
            return
        self.has_network = is_there
        if is_there:
            self.dial_or_give_up(now_ms)
            return
        self.hang_up(now_ms)
        self._disconnected(now_ms)
        self.timers.clear("dial")
