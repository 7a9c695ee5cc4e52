"""The operator's bearer token: compared by hash, in constant time; wrong tries are bounded."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Awaitable, Callable

from fastapi import Request

from backend.operator.limits import TOKEN_CHARS_MAX
from backend.rate_limit import RateLimit
from protocol.errors import CallerError


def operator_only(digest: bytes, wrong_tries: RateLimit) -> Callable[[Request], Awaitable[None]]:
    """A dependency that lets the operator through and nobody else."""

    async def check(request: Request) -> None:
        token = _token(request.headers.get("authorization", ""))
        found = hashlib.sha256(token).digest()
        if hmac.compare_digest(found, digest):
            return
        wrong_tries.take(request.client.host if request.client else "")
        raise CallerError("not_authorized")

    return check


def _token(header: str) -> bytes:
    """The token of ``Bearer TOKEN``, or of ``Basic`` with any name and the token as password,
    which is how a browser can say it (RFC 7617 §2). Empty when there is none."""
    scheme, _, value = header.partition(" ")
    value = value.strip()
    if len(value) > TOKEN_CHARS_MAX or not value.isascii():
        return b""
    if scheme.lower() == "bearer":
        return value.encode()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).partition(b":")[2]
        except binascii.Error:
            return b""
    return b""
