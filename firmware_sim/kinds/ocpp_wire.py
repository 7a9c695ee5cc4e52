"""Reads a charger's line for people: calls, their answers by the call's name, the module's words.

A card's number is kept secret but for its last four characters, and whatever stands in a message
that sets a charger's password altogether.
"""

import re
from collections.abc import Iterator

from firmware_sim.frames import JUNK, Frame, Side, broken_off
from protocol.framing import ocppj
from protocol.framing.ocppj import BadMessage, Call, CallError, CallResult, JsonObject

_TOKEN = re.compile(rb'"(?:idTag|parentIdTag|idToken|additionalIdToken)"\s*:\s*"((?:[^"\\]|\\.)*)"')
_PASSWORD = re.compile(rb"AuthorizationKey|BasicAuthPassword")
_VALUE = re.compile(rb'"(?:value|attributeValue)"\s*:\s*"((?:[^"\\]|\\.)*)"')
_SHOWN = ("status", "type", "connectorId", "evseId", "transactionId", "reason", "eventType",
          "triggerReason", "seqNo", "errorCode", "requestedMessage", "key", "interval")  # fmt: skip
_CALLS_KEPT_MAX = 64
_SHOWN_CHARS_MAX = 60
TOKEN_CHARS_SHOWN = 4
_BYTES_SHOWN_OF_A_PIECE = 4
"""A piece may end within a card's number or a password."""


def masked_token(token: str) -> str:
    """A card's number as it may be shown: its last characters, of a short one none."""
    kept = token[-TOKEN_CHARS_SHOWN:] if len(token) >= 2 * TOKEN_CHARS_SHOWN else ""
    return "*" * (len(token) - len(kept)) + kept


class OcppDecoder:
    """Lines of both sides."""

    def __init__(self) -> None:
        self._parsers = {side: ocppj.LineParser() for side in Side}
        self._calls: dict[tuple[Side, str], str] = {}

    def feed(self, side: Side, data: bytes) -> list[Frame]:
        """As ``FrameDecoder.feed``."""
        return [self._frame(side, line) for line in self._parsers[side].feed(data)]

    def rest(self, side: Side) -> list[Frame]:
        """As ``FrameDecoder.rest``."""
        return broken_off(side, self._parsers[side], _BYTES_SHOWN_OF_A_PIECE)

    def _frame(self, side: Side, line: bytes) -> Frame:
        raw = line + b"\n"
        if not line.startswith(b"["):
            name, fields = _module_word(line)
            return Frame(side, raw, name, fields, name != JUNK, _secrets(raw))
        message = ocppj.decode(line)
        name, fields = self._said(side, message)
        is_valid = not isinstance(message, BadMessage)
        return Frame(side, raw, name, fields, is_valid, _secrets(raw))

    def _said(self, side: Side, message: ocppj.Message) -> tuple[str, dict[str, str | int]]:
        match message:
            case Call():
                self._remember(side, message)
                return message.action[:_SHOWN_CHARS_MAX], _fields(message.payload)
            case CallResult():
                return f"{self._asked(side, message.message_id)}.result", _fields(message.payload)
            case CallError():
                name = f"{self._asked(side, message.message_id)}.error"
                return name, {"code": message.code[:_SHOWN_CHARS_MAX]}
            case BadMessage():
                return JUNK, {"why": message.reason}

    def _remember(self, side: Side, call: Call) -> None:
        self._calls[side, call.message_id] = call.action[:_SHOWN_CHARS_MAX]
        if len(self._calls) > _CALLS_KEPT_MAX:
            del self._calls[next(iter(self._calls))]

    def _asked(self, side: Side, message_id: str) -> str:
        other = Side.DEVICE if side is Side.HOST else Side.HOST
        return self._calls.pop((other, message_id), "unknown")


def _fields(payload: JsonObject) -> dict[str, str | int]:
    shown = dict(_shown(payload))
    for name, part in payload.items():
        if isinstance(part, dict) and name in {"transactionInfo", "idTagInfo", "idTokenInfo"}:
            shown.update(_shown(part))
    return shown


def _shown(payload: JsonObject) -> Iterator[tuple[str, str | int]]:
    for name in _SHOWN:
        value = payload.get(name)
        if isinstance(value, bool | int | str):
            yield name, value if isinstance(value, int) else value[:_SHOWN_CHARS_MAX]
    for name in ("idTag", "idToken"):
        held = payload.get(name)
        token = held.get("idToken") if isinstance(held, dict) else held
        if isinstance(token, str):
            yield name, masked_token(token[:_SHOWN_CHARS_MAX])


def _secrets(raw: bytes) -> tuple[tuple[int, int], ...]:
    found = (match.span(1) for match in _TOKEN.finditer(raw))
    passwords = _VALUE.finditer(raw) if _PASSWORD.search(raw) else ()
    return (
        *((start, end - TOKEN_CHARS_SHOWN if end - start >= 2 * TOKEN_CHARS_SHOWN else end)
          for start, end in found),
        *(match.span(1) for match in passwords),
    )  # fmt: skip


_WORDS = (ocppj.DIAL, ocppj.HANGUP, ocppj.CONNECT, ocppj.NO_CARRIER)


def _module_word(line: bytes) -> tuple[str, dict[str, str | int]]:
    """A word of the network module's, such as ``no_carrier``, and the subprotocol behind it."""
    for word in _WORDS:
        if line == word or line.startswith(word + b" "):
            rest = line[len(word) :].strip().decode("ascii", errors="backslashreplace")
            name = word.decode().lower().replace(" ", "_")
            return name, {"subprotocol": rest[:_SHOWN_CHARS_MAX]} if rest else {}
    return JUNK, {}
