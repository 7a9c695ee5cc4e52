"""Messages to bytes and back, by our table of UnionPay's fields.

Rule 1: numeric is BCD, an odd one filled on the right with 0 (field 23 on the left); variable
        lengths are BCD, one byte to 99 and two to 999, and count the digits of numeric fields.
Rule 2: text is ASCII; binary fields are bytes, here written as upper-case hexadecimal.
Rule 3: refused whole, with the field and the reason: nothing of a bad message is used.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import iso8583

from protocol.errors import CallerError

_Kind = Literal["n", "z", "text", "b"]
MAC_FIELD = 64
# field: kind, length, digits of a variable length (0: fixed), name
_FIELDS: dict[int, tuple[_Kind, int, int, str]] = {
    2: ("n", 19, 2, "primary account number"),
    3: ("n", 6, 0, "processing code"),
    4: ("n", 12, 0, "amount"),
    11: ("n", 6, 0, "STAN"),
    12: ("n", 6, 0, "local time"),
    13: ("n", 4, 0, "local date"),
    14: ("n", 4, 0, "expiry"),
    15: ("n", 4, 0, "settlement date"),
    22: ("n", 3, 0, "entry mode"),
    23: ("n", 3, 0, "card sequence"),
    25: ("n", 2, 0, "condition"),
    26: ("n", 2, 0, "PIN length"),
    32: ("n", 11, 2, "acquirer"),
    35: ("z", 37, 2, "track 2"),
    37: ("text", 12, 0, "retrieval reference"),
    38: ("text", 6, 0, "authorization code"),
    39: ("text", 2, 0, "response code"),
    41: ("text", 8, 0, "terminal"),
    42: ("text", 15, 0, "merchant"),
    44: ("text", 25, 2, "additional response"),
    48: ("n", 322, 3, "additional data"),
    49: ("text", 3, 0, "currency"),
    52: ("b", 8, 0, "PIN block"),
    53: ("n", 16, 0, "security control"),
    54: ("text", 20, 3, "balances"),
    55: ("b", 255, 3, "EMV data"),
    58: ("b", 100, 3, "e-purse"),
    60: (
        "n",
        99,
        3,
        "reserved: type, batch, network code",
    ),  # live packets exceed the textbook's 17
    61: ("n", 29, 3, "original message"),
    62: ("b", 512, 3, "keys, or private text"),
    63: ("text", 163, 3, "private text"),
    64: ("b", 8, 0, "MAC"),
}
FIELDS = frozenset(_FIELDS)
_LEFT_PADDED = 23
_LEFT_OUT = 0
"""The library wants an entry for every field; one of length zero that is present is refused."""
_DIGITS = frozenset("0123456789")
_TRACK = _DIGITS | {"D"}


@dataclass(frozen=True, slots=True)
class Message:
    """A message: its type and its fields by number. Binary ones as upper-case hexadecimal."""

    mti: str
    fields: Mapping[int, str]

    def without_mac(self) -> "Message":
        """The message without field 64, its MAC."""
        kept = {number: value for number, value in self.fields.items() if number != MAC_FIELD}
        return Message(self.mti, kept)


def encode(message: Message) -> bytes:
    """A message's bytes; ``frame_rejected`` for a value that its field cannot hold."""
    _check(message)
    document = {"t": message.mti} | {str(n): value for n, value in message.fields.items()}
    try:
        encoded, _ = iso8583.encode(document, _SPEC)
    except iso8583.EncodeError as error:
        raise _rejected(error.field, error.msg) from None
    return bytes(encoded)


def decode(data: bytes) -> Message:
    """The message in these bytes, all of them; ``frame_rejected`` names field and reason."""
    try:
        document, _ = iso8583.decode(data, _SPEC)
    except iso8583.DecodeError as error:
        raise _rejected(error.field, error.msg) from None
    fields = {int(key): value for key, value in document.items() if key.isdigit()}
    message = Message(document["t"], fields)
    _check(message)
    return message


def _check(message: Message) -> None:
    if len(message.mti) != 4 or not _DIGITS.issuperset(message.mti):
        raise _rejected("t", "not a message type")
    for number, value in message.fields.items():
        if number not in _FIELDS:
            raise _rejected(str(number), "not a field of this flavour")
        kind, _, variable, _ = _FIELDS[number]
        if not value and variable:
            raise _rejected(str(number), "empty")
        if not _is_sound(kind, value):
            raise _rejected(str(number), {"n": "not digits", "z": "not a track"}.get(kind, kind))


def _is_sound(kind: _Kind, value: str) -> bool:
    match kind:
        case "n":
            return _DIGITS.issuperset(value)
        case "z":
            return _TRACK.issuperset(value)
        case "text":
            return value.isascii() and value.isprintable()
    return value == value.upper()


def _rejected(field: str, reason: str) -> CallerError:
    return CallerError("frame_rejected", f"field {field}: {reason}")


def _entry(number: int) -> dict[str, Any]:
    kind, length, variable, name = _FIELDS.get(number, ("b", _LEFT_OUT, 0, "not used"))
    entry: dict[str, Any] = {
        "data_enc": "ascii" if kind == "text" else "b",
        "len_enc": "bcd",
        "len_type": (variable + 1) // 2,
        "len_count": "nibbles" if kind in {"n", "z"} else "bytes",
        "max_len": length,
        "desc": name,
    }
    if kind in {"n", "z"}:
        entry["left_pad" if number == _LEFT_PADDED else "right_pad"] = "0"
    return entry


_SPEC: dict[str, dict[str, Any]] = {
    "h": {"data_enc": "b", "len_enc": "b", "len_type": 0, "max_len": 0, "desc": "outside"},
    "t": {"data_enc": "b", "len_enc": "b", "len_type": 0, "max_len": 2, "desc": "type"},
    "p": {"data_enc": "b", "len_enc": "b", "len_type": 0, "max_len": 8, "desc": "bitmap"},
    **{str(number): _entry(number) for number in range(1, 129)},
}
