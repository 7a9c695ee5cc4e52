"""The operator's token: compared by hash, in constant time; wrong tries are bounded.

Rule: what acts takes the token as ``Bearer`` only, which a browser never sends by itself. ``Basic``
is for pages that are read: a browser keeps it and would add it to a form of any other site.
"""

import base64
import binascii
import hashlib
import hmac

from fastapi import Request

from backend.operator.limits import TOKEN_CHARS_MAX
from backend.rate_limit import RateLimit
from protocol.errors import CallerError

ADMITTED = "operator_admitted"
"""Set in a request's state once its token was found to be right."""


class OperatorGuard:
    """Lets the operator through and nobody else. ``api`` and ``page`` are dependencies."""

    def __init__(self, digest: bytes, wrong_tries: RateLimit) -> None:
        self._digest = digest
        self._wrong_tries = wrong_tries

    async def api(self, request: Request) -> None:
        """``Bearer TOKEN``."""
        self._check(request, _bearer(request))

    async def page(self, request: Request) -> None:
        """``Bearer``, or ``Basic`` with any name and the token as password (RFC 7617 §2), for a
        GET only."""
        is_read = request.method == "GET"
        self._check(request, _bearer(request) or (_basic(request) if is_read else b""))

    def _check(self, request: Request, token: bytes) -> None:
        if hmac.compare_digest(hashlib.sha256(token).digest(), self._digest):
            setattr(request.state, ADMITTED, True)
            return
        self._wrong_tries.take(origin_of(request))
        raise CallerError("not_authorized")


def origin_of(request: Request) -> str:
    """The address that a request comes from; empty where there is none."""
    return request.client.host if request.client else ""


def _bearer(request: Request) -> bytes:
    return _said(request, "bearer").encode()


def _basic(request: Request) -> bytes:
    try:
        return base64.b64decode(_said(request, "basic"), validate=True).partition(b":")[2]
    except binascii.Error:
        return b""


def _said(request: Request, scheme: str) -> str:
    """What follows the scheme in the header; empty where it is another scheme or too long."""
    found, _, value = request.headers.get("authorization", "").partition(" ")
    value = value.strip()
    is_good = found.lower() == scheme and len(value) <= TOKEN_CHARS_MAX and value.isascii()
    return value if is_good else ""
