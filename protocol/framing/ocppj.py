"""OCPP-J messages on a byte line (OCPP 1.6 J §4, OCPP 2.0.1 Part 4 §4).

Rule 1: one message is one line: JSON without a raw line break, then LF. A WebSocket carries a
line as one text message; any other byte line carries it as it stands.
Rule 2: a line that does not begin with ``[`` is between the charge point and its network module,
in a modem's words: ``DIAL ocpp1.6`` and ``HANGUP`` from the charge point, ``CONNECT ocpp1.6`` and
``NO CARRIER`` from the module. Rule 3: every buffer has an end; what is longer is dropped whole.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from protocol.framing.limits import OCPP_LINE_BYTES_MAX, OCPP_MESSAGE_ID_CHARS_MAX

DIAL = b"DIAL"
HANGUP = b"HANGUP"
CONNECT = b"CONNECT"
NO_CARRIER = b"NO CARRIER"

CALL, CALL_RESULT, CALL_ERROR = 2, 3, 4
_LENGTHS = {CALL: 4, CALL_RESULT: 3, CALL_ERROR: 5}
_DESCRIPTION_CHARS_MAX = 255
_CALL_HEAD = re.compile(r'\s*\[\s*2\s*,\s*"([^"\\]{1,36})"\s*,\s*"([A-Za-z]{1,50})"\s*,')
JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """A request of either side."""

    message_id: str
    action: str
    payload: JsonObject


@dataclass(frozen=True, slots=True)
class CallResult:
    """The answer to a request that was understood."""

    message_id: str
    payload: JsonObject


@dataclass(frozen=True, slots=True)
class CallError:
    """The answer to a request that was not."""

    message_id: str
    code: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class BadMessage:
    """A line that is no message; ``message_id`` is empty where none could be read."""

    message_id: str
    reason: str
    is_answer: bool = False
    """Meant as an answer, so none is due to it."""


Message = Call | CallResult | CallError | BadMessage


class LineParser:
    """Cuts a stream of bytes into lines; keeps at most ``OCPP_LINE_BYTES_MAX`` bytes."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._is_overlong = False
        self.overlong_lines = 0

    @property
    def unfinished(self) -> bytes:
        """What has come of a line that is not complete."""
        return bytes(self._kept)

    def clear(self) -> None:
        """Forget what has begun."""
        self._kept.clear()
        self._is_overlong = False

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that ``data`` completes, without their ends; empty lines are left out."""
        lines = []
        *whole, rest = data.split(b"\n")
        for piece in whole:
            self._keep(piece)
            if line := self._take():
                lines.append(line)
        self._keep(rest)
        return lines

    def _keep(self, piece: bytes) -> None:
        if self._is_overlong or len(self._kept) + len(piece) > OCPP_LINE_BYTES_MAX:
            self._is_overlong = True
            self._kept.clear()
        else:
            self._kept += piece

    def _take(self) -> bytes:
        line = bytes(self._kept).strip()
        self._kept.clear()
        if self._is_overlong:
            self._is_overlong = False
            self.overlong_lines += 1
            return b""
        return line


def encode(message: Call | CallResult | CallError) -> bytes:
    """A message as its line, with the LF; ASCII only."""
    match message:
        case Call(message_id, action, payload):
            parts: list[object] = [CALL, message_id, action, payload]
        case CallResult(message_id, payload):
            parts = [CALL_RESULT, message_id, payload]
        case CallError(message_id, code, description):
            parts = [CALL_ERROR, message_id, code, description[:_DESCRIPTION_CHARS_MAX], {}]
    return json.dumps(parts, separators=(",", ":")).encode("ascii") + b"\n"


def module_line(word: bytes, subprotocol: str = "") -> bytes:
    """A line between a charge point and its network module."""
    return (word + b" " + subprotocol.encode("ascii") if subprotocol else word) + b"\n"


def decode(line: bytes) -> Message:
    """The message in a line; a ``BadMessage`` says what is wrong with what is none."""
    try:
        parts = json.loads(line)
        json.dumps(parts, allow_nan=False)  # 1e999 and NaN are read, but are no JSON when written
    except (ValueError, RecursionError):
        return BadMessage("", "not JSON")
    if not isinstance(parts, list) or len(parts) < 2:
        return BadMessage("", "not an array of a message")
    kind, message_id = parts[0], parts[1]
    if not isinstance(message_id, str) or not 0 < len(message_id) <= OCPP_MESSAGE_ID_CHARS_MAX:
        return BadMessage("", "no message id of 1 to 36 characters")
    if type(kind) is not int or kind not in _LENGTHS:
        return BadMessage(message_id, "no such message type")
    if len(parts) != _LENGTHS[kind]:
        reason = f"a message of type {kind} has {_LENGTHS[kind]} elements"
        return BadMessage(message_id, reason, is_answer=kind != CALL)
    return _typed(kind, message_id, parts[2:])


def call_head(line: str) -> tuple[str, str, str]:
    """Id and action of a call, and its rest, which may be unreadable; id and action are empty where
    it is no call."""
    head = _CALL_HEAD.match(line)
    return (head[1], head[2], line[head.end() :]) if head else ("", "", line)


def _typed(kind: int, message_id: str, rest: list[Any]) -> Message:
    if kind == CALL_ERROR:
        code, description = rest[0], rest[1]
        if not isinstance(code, str) or not isinstance(description, str):
            return BadMessage(message_id, "the error's code and description are not text", True)
        return CallError(message_id, code, description)
    if not isinstance(rest[-1], dict):
        return BadMessage(message_id, "the payload is not an object", is_answer=kind != CALL)
    if kind == CALL_RESULT:
        return CallResult(message_id, rest[0])
    if not isinstance(rest[0], str):
        return BadMessage(message_id, "the action is not text")
    return Call(message_id, rest[0], rest[1])
