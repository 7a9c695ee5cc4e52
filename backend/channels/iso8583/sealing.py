"""The MAC on a message: put on what leaves, checked on what comes.

The MAC's block is the message from its type to field 63, with the bitmap that says field 64 is
there; TPDU and header stay outside.
"""

from backend.channels.iso8583.codec import MAC_FIELD, Message, decode, encode
from backend.channels.iso8583.crypto import is_mac, mac_cup_ecb
from protocol.errors import CallerError

_MAC_BYTES = 8
_NO_MAC = "0" * 16


def seal(message: Message, key: bytes) -> bytes:
    """The message's bytes with its MAC."""
    block = encode(Message(message.mti, {**message.fields, MAC_FIELD: _NO_MAC}))[:-_MAC_BYTES]
    return block + mac_cup_ecb(key, block)


def unseal(body: bytes, key: bytes) -> Message:
    """The message in these bytes; ``mac_invalid`` where its MAC is missing or wrong."""
    message = decode(body)
    check_seal(message, body, key)
    return message


def check_seal(message: Message, body: bytes, key: bytes) -> None:
    """``mac_invalid`` unless the message that was read from these bytes has a true MAC."""
    has_mac = MAC_FIELD in message.fields
    if not has_mac or not is_mac(mac_cup_ecb(key, body[:-_MAC_BYTES]), body[-_MAC_BYTES:]):
        raise CallerError("mac_invalid", "field 64")
