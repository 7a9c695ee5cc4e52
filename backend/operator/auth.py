"""The operator's bearer token: compared by hash, in constant time; wrong tries are bounded."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable

from fastapi import Request

from backend.operator.limits import TOKEN_CHARS_MAX
from backend.rate_limit import RateLimit
from protocol.errors import CallerError

_SCHEME = "bearer "


def operator_only(digest: bytes, wrong_tries: RateLimit) -> Callable[[Request], Awaitable[None]]:
    """A dependency that lets the operator through and nobody else."""

    async def check(request: Request) -> None:
        header = request.headers.get("authorization", "")
        token = header[len(_SCHEME) :].strip()
        is_shaped = header[: len(_SCHEME)].lower() == _SCHEME and len(token) <= TOKEN_CHARS_MAX
        found = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
        if is_shaped and hmac.compare_digest(found, digest):
            return
        wrong_tries.take(request.client.host if request.client else "")
        raise CallerError("not_authorized")

    return check
