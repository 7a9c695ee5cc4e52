"""How institutions sign what they send each other over HTTP: both directions, over exact bytes.

A request signs ``METHOD LF path LF body``; a response signs ``status LF request signature LF
SHA-256 of the body in hex``, so that an answer cannot be moved to another question, and a long one
is checked without being held.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping

from protocol import cbor
from protocol.crypto.keys import SigningKey, VerifyKey
from protocol.errors import CallerError

KEY_HEADER = "Tillway-Key"
SIGNATURE_HEADER = "Tillway-Signature"
_KEY_TEXT_BYTES_MAX = 4096


def key_text(key: VerifyKey) -> str:
    """A public key as one line of text, for configuration files."""
    return base64.urlsafe_b64encode(cbor.encode(key.to_wire())).decode()


def read_key(text: str) -> VerifyKey:
    """The key in a line of text; raises ``CallerError`` for anything else."""
    try:
        raw = base64.urlsafe_b64decode(text.encode())
    except (binascii.Error, ValueError):
        raise CallerError("config_invalid", "a public key") from None
    return VerifyKey.from_wire(cbor.decode(raw, bytes_max=_KEY_TEXT_BYTES_MAX))


def request_headers(key: SigningKey, *, method: str, path: str, body: bytes) -> dict[str, str]:
    """The headers that sign a request."""
    return _headers(key, _request_text(method, path, body))


def response_headers(
    key: SigningKey, *, status: int, request_signature: str, body: bytes
) -> dict[str, str]:
    """The headers that sign the answer to a request."""
    digest = hashlib.sha256(body).hexdigest()
    return _headers(key, _response_text(status, request_signature, digest))


def check_request(
    keys: Mapping[str, VerifyKey],
    headers: Mapping[str, str],
    *,
    method: str,
    path: str,
    body: bytes,
) -> str:
    """The request's signature, once it holds under a key we know; else ``signature_invalid``."""
    return _check(keys, headers, _request_text(method, path, body))


def check_response(
    keys: Mapping[str, VerifyKey],
    headers: Mapping[str, str],
    *,
    status: int,
    request_signature: str,
    digest: str,
) -> None:
    """Raise ``signature_invalid`` unless the peer signed this answer, of whose body this is the
    SHA-256 in hex, to this very request."""
    _check(keys, headers, _response_text(status, request_signature, digest))


def by_kid(*keys: VerifyKey) -> dict[str, VerifyKey]:
    """Keys, found by the id that stands in the header."""
    return {key.kid.hex(): key for key in keys}


def _request_text(method: str, path: str, body: bytes) -> bytes:
    return f"{method}\n{path}\n".encode() + body


def _response_text(status: int, request_signature: str, digest: str) -> bytes:
    return f"{status}\n{request_signature}\n{digest}".encode()


def _headers(key: SigningKey, text: bytes) -> dict[str, str]:
    signature = base64.b64encode(key.sign(text)).decode()
    return {KEY_HEADER: key.kid.hex(), SIGNATURE_HEADER: signature}


def _check(keys: Mapping[str, VerifyKey], headers: Mapping[str, str], text: bytes) -> str:
    key = keys.get(headers.get(KEY_HEADER, ""))
    signature = headers.get(SIGNATURE_HEADER, "")
    try:
        raw = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        raise CallerError("signature_invalid") from None
    if key is None or not key.verify(raw, text):
        raise CallerError("signature_invalid")
    return signature
