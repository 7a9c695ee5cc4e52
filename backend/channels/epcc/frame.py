"""What goes over the line: the XML, a newline, and ``{S:<base64 of the signature over the XML>}``.

Rule 1: the signature is over the exact bytes before the newline.
Rule 2: nothing is taken from a message before its signature held under a key that we know to be
        the named institution's.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable

from backend.channels.epcc import codec
from backend.channels.epcc.limits import MESSAGE_BYTES_MAX, SIGNATURE_LINE_BYTES_MAX
from backend.channels.epcc.model import DEBIT_CARD, RESERVE_ACCOUNT, Header, Message, type_name
from protocol.crypto.keys import SigningKey, VerifyKey
from protocol.errors import CallerError

PATH = "/epcc"
"""Where a clearing house takes it."""
KeyOf = Callable[[str, str], VerifyKey | None]
"""An institution's number and its key's serial → the key; None for one it does not have."""


def write(header: Header, message: Message, *, key: SigningKey, receiver: VerifyKey) -> bytes:
    """A signed message."""
    xml = codec.write(header, message, signed_with=key.public, receiver=receiver)
    return xml + b"\n" + signature_line(key, xml)


def read(data: bytes, *, key_of: KeyOf, key: SigningKey) -> tuple[Header, Message]:
    """A signed message for us.

    ``signature_invalid`` unless the signature holds under the key of the institution that the
    header names; ``file_rejected`` with line and reason for anything else that is wrong.
    """
    xml, line = split(data)
    root = codec.parse(xml)
    issuer = root[0].findtext(f"{{{codec.NAMESPACE}}}IssrId") or ""
    serial = root[0].findtext(f"{{{codec.NAMESPACE}}}SignSN") or ""
    known = key_of(issuer, serial)
    if known is None:
        raise CallerError("signature_invalid", "no such institution, or another key")
    check_line(known, line, xml)
    return codec.read(xml, key)


def http_headers(header: Header) -> dict[str, str]:
    """What the dialect repeats outside of the message."""
    return {
        "Content-Type": "application/xml; charset=utf-8",
        "MsgTp": type_name(header.message_type),
        "OriIssrId": header.issuer,
        "PyerAcctTp": DEBIT_CARD,
        "PyeeAcctTp": RESERVE_ACCOUNT,
        "ReservedField": "",
    }


def split(data: bytes) -> tuple[bytes, bytes]:
    """The XML, and the signature's line."""
    if len(data) > MESSAGE_BYTES_MAX + SIGNATURE_LINE_BYTES_MAX:
        raise CallerError("file_rejected", "too large")
    xml, newline, line = data.rpartition(b"\n")
    if not newline or not line.startswith(b"{S:") or not line.endswith(b"}"):
        raise CallerError("file_rejected", "the last line is no signature")
    return xml, line


def serial(xml: bytes) -> str:
    """Whose key a message says it is signed with; nothing in it is proven by that."""
    return codec.parse(xml)[0].findtext(f"{{{codec.NAMESPACE}}}SignSN") or ""


def digest(data: bytes) -> str:
    """What an answer says of the request that it answers: SHA-256 over all its bytes."""
    return hashlib.sha256(data).hexdigest()


def signature_line(key: SigningKey, signed: bytes) -> bytes:
    """``{S:…}`` over bytes."""
    return b"{S:" + base64.b64encode(key.sign(signed)) + b"}"


def check_line(key: VerifyKey, line: bytes, signed: bytes) -> None:
    """``signature_invalid`` unless the line signs these bytes."""
    try:
        raw = base64.b64decode(line[3:-1], validate=True)
    except binascii.Error:
        raise CallerError("signature_invalid", "not base64") from None
    if not key.verify(raw, signed):
        raise CallerError("signature_invalid")


def only(issuer: str, key: VerifyKey) -> KeyOf:
    """Know one institution by one key."""
    return lambda named, serial: key if (named, serial) == (issuer, key.kid.hex()) else None
